import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { defineDocument, initialState } from '../src/index.ts'
import { unawaited } from '../src/unawaited.ts'

t.test('what is handed through is what comes out', async t => {
  const promise = Promise.resolve(1)
  for (const value of [undefined, null, true, 'text', promise]) t.equal(unawaited(value), value)
})

t.test('code that is async and fails decides nothing, and the process goes on', async t => {
  const late: unknown[] = []
  const note = (error: unknown): void => {
    late.push(error)
  }
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const fail = async (): Promise<never> => {
    throw new Error('late')
  }
  // As a module that no compiler has seen: esbuild takes types away and does not look at them.
  const spec: object = {
    type: 'match',
    state: fail,
    messages: {},
    observe: { allow: fail, audience: fail, clearance: fail },
    privacy: { '/a': fail, '/b': { reads: ['/c'], allow: fail } },
    view: fail,
  }
  const definition = defineDocument(spec as Parameters<typeof defineDocument>[0])
  const viewer = { id: 'ada', claims: {} }
  t.equal(definition.observe?.allow(viewer), false)
  definition.observe?.audience(viewer)
  t.throws(() => definition.observe?.clearance({}), /a clearance is a label/)
  for (const rule of definition.rules) {
    t.equal(rule.allow({}, { key: '', keys: [], reads: {} }), false)
  }
  definition.view?.({}, {}, undefined)
  t.match(initialState(definition), { ok: false, code: 'FANFOLD_NOT_JSON' })
  await setImmediate()
  t.same(late, [])
})
