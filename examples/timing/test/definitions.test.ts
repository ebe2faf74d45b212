import type { By, JsonObject } from 'fanfold'
import t from 'tap'
import { readText } from '../chunked-text.ts'
import text from '../text.ts'
import timing from '../timing.ts'

const by: By = { subject: 'test', claims: {}, timeMs: 0 }

t.test('a recording begins with its state, whatever was there', async t => {
  const state: JsonObject = timing.state()
  state['Old'] = 1
  timing.messages.start.handler(state, { state: { Heartbeat: { Utc: 'x' } } }, by)
  t.same(state, { Heartbeat: { Utc: 'x' } })
  timing.messages.merge.handler(state, { topic: 'Heartbeat', delta: { Utc: 'y' } }, by)
  timing.messages.merge.handler(state, { topic: 'Position', delta: 'opaque' }, by)
  t.same(state, { Heartbeat: { Utc: 'y' }, Position: 'opaque' })
})

t.test('patches of a splice apply in order', async t => {
  const state = text.state()
  text.messages.splice.handler(
    state,
    {
      patches: [
        [0, 0, 'ab'],
        [1, 1, 'cd'],
      ],
    },
    by,
  )
  t.equal(readText(state), 'acd')
})

t.test('half of a surrogate pair is refused', async t => {
  const { schema } = text.messages.splice
  t.equal(schema.safeParse({ patches: [[0, 0, '\ud83c']] }).success, false)
  t.equal(schema.safeParse({ patches: [[0, 0, '🏁']] }).success, true)
})
