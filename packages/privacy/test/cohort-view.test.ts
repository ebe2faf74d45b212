import t from 'tap'
import { StagedChange } from '../src/staged-change.ts'
import { define, everybody, itself, nobody, Observed } from './build-view.ts'

const hands = define({ '/hands/*': itself, '/notes': nobody })
const game = () => ({
  score: { home: 0, log: [1, 2] },
  hands: { anna: ['a'], bob: ['b'] },
  notes: 'n',
})

t.test('what rules forbid is not in a view', async t => {
  t.same(new Observed(hands, game()).view, {
    score: { home: 0, log: [1, 2] },
    hands: { anna: ['a'] },
  })
})

t.test('a view that is read shares nothing with the state', async t => {
  const match = new Observed(hands, game())
  const before = match.view
  match.change({ op: 'replace', path: '/score/home', value: 1 })
  t.match(before, { score: { home: 0 } })
})

t.test('a change of what is seen goes out as it stands', async t => {
  const match = new Observed(hands, game())
  t.equal(match.told({ op: 'replace', path: '/score/home', value: 1 }), 'all')
  t.equal(match.told({ op: 'add', path: '/score/log/0', value: 0 }), 'all')
  t.equal(match.told({ op: 'add', path: '/hands/anna/-', value: 'c' }), 'all')
})

t.test('a change of what is hidden is nothing', async t => {
  const match = new Observed(hands, game())
  t.equal(match.told({ op: 'replace', path: '/notes', value: 'm' }), 'nothing')
  t.equal(match.told({ op: 'add', path: '/hands/bob/-', value: 'c' }), 'nothing')
  t.equal(match.told({ op: 'add', path: '/hands/carl', value: [] }), 'nothing')
})

t.test('of a patch only the operations that are seen go out', async t => {
  const match = new Observed(hands, game())
  const sent = match.told(
    { op: 'replace', path: '/notes', value: 'm' },
    { op: 'replace', path: '/score/home', value: 1 },
  )
  t.same(sent, [{ op: 'replace', path: '/score/home', value: 1 }])
})

t.test('a container with rules below it goes out without what is hidden in it', async t => {
  const match = new Observed(hands, { score: {} })
  const sent = match.told({ op: 'add', path: '/hands', value: { anna: [1], bob: [2] } })
  t.same(sent, [{ op: 'add', path: '/hands', value: { anna: [1] } }])
})

t.test('a container that changes only in what is hidden is nothing', async t => {
  const match = new Observed(hands, game())
  const value = { anna: ['a'], bob: ['x'], carl: ['y'] }
  t.equal(match.told({ op: 'replace', path: '/hands', value }), 'nothing')
})

t.test('a change that leads to where it started is nothing', async t => {
  const match = new Observed(hands, game())
  t.equal(match.told({ op: 'replace', path: '/score/home', value: 0 }), 'nothing')
  t.equal(match.told({ op: 'add', path: '/x', value: 1 }, { op: 'remove', path: '/x' }), 'nothing')
})

t.test('a value that a patch writes and takes back goes to nobody', async t => {
  const patch = [
    { op: 'copy', from: '/notes', path: '/score/tmp' },
    { op: 'replace', path: '/score/tmp', value: 'ok' },
  ] as const
  t.same(new Observed(hands, game()).told(...patch), [
    { op: 'add', path: '/score/tmp', value: 'ok' },
  ])
  const plain = new Observed(define({}), game())
  t.ok(plain.cohort.isPlain)
  t.same(plain.told(...patch), [{ op: 'add', path: '/score/tmp', value: 'ok' }])
})

t.test('moving into sight is an addition, moving out of it a removal', async t => {
  const match = new Observed(hands, game())
  t.same(match.told({ op: 'move', from: '/hands/bob', path: '/open' }), [
    { op: 'add', path: '/open', value: ['b'] },
  ])
  t.same(match.told({ op: 'move', from: '/open', path: '/hands/bob' }), [
    { op: 'remove', path: '/open' },
  ])
})

t.test('a test is never told', async t => {
  const match = new Observed(hands, game())
  t.equal(match.told({ op: 'test', path: '/notes', value: 'n' }), 'nothing')
  const sent = match.told(
    { op: 'test', path: '/notes', value: 'n' },
    { op: 'add', path: '/x', value: 1 },
  )
  t.same(sent, [{ op: 'add', path: '/x', value: 1 }])
})

t.test('an array with rules below it is seen without its hidden elements', async t => {
  const list = define({ '/list/*/secret': nobody, '/list/1': nobody })
  const match = new Observed(list, { list: [{ a: 1, secret: 2 }, 'gone', 'kept'] })
  t.same(match.view, { list: [{ a: 1 }, 'kept'] })
  t.same(match.told({ op: 'add', path: '/list/-', value: 'new' }), [
    { op: 'add', path: '/list/2', value: 'new' },
  ])
  t.equal(match.told({ op: 'replace', path: '/list/0/secret', value: 3 }), 'nothing')
  t.same(match.told({ op: 'remove', path: '/list/0' }), [
    { op: 'replace', path: '/list/0', value: 'gone' },
    { op: 'remove', path: '/list/1' },
  ])
})

const roles = define({
  '/roles/*': {
    reads: ['/phase'],
    allow: (audience, { key, reads }) => reads['/phase'] === 'over' || key === audience,
  },
})

t.test('an answer that turns to yes gives what is there', async t => {
  const match = new Observed(roles, { phase: 'night', roles: { anna: 'seer', bob: 'wolf' } })
  t.same(match.told({ op: 'replace', path: '/phase', value: 'over' }), [
    { op: 'replace', path: '/phase', value: 'over' },
    { op: 'add', path: '/roles/bob', value: 'wolf' },
  ])
})

t.test('an answer that turns to no takes away what was there', async t => {
  const match = new Observed(roles, { phase: 'over', roles: { anna: 'seer', bob: 'wolf' } })
  t.same(match.told({ op: 'replace', path: '/phase', value: 'day' }), [
    { op: 'replace', path: '/phase', value: 'day' },
    { op: 'remove', path: '/roles/bob' },
  ])
})

t.test('what comes into being while the answer turns goes out by the answer now', async t => {
  const add = { op: 'add', path: '/roles/carl', value: 'wolf' } as const
  const toYes = new Observed(roles, { phase: 'night', roles: {} })
  t.equal(toYes.told(add, { op: 'replace', path: '/phase', value: 'over' }), 'all')
  const toNo = new Observed(roles, { phase: 'over', roles: {} })
  const dawn = { op: 'replace', path: '/phase', value: 'day' } as const
  t.same(toNo.told(add, dawn), [dawn])
})

t.test('an array that shifts turns what reads its elements', async t => {
  const first = define({
    '/prize': {
      reads: ['/queue/1'],
      allow: (audience, { reads }) => reads['/queue/1'] === audience,
    },
  })
  const match = new Observed(first, { prize: 5, queue: ['bob', 'anna'] })
  t.same(match.told({ op: 'add', path: '/queue/0', value: 'carl' }), [
    { op: 'add', path: '/queue/0', value: 'carl' },
    { op: 'remove', path: '/prize' },
  ])
})

t.test('what goes away while the answer turns to no is taken away once', async t => {
  const match = new Observed(roles, { phase: 'over', roles: { bob: 'wolf' } })
  const sent = match.told(
    { op: 'remove', path: '/roles/bob' },
    { op: 'replace', path: '/phase', value: 'day' },
  )
  t.same(sent, [
    { op: 'replace', path: '/phase', value: 'day' },
    { op: 'remove', path: '/roles/bob' },
  ])
})

t.test('a read whose * stands for the key turns only the place of that key', async t => {
  const asked: string[] = []
  const teams = define({
    '/plans/*': {
      reads: ['/teams/*'],
      allow(audience, { key, reads }) {
        asked.push(key)
        return reads['/teams/*'] === audience
      },
    },
  })
  const match = new Observed(
    teams,
    {
      plans: { x: 1, y: 2 },
      teams: { x: 'b', y: 'b' },
    },
    { audience: 'a' },
  )
  asked.length = 0
  t.same(match.told({ op: 'replace', path: '/teams/x', value: 'a' }), [
    { op: 'replace', path: '/teams/x', value: 'a' },
    { op: 'add', path: '/plans/x', value: 1 },
  ])
  t.notOk(asked.includes('y'))
})

t.test('under a closed default only what a rule allows is seen, and the way there', async t => {
  const closed = define({ '/a/b/*': everybody, '/open': everybody }, { isOpen: false })
  const match = new Observed(closed, { a: { b: { x: 1 }, c: 2 }, open: [1], other: 3 })
  t.same(match.view, { a: { b: { x: 1 } }, open: [1] })
  t.equal(match.told({ op: 'replace', path: '/other', value: 4 }), 'nothing')
  t.equal(match.told({ op: 'replace', path: '/a/c', value: 4 }), 'nothing')
  t.same(match.told({ op: 'replace', path: '/a/b', value: ['array'] }), [
    { op: 'remove', path: '/a/b' },
  ])
  t.same(match.told({ op: 'replace', path: '/a', value: { b: { y: 1 }, c: 2 } }), [
    { op: 'add', path: '/a/b', value: { y: 1 } },
  ])
  t.same(match.told({ op: 'remove', path: '/a' }), [{ op: 'remove', path: '/a' }])
})

t.test('the way to what is labelled is shown to those with clearance for it', async t => {
  const rules = { '/roles/*': everybody, '/score': everybody }
  const whole = define(rules, { isOpen: false, labels: { '/roles/*': 2 } })
  // What an edge below the ceiling has: nothing of what is labelled, nor the rule about it.
  const cut = define({ '/score': everybody }, { isOpen: false })
  const state = { roles: { anna: 'fox' }, score: 1 }
  t.same(new Observed(whole, state).view, { score: 1 })
  t.same(new Observed(cut, state).view, { score: 1 }, 'the same at every edge')
  t.same(new Observed(whole, state, { clearance: 2 }).view, state)
})

t.test('a view may have members that are undefined: they are left out', async t => {
  const hands = define({}, { view: () => ({ hand: undefined, list: [{ a: 1, b: undefined }] }) })
  t.same(new Observed(hands, { a: 1 }).view, { list: [{ a: 1 }] })
})

t.test('under a closed default without rules a view is empty for ever', async t => {
  const match = new Observed(define({}, { isOpen: false }), { a: 1 })
  t.same(match.view, {})
  t.equal(match.told({ op: 'add', path: '/b', value: 1 }), 'nothing')
  t.equal(match.told({ op: 'replace', path: '', value: { c: 1 } }), 'nothing')
})

t.test('a label above the clearance hides all below it, one within hides nothing', async t => {
  const labelled = define({ '/odds/*': everybody }, { labels: { '/odds': 2, '/score/home': 1 } })
  const state = () => ({ odds: { x: 1 }, score: { home: 1, away: 2 } })
  t.same(new Observed(labelled, state()).view, { score: { away: 2 } })
  t.same(new Observed(labelled, state(), { clearance: 1 }).view, { score: { home: 1, away: 2 } })
  t.same(new Observed(labelled, state(), { clearance: 2 }).view, state())
  const low = new Observed(labelled, state(), { clearance: 1 })
  t.equal(low.told({ op: 'replace', path: '/odds/x', value: 5 }), 'nothing')
})

t.test('a root that may not be seen is an empty object', async t => {
  const phase = define({ '': { reads: ['/on'], allow: (_, { reads }) => reads['/on'] === 1 } })
  const match = new Observed(phase, { on: 0, x: 1 })
  t.same(match.view, {})
  t.same(match.told({ op: 'replace', path: '/on', value: 1 }), [
    { op: 'add', path: '/on', value: 1 },
    { op: 'add', path: '/x', value: 1 },
  ])
})

t.test('only true allows', async t => {
  const loose = define({ '/a': () => 1 as unknown as boolean, '/b': everybody })
  t.same(new Observed(loose, { a: 1, b: 2 }).view, { b: 2 })
})

t.test('a rule that throws fails closed until the view is read again', async t => {
  const fragile = define({
    '/a': {
      reads: ['/broken'],
      allow(_, { reads }) {
        if (reads['/broken'] === true) throw new Error('rule')
        return true
      },
    },
  })
  const match = new Observed(fragile, { a: 1, b: 1 })
  const step = match.change({ op: 'add', path: '/broken', value: true })
  t.match(step, { kind: 'failed', failure: { code: 'FANFOLD_RULE_FAILED', place: '/a' } })
  t.match(match.change({ op: 'add', path: '/b', value: 2 }), { kind: 'failed' })
  t.match(match.change({ op: 'remove', path: '/broken' }), { kind: 'failed' })
  t.same(match.view, { a: 1, b: 2 })
  t.equal(match.told({ op: 'add', path: '/b', value: 3 }), 'all')
})

t.test('a rule cannot change what it is asked about, nor keep it', async t => {
  const kept: unknown[] = []
  const nosy = define({
    '/a': {
      reads: ['/deep', '/none'],
      allow(audience, { keys, reads }) {
        kept.push(reads['/deep'])
        t.equal(reads['/none'], undefined)
        t.equal(Object.getPrototypeOf(reads), null)
        t.same(keys, [])
        t.throws(() => Reflect.set(Object(reads['/deep']), 'x', 2), TypeError)
        t.throws(() => Object.assign(Object(audience), { id: 1 }), TypeError)
        t.throws(() => Object.assign(reads, { y: 1 }), TypeError)
        return true
      },
    },
  })
  const match = new Observed(nosy, { a: 1, deep: { x: [1] } }, { audience: { id: 0 } })
  t.same(match.view, { a: 1, deep: { x: [1] } })
  t.throws(() => Object.keys(Object(kept[0])), TypeError)
})

t.test('keys are names as they are, not as pointers write them', async t => {
  const asked: unknown[] = []
  const named = define({
    '/a~1b/*/c/*': (_, { key, keys }) => {
      asked.push([key, ...keys])
      return true
    },
  })
  const match = new Observed(named, { 'a/b': { '~1/': { c: { '': 1 } } } })
  t.ok(match.view)
  t.same(asked.at(-1), ['', '~1/', ''])
})

t.test('a computed view goes out as what differs from the last one', async t => {
  let computed = 0
  const counted = define(
    { '/hidden': nobody },
    {
      view(visible, audience, viewState) {
        computed++
        return { names: Object.keys(Object(visible)).length, audience, viewState }
      },
    },
  )
  const match = new Observed(counted, { a: 1, hidden: 1 }, { viewState: { page: 2 } })
  t.same(match.view, { names: 1, audience: 'anna', viewState: { page: 2 } })
  computed = 0
  t.equal(match.told({ op: 'replace', path: '/hidden', value: 2 }), 'nothing')
  t.equal(computed, 0)
  t.equal(match.told({ op: 'replace', path: '/a', value: 2 }), 'nothing')
  t.equal(computed, 1)
  t.same(match.told({ op: 'add', path: '/b', value: 2 }), [
    { op: 'replace', path: '/names', value: 2 },
  ])
})

t.test('a view that is no JSON object fails closed', async t => {
  const wrong: [view: () => unknown, message: RegExp][] = [
    [() => undefined, /^the view returned nothing: return a JSON object$/],
    [() => 1, /^the view returned what is no object/],
    [() => [], /^the view returned what is no object/],
    [() => ({ at: new Map() }), /^the view returned what is not JSON: .*\/at/],
  ]
  for (const [view, message] of wrong) {
    const match = new Observed(define({}, { view }), { a: 1 })
    const error = { message }
    t.match(match.cohort.failure, { code: 'FANFOLD_RULE_FAILED', place: 'view', error })
  }
})

t.test('a view cannot swallow the failure of a rule', async t => {
  const throws = (): boolean => {
    throw new Error('rule')
  }
  const view = (visible: unknown): unknown => ({ has: 'a' in Object(visible) })
  const match = new Observed(define({ '/a': throws }, { view }), { a: 1 })
  t.match(match.cohort.failure, { place: '/a' })
})

t.test('what is not plain is not taken for it', async t => {
  const isPlain = (...definition: Parameters<typeof define>): boolean =>
    new Observed(define(...definition), {}, { clearance: 1 }).cohort.isPlain
  t.ok(isPlain({}))
  t.ok(isPlain({}, { labels: { '/a': 1 } }))
  t.notOk(isPlain({}, { labels: { '/a': 2 } }))
  t.notOk(isPlain({ '/a': everybody }))
  t.notOk(isPlain({}, { isOpen: false }))
  t.notOk(isPlain({}, { view: visible => visible }))
})

t.test('a change that was not staged cannot be settled', async t => {
  const { cohort, rules, state } = new Observed(hands, game())
  const change = new StagedChange(rules, state, [{ op: 'remove', path: '/score' }])
  t.throws(() => cohort.settle(change, state), { name: 'AssertionError' })
})

t.test('a patch that does not fit is looked at as a change of all', async t => {
  const { cohort, rules, state } = new Observed(hands, game())
  const change = new StagedChange(rules, state, [{ op: 'replace', path: '/none/x', value: 1 }])
  cohort.stage(change)
  const after = { ...game(), notes: 'other', more: 1 }
  t.same(cohort.settle(change, after), {
    kind: 'delta',
    patchJson: '[{"op":"add","path":"/more","value":1}]',
  })
})
