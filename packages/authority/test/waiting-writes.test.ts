import type { RequestId } from '@fanfold/protocol'
import t from 'tap'
import { WaitingWrites } from '../src/waiting-writes.ts'
import { answersOf, limitsOf, opened, write } from './build-document.ts'

const request = 1 as RequestId
const limits = limitsOf({ writesWaitingMax: 10, writesWaitingBytesMax: 4_000 })

t.test('a document takes a quarter of the bytes that may wait, all together no more', async t => {
  const all = { bytes: 0 }
  const queues = Array.from({ length: 5 }, () => new WaitingWrites(limits, all))
  const refused = queues.map(queue => [
    queue.push(write({ request, bytes: 600 })),
    queue.push(write({ request, bytes: 401 })),
    queue.push(write({ request, bytes: 400 })),
  ])
  for (const answers of refused.slice(0, 4)) {
    t.match(answers, [undefined, /^1000 bytes of writes wait for /, undefined])
  }
  t.match(refused[4], [/^4000 bytes of writes wait$/, /^4000 /, /^4000 /])
  t.equal(all.bytes, 4_000)
  queues[0]?.shift()
  t.equal(queues[4]?.push(write({ request, bytes: 600 })), undefined)
  for (const queue of queues) queue.clear()
  t.equal(all.bytes, 0)
})

t.test('writes without a size count by their number', async t => {
  const queue = new WaitingWrites(limits, { bytes: 0 })
  for (let index = 0; index < 10; index++) t.equal(queue.push(write({ request })), undefined)
  t.match(queue.push(write({ request })), /^10 writes wait for /)
})

t.test(
  'a write that finds no room is refused as busy, and nothing waits once all is answered',
  async t => {
    const rig = opened({ writesWaitingBytesMax: 4_000 })
    for (const bytes of [600, 600, 600, 400]) rig.write({ bytes })
    t.match(answersOf(rig.effects()), [{ request: 3, answer: { code: 'FANFOLD_BUSY' } }])
    rig.durable()
    rig.durable()
    t.equal(answersOf(rig.effects()).length, 3)
    t.equal(rig.context.waiting.bytes, 0)
    rig.write({ bytes: 1_001 })
    t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_BUSY' } }])
  },
)
