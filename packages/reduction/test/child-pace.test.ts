import { instant } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import { ChildPace } from '../src/child-pace.ts'
import { crowdLimits } from '../src/crowd-limits.ts'

const ms = (count: number) => instant(count * 1_000)
const budget = { aggregatesPerSecond: 10, manifestBytesPerSecond: 1_000 }

t.test('children share what may come; who says nothing for long does not count', async t => {
  const pace = new ChildPace<string>()
  t.equal(pace.waitMs(budget, ms(0)), 0)
  pace.note('a', 8, ms(0))
  t.equal(pace.waitMs(budget, ms(0)), 100)
  for (const child of ['b', 'c', 'd']) pace.note(child, 8, ms(5_000))
  t.equal(pace.waitMs(budget, ms(5_000)), 400)
  t.equal(pace.waitMs(budget, ms(12_000)), 300, 'the first one has gone quiet')
  pace.leave('b')
  t.equal(pace.waitMs(budget, ms(12_000)), 200)
})

t.test('large manifests come less often', async t => {
  const pace = new ChildPace<string>()
  pace.note('a', 3_000, ms(0))
  pace.note('b', 500, ms(0))
  t.equal(pace.waitMs(budget, ms(0)), 3_500)
  pace.note('b', 1_000_000, ms(0))
  t.equal(pace.waitMs(budget, ms(0)), crowdLimits.waitMsMax)
})

t.test('children that wait as long as they are told stay within the budget', async () => {
  const children = fc.array(fc.integer({ min: 2, max: 200 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(children, manifests => {
      const pace = new ChildPace<number>()
      const nextAt = manifests.map(() => 0)
      let [count, bytes] = [0, 0]
      const [from, to] = [3_000, 9_000]
      for (let now = 0; now < to; now++) {
        for (const [child, manifest] of manifests.entries()) {
          if ((nextAt[child] ?? 0) > now) continue
          pace.note(child, manifest, ms(now))
          nextAt[child] = now + pace.waitMs(budget, ms(now))
          if (now < from) continue
          count++
          bytes += manifest
        }
      }
      const seconds = (to - from) / 1_000
      // Each may come once more at the end of the time that is looked at.
      const all = manifests.reduce((sum, one) => sum + one, 0)
      return (
        count <= seconds * budget.aggregatesPerSecond + manifests.length &&
        bytes <= seconds * budget.manifestBytesPerSecond + all
      )
    }),
    { numRuns: 20 },
  )
})
