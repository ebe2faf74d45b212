/*
 * How many different ones there are, in fixed room (HyperLogLog): what is counted is hashed, some bits
 * choose a register, and the register keeps the longest run of zeros in the others. Estimated as Ertl does
 * ("New cardinality estimation algorithms for HyperLogLog sketches"), which needs no table of corrections.
 */
import { finalize, hashText } from '@fanfold/kernel'
import { badFrame } from '@fanfold/protocol'
import { integerOption, nameText } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** The most bytes of UTF-8 that tell two apart. */
const nameBytesMax = 256

/** How the registers are written: those that hold something, or all. */
const forms = { few: 0, all: 1 } as const

/**
 * How many different texts of 1 to 256 bytes there are: with the ids of voices, how many different viewers
 * spoke. The standard error is 1.04 / √2^precision of the number: 1.6 % with the default of 12 (4 … 16).
 * Merging is exact to the bit. Hashes are not secret: who may choose texts can choose what is counted.
 */
export function distinct(
  options: { readonly precision?: number | undefined } = {},
): Reduction<string, Uint8Array, number> {
  const precision = integerOption('precision', options.precision ?? 12, 4, 16)
  const count = 2 ** precision
  const rankMax = 64 - precision + 1
  return {
    shape: `distinct/${precision}`,
    accuracy: 'exact',
    bytesMax: 1 + count,
    empty: () => new Uint8Array(count),
    fold: (sum, operand) => {
      const { a, b } = hashText(nameText(operand, nameBytesMax))
      // The lanes are good for a choice; mixed once more, that a run in one is no run in the other.
      const low = finalize(b ^ Math.imul(a, 0x9e3779b1))
      const register = a >>> (32 - precision)
      const rest = (a << precision) >>> 0
      const run = rest === 0 ? 32 - precision + Math.clz32(low) : Math.clz32(rest)
      const rank = run + 1
      if (rank > (sum[register] as number)) sum[register] = rank
      return sum
    },
    merge: (sum, other) => {
      for (let at = 0; at < count; at++) {
        const rank = other[at] as number
        if (rank > (sum[at] as number)) sum[at] = rank
      }
      return sum
    },
    encode: sum => {
      const used = usedOf(sum)
      if (used.length * 3 >= count) return written(writer => writer.uint8(forms.all).raw(sum))
      return written(writer => {
        writer.uint8(forms.few)
        for (const register of used) writer.uint16(register).uint8(sum[register] as number)
      })
    },
    decode: bytes =>
      readWhole(bytes, reader => {
        const form = reader.uint8()
        const sum = new Uint8Array(count)
        let used = 0
        if (form === forms.all) {
          sum.set(reader.raw(count))
          used = usedOf(sum).length
        } else if (form !== forms.few) badFrame(`a form of registers, got ${form}`)
        let before = -1
        while (form === forms.few && reader.remaining > 0) {
          const register = reader.uint16()
          const rank = reader.uint8()
          if (register <= before || register >= count || rank === 0) badFrame('registers, rising')
          sum[register] = rank
          before = register
          used++
        }
        if (used * 3 >= count !== (form === forms.all)) badFrame('registers in the shorter form')
        for (let at = 0; used > 0 && at < count; at++) {
          if ((sum[at] as number) > rankMax) badFrame(`ranks of at most ${rankMax}`)
        }
        return sum
      }),
    read: sum => estimate(sum, rankMax),
  }
}

function usedOf(sum: Uint8Array): number[] {
  const used: number[] = []
  for (let register = 0; register < sum.length; register++) {
    if ((sum[register] as number) > 0) used.push(register)
  }
  return used
}

/** Ertl's improved raw estimator, rounded. */
function estimate(sum: Uint8Array, rankMax: number): number {
  const size = sum.length
  const histogram = new Array<number>(rankMax + 1).fill(0)
  for (const rank of sum) histogram[rank] = (histogram[rank] as number) + 1
  const share = (rank: number): number => (histogram[rank] as number) / size
  if (share(0) === 1) return 0
  let z = size * tau(1 - share(rankMax))
  for (let rank = rankMax - 1; rank >= 1; rank--) z = (z + (histogram[rank] as number)) / 2
  z += size * sigma(share(0))
  return Math.round((size * size) / (2 * Math.LN2 * z))
}

/** Σ 2^(k−1) x^(2^k) of x < 1, and x. */
function sigma(share: number): number {
  let x = share
  let total = x
  for (let y = 1, before = -1; total !== before; y *= 2) {
    x *= x
    before = total
    total += x * y
  }
  return total
}

/** (1 − x − Σ (1 − x^(2^−k))² 2^−k) / 3. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let total = 1 - x
  for (let y = 0.5, before = -1; total !== before; y /= 2) {
    x = Math.sqrt(x)
    before = total
    total -= (1 - x) ** 2 * y
  }
  return total / 3
}
