import type { JsonObject, JsonValue } from '@fanfold/document'
import fc from 'fast-check'
import jsonPatch, { type Operation } from 'fast-json-patch'
import t from 'tap'
import { jsonEqual } from '../src/json-equal.ts'
import { viewDifference } from '../src/view-difference.ts'

t.test('equal views differ in nothing, whatever the order of their members', async t => {
  t.same(viewDifference({ a: [1, { b: null, c: {} }] }, { a: [1, { c: {}, b: null }] }), [])
})

t.test('only what differs is said', async t => {
  const before = { kept: { deep: 1 }, gone: 1, '/': [1, 2] }
  const after = { kept: { deep: 2 }, '/': [1, 2], new: null }
  t.same(viewDifference(before, after), [
    { op: 'remove', path: '/gone' },
    { op: 'replace', path: '/kept/deep', value: 2 },
    { op: 'add', path: '/new', value: null },
  ])
})

t.test('one insert and one removal are one operation each', async t => {
  t.same(viewDifference({ a: [1, 2, 3] }, { a: [1, 9, 2, 3] }), [
    { op: 'add', path: '/a/1', value: 9 },
  ])
  t.same(viewDifference({ a: [1, 2, 3] }, { a: [1, 3] }), [{ op: 'remove', path: '/a/1' }])
})

t.test('an array is no object, and null is neither', async t => {
  t.same(viewDifference({ a: [] }, { a: {} }), [{ op: 'replace', path: '/a', value: {} }])
  t.same(viewDifference({ a: {} }, { a: null }), [{ op: 'replace', path: '/a', value: null }])
})

t.test('of any two views the difference leads from one to the other', async t => {
  const name = fc.constantFrom('a', 'b', '', '/', '~1', '0')
  const { value } = fc.letrec<{ value: JsonValue }>(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<JsonValue>(null, true, 0, 1, 'x'),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(tie('value'), { maxLength: 6 }),
    ),
  }))
  const view = fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true })
  fc.assert(
    fc.property(view, view, (before: JsonObject, after: JsonObject) => {
      const patch = viewDifference(before, after)
      const isEqual = jsonEqual(before, after)
      if (isEqual !== (patch.length === 0)) return false
      const operations: Operation[] = JSON.parse(JSON.stringify(patch))
      return jsonEqual(
        jsonPatch.applyPatch(structuredClone(before), operations, true).newDocument,
        after,
      )
    }),
    { numRuns: 3_000 },
  )
  t.pass('for 3,000 pairs')
})
