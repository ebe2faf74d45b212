import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { latest, sample } from '../../src/reductions/library.ts'
import { drawing, folded, voice } from './voices.ts'

t.test('a sample is fair, also of two crowds of different sizes', async t => {
  const reduction = sample<number>({ size: 10 })
  const by = drawing('fair')
  const often = new Array<number>(100).fill(0)
  const rounds = 2_000
  for (let round = 0; round < rounds; round++) {
    const small = folded(
      reduction,
      Array.from({ length: 10 }, (_, at) => at),
      by,
    )
    const large = folded(
      reduction,
      Array.from({ length: 90 }, (_, at) => 10 + at),
      by,
    )
    const { count, values } = reduction.read(reduction.merge(small, large) ?? small)
    if (count !== 100 || values.length !== 10) t.fail(`${values.length} of ${count}`)
    for (const value of values) often[value] = (often[value] ?? 0) + 1
  }
  // Each is chosen one time in ten: 200 times, give or take 13; the sum of squares is that of chance.
  const expected = rounds / 10
  const squares = often.reduce((all, n) => all + (n - expected) ** 2 / (expected * 0.9), 0)
  t.ok(squares < 150, `chi squared of 99 degrees of freedom: ${squares}`)
  const ofSmall = often.slice(0, 10).reduce((all, n) => all + n, 0)
  t.ok(Math.abs(ofSmall / (rounds * 10) - 0.1) < 0.01, 'a tenth is of the small crowd')
})

t.test('fewer than it has room for are all there', async t => {
  const reduction = sample<string>({ size: 10 })
  const { count, values } = reduction.read(folded(reduction, ['a', 'b'], drawing('few')))
  t.equal(count, 2)
  t.same(values.toSorted(), ['a', 'b'])
})

t.test('what is too large is refused, whether chance would have kept it or not', async t => {
  const reduction = sample<string>({ size: 1, bytesMax: 16 })
  const sum = folded(reduction, ['kept'], voice({ draw: () => 0 }))
  t.throws(() => reduction.fold(sum, 'x'.repeat(15), voice({ draw: () => 9 })), /16 bytes of JSON/)
  t.ok(reduction.fold(sum, 'x'.repeat(14), voice({ draw: () => 9 })))
  t.same(reduction.read(sum), { count: 2, values: ['kept'] })
  t.throws(() => sample({ size: 0 }), /size: an integer of 1 to 100/)
  t.throws(() => sample({ size: 1, bytesMax: 9 }), /bytesMax: an integer of 16 to 2048/)
})

t.test('the latest is the one with the latest time, in any order', async t => {
  const reduction = latest<string>()
  const prng = new Prng('latest')
  const moments = Array.from({ length: 50 }, (_, at) => ({ timeMs: at, draw: () => prng.uint32() }))
  let sum = reduction.empty()
  for (const moment of moments.toSorted(() => prng.fraction() - 0.5)) {
    sum = reduction.fold(sum, `at ${moment.timeMs}`, voice(moment)) ?? sum
  }
  t.equal(reduction.read(sum), 'at 49')
  t.equal(reduction.read(reduction.empty()), undefined)
  t.throws(
    () => latest({ bytesMax: 16 }).fold({ last: undefined }, 'x'.repeat(20), voice()),
    RangeError,
  )
})
