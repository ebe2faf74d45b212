import type { JsonObject } from 'fanfold'
import t from 'tap'
import { arrayGrowthMax, mergeInto } from '../merge.ts'

function merged(target: JsonObject, patch: JsonObject): JsonObject {
  mergeInto(target, patch)
  return target
}

t.test('an object changes members and leaves the others', async t => {
  t.same(merged({ a: { x: 1, y: 2 } }, { a: { y: 3, z: 4 } }), { a: { x: 1, y: 3, z: 4 } })
})

t.test('keys of an object are indexes where an array is', async t => {
  t.same(merged({ a: [{ x: 1 }, { x: 2 }] }, { a: { 1: { y: 3 } } }), {
    a: [{ x: 1 }, { x: 2, y: 3 }],
  })
})

t.test('an array grows with nulls up to the index', async t => {
  t.same(merged({ a: [1] }, { a: { 3: { x: 1 } } }), { a: [1, null, null, { x: 1 }] })
})

t.test('an array grows by so much and no more', async t => {
  const array = (merged({ a: [] }, { a: { [arrayGrowthMax]: 1 } }) as { a: unknown[] }).a
  t.equal(array.length, arrayGrowthMax + 1)
  t.throws(() => mergeInto({ a: [] }, { a: { [arrayGrowthMax + 1]: 1 } }), {
    message: 'index 10001 is more than 10000 past the end, 0',
  })
})

t.test('a key that is no index of an array is refused', async t => {
  for (const key of ['-1', '01', '1.5', 'x', '_deleted', '']) {
    t.throws(() => mergeInto({ a: [1] }, { a: { [key]: 2 } }), /an index of an array/, key)
  }
})

t.test('an object replaces what is neither object nor array', async t => {
  t.same(merged({ a: 'text', b: null }, { a: { x: { y: 1 } }, b: { z: 2 } }), {
    a: { x: { y: 1 } },
    b: { z: 2 },
  })
})

t.test('arrays and scalars replace, and null is a scalar', async t => {
  t.same(merged({ a: { x: 1 }, b: [1], c: 1 }, { a: [2], b: 'text', c: null }), {
    a: [2],
    b: 'text',
    c: null,
  })
})

t.test('_deleted removes members, in the order in which it comes', async t => {
  t.same(merged({ a: { x: 1, y: 2 } }, { a: { _deleted: ['x', 'none'] } }), { a: { y: 2 } })
  t.same(merged({ a: { x: { v: 1 } } }, { a: { x: { w: 2 }, _deleted: ['x'] } }), { a: {} })
  t.same(merged({ a: { x: { v: 1 } } }, { a: { _deleted: ['x'], x: { w: 2 } } }), {
    a: { x: { w: 2 } },
  })
})

t.test('_deleted leaves no trace in a member that is new', async t => {
  t.same(merged({}, { a: { b: { x: 1, _deleted: ['y'] } } }), { a: { b: { x: 1 } } })
})

t.test('members that attack objects are refused', async t => {
  const patch = JSON.parse('{"a":{"__proto__":{"polluted":true}}}') as JsonObject
  t.throws(() => mergeInto({ a: {} }, patch), {
    message: 'no document may hold a member __proto__',
  })
  t.throws(() => mergeInto({}, patch), { message: 'no document may hold a member __proto__' })
})

t.test('what is equal already is not written', async t => {
  const writes: PropertyKey[] = []
  const watched = new Proxy<JsonObject>(
    { x: 1, y: [1, { z: 2 }], n: null },
    {
      set(target, key, value) {
        writes.push(key)
        return Reflect.set(target, key, value)
      },
    },
  )
  mergeInto({ a: watched }, { a: { x: 1, y: [1, { z: 2 }], n: null } })
  t.same(writes, [])
  mergeInto({ a: watched }, { a: { x: 2, y: [1, { z: 3 }] } })
  t.same(writes, ['x', 'y'])
})

t.test('a new member is written once, complete', async t => {
  const writes: unknown[] = []
  const watched = new Proxy<JsonObject>(
    {},
    {
      set(target, key, value) {
        writes.push(structuredClone(value))
        return Reflect.set(target, key, value)
      },
    },
  )
  mergeInto(watched, { a: { b: { c: { d: 1 } } } })
  t.same(writes, [{ b: { c: { d: 1 } } }])
})

t.test('depth costs no stack', async t => {
  let patch: JsonObject = { leaf: 1 }
  for (let depth = 0; depth < 50_000; depth++) patch = { a: patch }
  const target: JsonObject = {}
  mergeInto(target, patch)
  mergeInto(target, patch)
  let depth = 0
  for (let at = target; at['a'] !== undefined; at = at['a'] as JsonObject) depth += 1
  t.equal(depth, 50_000)
})
