import fc from 'fast-check'
import t from 'tap'
import { Deadlines } from '../src/deadlines.ts'
import { instant } from '../src/instant.ts'

type Step =
  | { readonly do: 'set'; readonly key: number; readonly at: number | undefined }
  | { readonly do: 'take'; readonly now: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      key: fc.nat({ max: 12 }),
      at: fc.option(fc.nat({ max: 50 }), { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('take' as const), now: fc.nat({ max: 60 }) }),
  },
)

await t.test('keys come due in order of time, each by what was said of it last', async t => {
  const property = fc.property(fc.array(step, { maxLength: 200 }), steps => {
    const deadlines = new Deadlines<number>()
    const model = new Map<number, number>()
    for (const step of steps) {
      if (step.do === 'set') {
        deadlines.set(step.key, step.at === undefined ? undefined : instant(step.at))
        if (step.at === undefined) model.delete(step.key)
        else model.set(step.key, step.at)
        if (deadlines.get(step.key) !== step.at) return false
      } else {
        const first = model.size === 0 ? undefined : Math.min(...model.values())
        const [key] = deadlines.due(instant(step.now))
        const isDue = first !== undefined && first <= step.now
        if (isDue !== (key !== undefined)) return false
        if (key !== undefined) {
          // Of keys that are due at the same time any may come first.
          if (model.get(key) !== first) return false
          model.delete(key)
        }
      }
      const earliest = model.size === 0 ? undefined : Math.min(...model.values())
      if (deadlines.count !== model.size || deadlines.wakeAt() !== earliest) return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})

await t.test('a key is due at its instant and not before', async t => {
  const deadlines = new Deadlines<string>()
  deadlines.set('doc', instant(10))
  t.equal([...deadlines.due(instant(9))].length, 0)
  t.same([...deadlines.due(instant(10))], ['doc'])
  t.same([...deadlines.due(instant(10))], [], 'and once')
  t.equal(deadlines.wakeAt(), undefined)
})

await t.test(
  'a key that is moved a million times takes no more room than its neighbours',
  async t => {
    const deadlines = new Deadlines<number>()
    for (let at = 0; at < 1_000_000; at++) deadlines.set(at % 3, instant(at))
    t.equal(deadlines.count, 3)
    t.equal(deadlines.wakeAt(), 999_997)
  },
)
