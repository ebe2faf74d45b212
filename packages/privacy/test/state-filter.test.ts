import type { EdgeDefinition } from '@fanfold/definition'
import type { JsonObject, JsonValue } from '@fanfold/document'
import t from 'tap'
import { placeAt } from '../src/place.ts'
import { StateFilter } from '../src/state-filter.ts'
import { ViewRules } from '../src/view-rules.ts'
import { define, everybody, itself, nobody } from './build-view.ts'

const state = (): JsonObject => ({
  odds: { home: 1 },
  hands: { anna: [1], ben: [2] },
  bids: [{ by: 'anna', price: 1 }, 2],
  plain: { a: { b: 1 } },
})

/** What anna sees at a place, without clearance. */
function look(
  definition: EdgeDefinition,
  path: readonly string[],
  options: { readonly own?: JsonObject; readonly isFresh?: boolean } = {},
): JsonValue | undefined {
  const { own = state(), isFresh = true } = options
  const rules = new ViewRules(definition)
  const filter = new StateFilter({ rules, audience: 'anna', clearance: 0, state: own })
  const seen = filter.seenAt(placeAt(rules, path), isFresh)
  filter.end()
  return seen
}

t.test('a place is seen by the rules above, at and below it', async t => {
  const definition = define({ '/odds': nobody, '/hands/*': itself, '/bids/*/price': nobody })
  t.equal(look(definition, ['odds']), undefined)
  t.equal(look(definition, ['odds', 'home']), undefined)
  t.same(look(definition, ['hands']), { anna: [1] })
  t.same(look(definition, ['bids']), [{ by: 'anna' }, 2])
  t.same(look(definition, []), {
    hands: { anna: [1] },
    bids: [{ by: 'anna' }, 2],
    plain: { a: { b: 1 } },
  })
})

t.test('where there is nothing, nothing is seen; of the root an object', async t => {
  const definition = define({})
  t.equal(look(definition, ['none', 'below']), undefined)
  t.equal(look(definition, ['toString']), undefined)
  t.same(look(define({ '/*': nobody }), []), {})
  t.same(look(define({}, { labels: { '': 1 } }), []), {})
})

t.test('no rule is asked about a place that holds nothing, or is labelled too high', async t => {
  let asked = 0
  const count = (): boolean => ++asked > 0
  look(define({ '/none': count }), ['none'])
  look(define({ '/odds': count }, { labels: { '/odds': 1 } }), ['odds'])
  t.equal(asked, 0)
})

t.test('under a closed default a way is an object, and no array or scalar is one', async t => {
  const closed = define(
    { '/plain/a/b': everybody, '/bids/0/by': everybody, '/odds/home/x': everybody },
    { isOpen: false },
  )
  t.same(look(closed, ['plain']), { a: { b: 1 } })
  t.equal(look(closed, ['bids']), undefined)
  t.same(look(closed, ['odds']), {})
  t.equal(look(closed, ['hands']), undefined)
})

t.test('what is seen is fresh where it is asked to be, and only then copied', async t => {
  const own = state()
  const definition = define({ '/hands/*': itself })
  t.equal(look(definition, ['plain'], { own, isFresh: false }), own['plain'])
  t.not(look(definition, ['plain'], { own }), own['plain'])
  const hands = look(definition, ['hands'], { own }) as JsonObject
  t.not(hands['anna'], (own['hands'] as JsonObject)['anna'])
})
