import { canonicalJson, type JsonValue } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { isSameJson } from '../src/same-json.ts'

const keys = fc.constantFrom('a', 'b', 'c')
const { value } = fc.letrec<{ value: JsonValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<JsonValue>(null, true, false, 0, 1, '', 'a'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

t.test('values are the same exactly when their canonical texts are', async t => {
  fc.assert(
    fc.property(
      value,
      value,
      (a, b) => isSameJson(a, b) === (canonicalJson(a) === canonicalJson(b)),
    ),
  )
  t.pass('for every pair that was drawn')
})

t.test('the order of members does not matter, that of elements does', async t => {
  t.ok(isSameJson({ a: { b: [1], c: null } }, { a: { c: null, b: [1] } }))
  t.notOk(isSameJson([1, 2], [2, 1]))
  t.notOk(isSameJson({ a: 1 }, { b: 1 }))
  t.notOk(isSameJson([], {}))
  t.notOk(isSameJson({}, []))
})
