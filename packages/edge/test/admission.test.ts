import type { EdgeDefinition } from '@fanfold/definition'
import { limits } from '@fanfold/protocol'
import t from 'tap'
import { admit, adoptViewState } from '../src/admission.ts'
import { define, doc, grants } from './edge-log.ts'

type Policy = Partial<NonNullable<EdgeDefinition['observe']>>

const put = (
  observe: Policy,
  options: Partial<Parameters<typeof admit>[0]> = {},
  overrides: Parameters<typeof define>[0] = {},
) => {
  const definition = define({ ...overrides, observe })
  const policy = definition.observe
  if (policy === undefined) throw new Error('there is a policy')
  return admit({
    doc,
    definition,
    policy,
    grants: grants(),
    ceiling: 239,
    viewState: undefined,
    isViewStateOptional: false,
    ...options,
  })
}

const schema = (accepts: (value: unknown) => boolean): EdgeDefinition['viewState'] => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: value => (accepts(value) ? { value } : { issues: [{ message: `no ${value}` }] }),
  },
})

t.test('who observes is the subject and the claims of the token', async t => {
  const asked: unknown[] = []
  const note = (viewer: unknown): boolean => asked.push(viewer) > 0
  put({ allow: note }, { grants: grants({ subject: 'eve', claims: { plan: 'free' } }) })
  t.same(asked, [{ id: 'eve', claims: { plan: 'free' } }])
})

t.test('only true is permission', async t => {
  for (const answer of [false, 1, 'yes', {}, undefined, Promise.resolve(true)]) {
    const admission = put({ allow: () => answer as boolean })
    t.match(admission, { ok: false, code: 'FANFOLD_FORBIDDEN' })
  }
  t.match(put({ allow: () => true }), { ok: true, audience: {}, clearance: 0 })
})

t.test('an audience is JSON of bounded size, and frozen', async t => {
  const admission = put({ audience: () => ({ a: [{ b: 1 }] }) })
  t.ok(admission.ok && Object.isFrozen(admission.audience))
  t.ok(admission.ok && Object.isFrozen((admission.audience as { a: object[] }).a[0]))
  const refused = { ok: false, code: 'FANFOLD_RULE_FAILED', failure: { place: 'observe.audience' } }
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  for (const audience of [undefined, new Map(), () => 1, Number.NaN, cycle, [undefined]]) {
    t.match(put({ audience: () => audience }), refused)
  }
  const partly = { a: 1, b: undefined }
  t.match(put({ audience: () => partly }), { ok: true, key: '[{"a":1}]' }, 'as JSON leaves it out')
  const sized = (bytes: number): string => 'x'.repeat(bytes - 2)
  const { value: bytesMax } = limits.audienceBytesMax
  t.match(put({ audience: () => sized(bytesMax) }), { ok: true })
  t.match(put({ audience: () => sized(bytesMax + 1) }), refused)
})

t.test('a clearance is a label, no higher than what the edge has', async t => {
  const ceiling = 5
  t.match(put({ clearance: () => 5 }, { ceiling }), { ok: true, clearance: 5 })
  t.match(put({ clearance: () => 6 }, { ceiling }), { code: 'FANFOLD_ABOVE_CEILING' })
  for (const clearance of [-1, 240, 0.5, Number.NaN, '1', undefined, Number.POSITIVE_INFINITY]) {
    t.match(put({ clearance: () => clearance as number }), {
      code: 'FANFOLD_RULE_FAILED',
      failure: { place: 'observe.clearance' },
    })
  }
})

t.test('what throws refuses, and its words are for the log alone', async t => {
  const fail = (): never => {
    throw new Error('the secret')
  }
  for (const place of ['allow', 'audience', 'clearance'] as const) {
    const admission = put({ [place]: fail })
    t.match(admission, { code: 'FANFOLD_RULE_FAILED', failure: { place: `observe.${place}` } })
    t.notMatch(admission.ok ? '' : admission.message, /secret/)
    t.match(admission.ok ? {} : admission.failure?.error, { message: 'the secret' })
  }
})

t.test('a view state is what the schema takes, and need not be there', async t => {
  const viewState = schema(value => typeof value === 'number')
  const none = { code: 'FANFOLD_INVALID_VIEW_STATE' }
  t.match(put({}, { viewState: 7 }, { viewState }), { ok: true, viewState: 7 })
  t.match(put({}, { viewState: 'x' }, { viewState }), none)
  t.match(put({}, {}, { viewState }), { ok: true, viewState: undefined })
  t.match(put({}, { viewState: 7 }), { code: 'FANFOLD_NO_VIEW_STATE' })
})

t.test('a view state that a new definition refuses is none', async t => {
  const kept = { viewState: 'x', isViewStateOptional: true }
  t.match(put({}, kept), { ok: true, viewState: undefined }, 'no schema any more')
  const wanted = schema(value => typeof value === 'number')
  t.match(put({}, kept, { viewState: wanted }), { ok: true, viewState: undefined })
})

t.test('a schema that throws, that is async or that makes no JSON refuses, unquoted', async t => {
  const validates: NonNullable<EdgeDefinition['viewState']>['~standard']['validate'][] = [
    () => {
      throw new Error('the secret')
    },
    () => Promise.resolve({ value: 1 }),
    () => Promise.reject(new Error('the secret')),
    () => ({ value: new Map() }),
    () => ({ value: 'x'.repeat(5_000) }),
    () => ({ issues: [{ message: 'the secret' }] }),
  ]
  for (const validate of validates) {
    const viewState = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const admission = put({}, { viewState: 'page' }, { viewState })
    t.match(admission, { code: 'FANFOLD_INVALID_VIEW_STATE' })
    t.notMatch(admission, { message: /secret|page/ })
  }
})

t.test('a view state as it comes is JSON of bounded size and depth', async t => {
  const { value: bytesMax } = limits.viewStateBytesMax
  t.match(adoptViewState('x'.repeat(bytesMax - 2)), { ok: true })
  const refused = { ok: false, code: 'FANFOLD_INVALID_VIEW_STATE' }
  t.match(adoptViewState('x'.repeat(bytesMax - 1)), refused)
  t.match(adoptViewState(JSON.parse('{"__proto__":{"a":1}}')), refused)
  t.match(adoptViewState(JSON.parse('['.repeat(2_000) + ']'.repeat(2_000))), refused)
  t.same(adoptViewState(undefined), { ok: true, value: undefined })
  t.same(adoptViewState(null), { ok: true, value: null })
})

t.test('viewers that see the same have the same key, whatever the order of members', async t => {
  const key = (audience: unknown): string | undefined => {
    const admission = put({ audience: () => audience })
    return admission.ok ? admission.key : undefined
  }
  t.equal(key({ a: 1, b: [2] }), key({ b: [2], a: 1 }))
  t.not(key({ a: 1 }), key({ a: 2 }))
  t.not(key([1, 2]), key([2, 1]))
})
