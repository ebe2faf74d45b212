import fc from 'fast-check'
import t from 'tap'
import { SmallMap } from '../src/small-map.ts'

t.test('it does what a Map does, on both sides of eight entries', t => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 12 }),
    value: fc.option(fc.integer(), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const small = new SmallMap<number, number>()
      const model = new Map<number, number>()
      for (const { key, value } of steps) {
        if (value === undefined) {
          if (small.delete(key) !== model.delete(key)) return false
        } else {
          small.set(key, value)
          model.set(key, value)
        }
        if (small.size !== model.size || small.get(key) !== model.get(key)) return false
      }
      return JSON.stringify([...small]) === JSON.stringify([...model])
    }),
  )
  t.end()
})

t.test('the entry at hand may be deleted while all are visited', t => {
  for (const count of [3, 20]) {
    const map = new SmallMap<number, string>()
    for (let key = 0; key < count; key++) map.set(key, 'x')
    let seen = 0
    for (const [key] of map) {
      map.delete(key)
      seen++
    }
    t.equal(seen, count)
    t.equal(map.size, 0)
  }
  t.end()
})
