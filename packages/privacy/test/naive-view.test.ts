import type { JsonObject, JsonValue } from '@fanfold/document'
import t from 'tap'
import { naiveView } from '../src/naive-view.ts'
import { define, everybody, itself, nobody } from './build-view.ts'

const see = (
  definition: ReturnType<typeof define>,
  state: JsonObject,
  audience: JsonValue = 'anna',
  clearance = 0,
): JsonObject => naiveView(definition, state, { audience, clearance, viewState: undefined })

t.test('every rule on the path must allow', async t => {
  const both = define({ '/a': everybody, '/a/b': nobody, '/c': nobody, '/c/d': everybody })
  t.same(see(both, { a: { b: 1, x: 2 }, c: { d: 1 } }), { a: { x: 2 } })
})

t.test('a closed default shows what rules allow and objects on the way', async t => {
  const closed = define({ '/a/b': everybody, '/m/*': itself }, { isOpen: false })
  t.same(see(closed, { a: { b: 1, c: 1 }, m: { anna: 1, bob: 2 }, z: 1 }), {
    a: { b: 1 },
    m: { anna: 1 },
  })
  t.same(see(closed, { a: [1], m: 'scalar' }), {})
})

t.test('arrays close up over what is not seen', async t => {
  t.same(see(define({ '/l/1': nobody }), { l: [1, 2, 3] }), { l: [1, 3] })
})

t.test('a label counts for all below it', async t => {
  const labelled = define({}, { labels: { '/a': 2, '/*/b': 1 } })
  t.same(see(labelled, { a: 1, c: { b: 1, d: 2 } }), { c: { d: 2 } })
  t.same(see(labelled, { a: 1, c: { b: 1, d: 2 } }, 'anna', 1), { c: { b: 1, d: 2 } })
})

t.test('a hidden root is an empty object', async t => {
  t.same(see(define({ '': nobody }), { a: 1 }), {})
  t.same(see(define({}, { labels: { '': 1 } }), { a: 1 }), {})
})

t.test('reads are the raw values, bound to the keys', async t => {
  const reading = define({
    '/p/*': { reads: ['/hidden/*', '/none'], allow: (_, { reads }) => reads['/hidden/*'] === 1 },
    '/hidden': nobody,
  })
  t.same(see(reading, { p: { x: 1, y: 2 }, hidden: { x: 1, y: 0 } }), { p: { x: 1 } })
})
