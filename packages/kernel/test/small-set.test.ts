import fc from 'fast-check'
import t from 'tap'
import { SmallSet } from '../src/small-set.ts'

t.test('it does what a Set does, on both sides of eight values', async t => {
  const step = fc.record({ value: fc.integer({ min: 0, max: 12 }), isAdded: fc.boolean() })
  const check = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const small = new SmallSet<number>()
    const model = new Set<number>()
    for (const { value, isAdded } of steps) {
      if (isAdded) {
        small.add(value)
        model.add(value)
      } else if (small.delete(value) !== model.delete(value)) return false
      if (small.size !== model.size || small.has(value) !== model.has(value)) return false
    }
    return JSON.stringify([...small]) === JSON.stringify([...model])
  })
  t.doesNotThrow(() => fc.assert(check))
})

t.test('the value at hand may be deleted while all are visited', async t => {
  for (const count of [3, 20]) {
    const set = new SmallSet<number>()
    for (let value = 0; value < count; value++) set.add(value)
    let seen = 0
    for (const value of set) {
      set.delete(value)
      seen++
    }
    t.equal(seen, count)
    t.equal(set.size, 0)
  }
})
