import type { JsonValue } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { keepEqual } from '../src/keep-equal.ts'

t.test('an equal value is the previous one', t => {
  const previous = { a: [1, { b: null }], c: 'x' }
  t.equal(keepEqual(previous, structuredClone(previous)), previous)
  t.end()
})

t.test('equal parts of a different value are the previous ones', t => {
  const previous = { same: { n: 1 }, list: [{ n: 1 }, { n: 2 }], gone: 1 }
  const next = { same: { n: 1 }, list: [{ n: 1 }, { n: 3 }], gone: 1 }
  const text = JSON.stringify(next)
  const kept = keepEqual(previous, next) as typeof previous
  t.equal(JSON.stringify(kept), text)
  t.equal(kept.same, previous.same)
  t.equal(kept.list[0], previous.list[0])
  t.not(kept.list[1], previous.list[1])
  t.not(next.same, previous.same, 'the arguments stay as they are')
  t.end()
})

t.test('a missing, a further or another member makes a difference', t => {
  const previous: JsonValue = { a: 1, b: [1, 2] }
  for (const next of [{ a: 1 }, { a: 1, b: [1, 2], c: 1 }, { a: 1, b: [1] }, { a: 1, c: [1, 2] }]) {
    const text = JSON.stringify(next)
    const kept = keepEqual(previous, next)
    t.not(kept, previous)
    t.equal(JSON.stringify(kept), text)
  }
  t.not(keepEqual([], {}), undefined)
  t.same(keepEqual([], {}), {})
  t.same(keepEqual({}, []), [])
  t.end()
})

t.test('a member named __proto__ stays a member', t => {
  const next: JsonValue = JSON.parse('{"__proto__":{"x":1},"a":1}')
  const kept = keepEqual({ a: 1 }, next)
  t.equal(JSON.stringify(kept), '{"__proto__":{"x":1},"a":1}')
  t.equal(Object.getPrototypeOf(kept), Object.prototype)
  t.end()
})

t.test('values nested deeper than it compares count as different', t => {
  const nest = (levels: number): JsonValue => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
  const shallow = nest(500)
  const deep = nest(20_000)
  t.equal(keepEqual(shallow, nest(500)), shallow)
  t.not(keepEqual(deep, nest(20_000)), deep)
  t.end()
})

t.test('the result always equals the next value', t => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (previous, next) => {
      const text = JSON.stringify(next)
      const kept = keepEqual(previous as JsonValue, JSON.parse(text))
      t.equal(JSON.stringify(kept) === text || kept === previous, true)
      t.same(kept, JSON.parse(text))
    }),
    { numRuns: 300 },
  )
  t.end()
})
