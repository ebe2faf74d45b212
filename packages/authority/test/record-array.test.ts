import type { JsonObject } from '@fanfold/document'
import t from 'tap'
import { record } from '../src/recorder.ts'

// A state as a handler sees it that takes names from its writers.
type Names = { [name: string]: Names } & ((...args: unknown[]) => unknown)

const state = (): JsonObject => ({
  grid: [
    [0, 0],
    [0, 0],
  ],
  cube: [[[0]]],
})

const names = ['constructor', '__proto__', 'prototype', 'push', 'map', 'toString', 'hasOwnProperty']
const inner = ['isArray', 'prototype', 'call', 'apply', 'name', '__proto__', 'polluted']

/** Objects that every document of the process shares, each with its members. */
const sharedBefore = shared().map(holder => ({ holder, names: Reflect.ownKeys(holder) }))

function shared(): object[] {
  const functions = [[].map, [].push, [].toString]
  return [Array, Array.prototype, Object, Object.prototype, Function.prototype, ...functions]
}

t.test('names that a writer chose reach nothing outside the document', async t => {
  const { isArray } = Array
  const { call } = Function.prototype
  for (const first of names) {
    for (const second of inner) {
      record(state(), draft => {
        const { grid } = draft as unknown as Names
        const row = grid?.[first]
        if (row !== undefined) Reflect.set(row, second, 'polluted')
      })
      for (const third of inner) {
        record(state(), draft => {
          const { cube } = draft as unknown as Names
          const row = cube?.[first]?.[second]
          if (row !== undefined) Reflect.set(Object(row), third, 'polluted')
        })
      }
    }
  }
  t.equal(Array.isArray, isArray)
  t.equal(Function.prototype.call, call)
  for (const { holder, names } of sharedBefore) t.same(Reflect.ownKeys(holder), names)
})

t.test('methods of arrays work by name, by call and by apply', async t => {
  const sample: JsonObject = { list: [1, 2, 3] }
  const recorded = record(sample, draft => {
    const { list } = draft as unknown as { list: number[] }
    t.same(
      list.map(item => item * 2),
      [2, 4, 6],
    )
    t.same(list.slice.call(list, 1), [2, 3])
    t.equal(list.join('-'), '1-2-3')
    t.equal(String(list), '1,2,3')
    t.ok(Array.isArray(list.filter(item => item > 1)))
    // As older compilers write `list.push(...items)`.
    list.push.apply(list, [4, 5])
    t.equal(list.at(-1), 5)
    t.equal(Object.hasOwn(list, '0'), true)
    t.same([...list], [1, 2, 3, 4, 5])
    t.equal(Reflect.get(list, 'constructor'), undefined)
  })
  t.equal(recorded.ok, true)
  t.same(sample, { list: [1, 2, 3, 4, 5] })
})
