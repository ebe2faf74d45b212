import type { JsonObject } from '@fanfold/document'
import t from 'tap'
import type { BoardRules } from '../src/board-rules.ts'
import { type Observed, unasked, viewStateJson } from '../src/observed.ts'
import { ObservedDocument } from '../src/observed-document.ts'
import { OwedViews } from '../src/owed-views.ts'
import { buildWorld, doc, looker } from './build-world.ts'

const state = { title: 'goal', phase: 'play', roles: { s0: 'king' } }
const later = { ...state, phase: 'over' }
const brokenRoles: Partial<BoardRules> = {
  privacy: [{ pattern: '/roles/*', kind: 'broken', note: '' }],
}
const broken = { ...state, phase: 'broken' }

/** What is owed in a world of these rules, whose log says these states. */
function makeOwed(
  options: {
    readonly rules?: Partial<BoardRules>
    readonly states?: readonly JsonObject[]
    readonly ending?: 'deleted'
    readonly mayBeLarge?: boolean
  } = {},
) {
  const { rules = {}, states = [state], ending, mayBeLarge = false } = options
  return new OwedViews(buildWorld(rules, states, ending).oracle, mayBeLarge)
}

/** A viewer's document: it observes, was answered, and has this view at this seq. */
function observed(
  overrides: Partial<Observed> & { readonly view?: JsonObject; readonly seq?: number } = {},
): Observed {
  const { view, seq = 2, ...others } = overrides
  const document = new ObservedDocument(doc)
  if (view !== undefined) {
    const frame = { type: 'snapshot', doc, epoch: 1, seq, position: 'p', view } as const
    document.takeSnapshot(frame, () => undefined)
  }
  const answered = viewStateJson(others.viewState)
  return { ...unasked, document, phase: 'observing', answered, ...others }
}

t.test('a viewer that has the view of the log’s head is owed nothing', async t => {
  t.equal(makeOwed().missing(observed({ view: state }), looker(0)), undefined)
})

t.test('a viewer whose view is not that of the head is owed it', async t => {
  const owed = makeOwed({ states: [state, later] })
  t.match(owed.missing(observed({ view: state }), looker(0)), /differs .*play.*over/)
  t.equal(owed.missing(observed({ view: later, seq: 3 }), looker(0)), undefined)
  t.equal(owed.missing(observed(), looker(0)), 'it has no view')
})

t.test('a viewer that wants nothing, or for which all is over, is owed nothing', async t => {
  const owed = makeOwed()
  t.equal(owed.missing(observed({ phase: 'idle', isWanted: false }), looker(0)), undefined)
  t.equal(owed.missing(observed({ phase: 'ended' }), looker(0)), undefined)
})

t.test('what is still to happen counts as missing', async t => {
  const owed = makeOwed()
  const view = state
  for (const change of [
    { phase: 'idle' },
    { phase: 'leaving', isWanted: false },
    { isToAskAgain: true },
  ] as const) {
    t.equal(owed.missing(observed({ view, ...change }), looker(0)), 'it is about to change')
  }
})

t.test('a viewer that is told to be cut off has not got what it wants, view or not', async t => {
  const one = observed({ view: state, isStale: true })
  t.equal(makeOwed().missing(one, looker(0)), 'its edge says that it is cut off')
})

t.test('a viewer is to be answered by what it asked for last', async t => {
  const owed = makeOwed({ rules: { view: 'page' } })
  const one = observed({ view: state, viewState: { page: 1 }, answered: viewStateJson(undefined) })
  t.equal(owed.missing(one, looker(0)), 'it is not answered yet')
})

t.test('a document that nobody has created is waited for, answered or not', async t => {
  const owed = makeOwed({ states: [] })
  t.equal(owed.missing(observed({ answered: undefined }), looker(0)), undefined)
})

t.test('who observes a document that was deleted is still to hear of it', async t => {
  const owed = makeOwed({ ending: 'deleted' })
  const one = observed({ view: state })
  t.equal(owed.missing(one, looker(0)), 'it was deleted')
  t.ok(owed.isDeleted(one, looker(0)))
  t.notOk(makeOwed().isDeleted(one, looker(0)))
})

t.test('who is refused is owed a view exactly when it may see one now', async t => {
  const refused = observed({ phase: 'refused' })
  t.equal(makeOwed().missing(refused, looker(0)), 'it may see it now')
  t.equal(makeOwed({ rules: { banned: ['s0'] } }).missing(refused, looker(0)), undefined)
  t.equal(makeOwed({ ending: 'deleted' }).missing(refused, looker(0)), undefined)
  const absent = makeOwed({ states: [] })
  t.equal(absent.missing(refused, looker(0)), 'it may see it now')
})

t.test('who still observes what it may not see is not as it has to be', async t => {
  const owed = makeOwed({ rules: { banned: ['s0'] } })
  t.equal(owed.missing(observed({ view: state }), looker(0)), 'it may not see it any more')
  t.equal(owed.missing(observed({ view: state }), looker(0, 239, 's1')), undefined)
})

t.test('a view that fails, or may, stays as it was', async t => {
  const states = [state, broken]
  const one = observed({ view: state })
  t.equal(makeOwed({ rules: brokenRoles, states }).missing(one, looker(0)), undefined)
  const viewed = { ...brokenRoles, view: 'page' } as const
  t.equal(makeOwed({ rules: viewed, states }).missing(one, looker(0)), undefined)
  t.match(makeOwed({ rules: brokenRoles, states }).missing(one, looker(1)), /differs/)
})

t.test('who asks is refused what it may not see, what fails and what was deleted', async t => {
  const one = observed()
  const refusable = (options: Parameters<typeof makeOwed>[0]) =>
    makeOwed(options).isRefusable(one, looker(0))
  t.ok(refusable({ rules: { banned: ['s0'] } }))
  t.ok(refusable({ rules: brokenRoles, states: [broken] }))
  t.ok(refusable({ ending: 'deleted' }))
  t.notOk(refusable({}))
  t.notOk(refusable({ states: [] }))
})

t.test('a refusal counts when a place since the last view gives its reason', async t => {
  const rules: Partial<BoardRules> = { banned: ['s0'] }
  const owed = makeOwed({ rules })
  t.ok(owed.wasRefusable(observed(), looker(0), 'FANFOLD_FORBIDDEN'))
  t.notOk(owed.wasRefusable(observed(), looker(0), 'FANFOLD_ABOVE_CEILING'), 'another reason')
  t.notOk(owed.wasRefusable(observed(), looker(0, 239, 's1'), 'FANFOLD_FORBIDDEN'))
})

t.test('large views alone are refused for a rule that fails', async t => {
  const states = [state, broken, state]
  const wasRefusable = (mayBeLarge: boolean, seq: number) =>
    makeOwed({ rules: brokenRoles, states, mayBeLarge }).wasRefusable(
      observed({ view: state, seq }),
      looker(0),
      'FANFOLD_RULE_FAILED',
    )
  t.ok(wasRefusable(true, 2))
  t.ok(wasRefusable(true, 3), 'the place that was shown last counts')
  t.notOk(wasRefusable(true, 4), 'what was before it does not')
  t.notOk(wasRefusable(false, 2))
})
