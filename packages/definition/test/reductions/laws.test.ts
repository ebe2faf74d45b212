import { equalBytes, Prng, toHex } from '@fanfold/kernel'
import { ProtocolError } from '@fanfold/protocol'
import t from 'tap'
import * as library from '../../src/reductions/library.ts'
import type { Reduction } from '../../src/reductions/reduction.ts'
import { type Merging, mergingOf } from '../../src/reductions/shapes.ts'
import { folded, voice } from './voices.ts'

const { countBy, histogram, latest, quantiles, sample, vote } = library
const prng = new Prng('operands')
const wide = Array.from({ length: 300 }, () => (prng.fraction() - 0.5) * 10 ** prng.below(12))
const kinds = Array.from({ length: 60 }, (_, at) => `kind-${at}`)

type Any = Reduction<never, unknown, unknown>

/** Each reduction of the library, with operands that try it. */
const all: readonly (readonly [name: string, reduction: Any, operands: readonly unknown[]])[] = [
  ['count', library.count(), [1]],
  ['sum', library.sum(), [0, 1, -1, 7, -40, 2 ** 40]],
  ['sum of cents', library.sum({ decimals: 2 }), [0.1, 0.2, -0.3, 12.34, 0]],
  ['min', library.min(), [...wide, 0, -0]],
  ['max', library.max(), [...wide, 0, -0]],
  ['mean', library.mean(), [...wide, 1e15, -1e15, 0]],
  ['histogram', histogram({ bounds: [-5, 0, 5] }), [-6, -5, -4, 0, 5, 6]],
  ['quantiles', quantiles(), [...wide, 0]],
  ['quantiles in few bins', quantiles({ accuracy: 0.001, bins: 64 }), [...wide, 0]],
  ['quantiles, coarse', quantiles({ accuracy: 0.1 }), wide],
  ['distinct', library.distinct(), kinds],
  ['distinct in few registers', library.distinct({ precision: 4 }), kinds],
  ['countBy among', countBy({ among: ['a', 'b', 'c'] }), ['a', 'b', 'c']],
  ['countBy with room', countBy({ top: 1_024 }), kinds],
  ['countBy without', countBy({ top: 3 }), [...kinds.slice(0, 9), 'kind-0', 'kind-0', 'kind-1']],
  ['sample', sample({ size: 5 }), ['a', 'b', { c: [1, null] }, 4]],
  ['latest', latest(), ['a', 'b', { c: 1 }]],
  ['vote', vote(), ['yes', 'no']],
  ['vote of few', vote({ voters: 3 }), ['yes', 'no']],
]

for (const [name, reduction, operands] of all) {
  t.test(`${name} keeps to its laws`, async t => {
    t.same(library.reductionProblems(reduction, { values: operands as never[] }), [])
  })

  t.test(`bytes that ${name} does not make are refused, and nothing else is thrown`, async t => {
    const bytes = reduction.encode(folded(reduction, operands.slice(0, 3) as never[]))
    const draws = new Prng(name)
    const outcomes = new Set<string>()
    for (let round = 0; round < 3_000; round++) {
      const length = draws.chance(0.3) ? draws.below(40) : bytes.length
      const changed = draws.bytes(length)
      if (length === bytes.length && length > 0) {
        changed.set(bytes)
        changed[draws.below(length)] = draws.below(256)
      }
      outcomes.add(outcomeOf(reduction, changed))
    }
    outcomes.delete('taken')
    t.same([...outcomes], ['refused'])
  })
}

/** What is taken is a sum like any other, and has one form. */
function outcomeOf(reduction: Any, bytes: Uint8Array): string {
  try {
    const sum = reduction.decode(bytes)
    reduction.read(sum)
    return equalBytes(reduction.encode(sum), bytes) ? 'taken' : `${toHex(bytes)} has another form`
  } catch (error) {
    const isRefused = error instanceof ProtocolError && error.code === 'FANFOLD_BAD_FRAME'
    return isRefused ? 'refused' : String(error)
  }
}

t.test('each merges by its shape as by itself', async t => {
  for (const [name, reduction, operands] of all) {
    const merging = mergingOf(reduction.shape)
    if (merging === undefined) {
      t.fail(`${name} has no shape of the library`)
      continue
    }
    const half = Math.ceil(operands.length / 2)
    const parts = [operands.slice(0, half), operands.slice(half)].map(part =>
      reduction.encode(folded(reduction, part.slice(0, 3) as never[])),
    )
    const whole = (by: Merging): Uint8Array | undefined => {
      let sum: unknown = by.empty()
      for (const part of parts) sum = sum === undefined ? undefined : by.merge(sum, by.decode(part))
      return sum === undefined ? undefined : by.encode(sum)
    }
    t.same(whole(merging), whole(reduction), name)
    t.equal(merging.bytesMax, reduction.bytesMax)
  }
  const strangers = ['own/count', '', 'sum/x', 'top/0', 'constructor', 'among/0', 'toString/1']
  // Whoever writes a sum writes its shape: none is so large that it costs whoever reads it.
  strangers.push('among/1025', 'among/50000000', 'histogram/1001', 'histogram/50000000')
  strangers.push('histogram/-1', 'histogram/1.5', 'among/x', 'vote/1025', 'sample/101/16')
  for (const shape of strangers) {
    t.equal(mergingOf(shape), undefined, shape)
  }
})

const mean = library.mean()
const broken: readonly (readonly [problem: RegExp, reduction: unknown])[] = [
  [/order/, { ...library.max(), merge: (_: unknown, other: unknown) => other }],
  [/nothing changes/, { ...library.count(), empty: () => ({ count: 1 }) }],
  [/folding all/, { ...library.count(), merge: (sum: unknown) => sum }],
  [/changes what it takes/, { ...library.count(), merge: takeAll }],
  [/more than bytesMax of 1/, { ...library.sum(), bytesMax: 1 }],
  [/give another sum/, { ...library.count(), decode: () => ({ count: 3 }) }],
  [/order|grouping/, { ...mean, accuracy: 'exact' }],
  [/isSame/, { ...mean, isSame: undefined }],
  [/without fold/, { ...mean, fold: undefined }],
  [/bytesMax of 1 to/, { ...mean, bytesMax: 0 }],
  [/exact or approximate/, { ...mean, accuracy: 'about' }],
  [/a shape/, { ...mean, shape: 'a b' }],
  [/a reduction/, 7],
]

function takeAll(sum: library.Count, other: library.Count): library.Count {
  const all = { count: sum.count + other.count }
  other.count = 0
  return all
}

for (const [problem, reduction] of broken) {
  t.test(`a reduction that breaks a law is caught: ${problem}`, async t => {
    const values = [1, 2.5, 1e14, -3]
    const whole = [1, 2, 300]
    const isWhole = typeof reduction === 'object' && reduction !== null && !('isSame' in reduction)
    const found = library.reductionProblems(reduction as Reduction<number, unknown>, {
      values: isWhole ? whole : values,
    })
    t.match(found.join('; '), problem)
  })
}

t.test('equal seeds look at equal crowds, and there is something to look at', async t => {
  const seen: number[] = []
  const spy = {
    ...library.sum(),
    fold: (sum: library.Total, operand: number) => {
      seen.push(operand)
      return library.sum().fold(sum, operand, voice())
    },
  }
  library.reductionProblems(spy, { values: [1, 2, 3], rounds: 3, seed: 'a' })
  const first = seen.splice(0)
  library.reductionProblems(spy, { values: [1, 2, 3], rounds: 3, seed: 'a' })
  t.same(seen, first)
  t.ok(first.length > 20)
  t.throws(() => library.reductionProblems(spy, { values: [] }), /at least one/)
})
