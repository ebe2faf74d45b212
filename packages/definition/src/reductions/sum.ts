import { badFrame } from '@fanfold/protocol'
import { finite, integerOption, plus } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** A total, in units of the last decimal. */
export type Total = { units: number }

/** How far from a whole number of units a number may be that floating point has rounded. */
const roundingMax = 1e-6

/**
 * The sum of numbers with at most `decimals` decimals (0 … 9, default 0). Exact: it is kept in units of the
 * last decimal, to 2⁵³ − 1 of them; a number with more decimals is refused, never rounded.
 */
export function sum(
  options: { readonly decimals?: number | undefined } = {},
): Reduction<number, Total, number> {
  const decimals = integerOption('decimals', options.decimals ?? 0, 0, 9)
  const scale = 10 ** decimals
  const grown = (total: Total, by: number): Total | undefined => {
    const units = plus(total.units, by)
    if (units === undefined) return undefined
    total.units = units
    return total
  }
  return {
    shape: `sum/${decimals}`,
    accuracy: 'exact',
    bytesMax: 9,
    empty: () => ({ units: 0 }),
    fold: (total, operand) => grown(total, unitsOf(finite(operand), scale, decimals)),
    merge: (total, other) => grown(total, other.units),
    encode: ({ units }) =>
      written(writer => writer.uint8(units < 0 ? 1 : 0).varint(Math.abs(units))),
    decode: bytes =>
      readWhole(bytes, reader => {
        const sign = reader.uint8()
        const units = reader.varint()
        if (sign > 1 || (sign === 1 && units === 0)) badFrame(`a sign of 0 or 1, got ${sign}`)
        return { units: sign === 1 ? -units : units }
      }),
    read: ({ units }) => units / scale,
  }
}

function unitsOf(operand: number, scale: number, decimals: number): number {
  const scaled = operand * scale
  const units = Math.round(scaled)
  if (Number.isSafeInteger(units) && Math.abs(scaled - units) <= roundingMax) return finite(units)
  throw new RangeError(`a number with at most ${decimals} decimals, got ${operand}`)
}
