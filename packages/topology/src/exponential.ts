/*
 * A random number of an exponential distribution from 53 random bits: −ln((n + 1) / 2⁵³).
 *
 * The logarithm is made of additions, multiplications and divisions alone, which IEEE 754 fixes to the
 * last bit; those of the languages' libraries may differ in it, and two nodes in two languages would then
 * name different owners.
 */

/** 2⁻⁰ … 2⁻⁵³. */
const inversePowers = Float64Array.from({ length: 54 }, (_, exponent) => 2 ** -exponent)

/**
 * −ln((n + 1) / 2⁵³) for the number n whose upper 32 bits are `high` and whose lower 21 bits are the upper
 * 21 of `low`: 0 … 36.7, smaller the larger n is.
 */
export function exponential(high: number, low: number): number {
  const top = high >>> 0
  const bottom = low >>> 11
  const bits = top !== 0 ? 52 - Math.clz32(top) : 31 - Math.clz32(bottom)
  let exponent = bits < 0 ? 0 : bits
  let mantissa = (top * 0x20_0000 + bottom + 1) * (inversePowers[exponent] as number)
  if (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent++
  }
  return (53 - exponent) * Math.LN2 - naturalLog(mantissa)
}

/** ln of a number of √½ … √2: twice the series of the inverse hyperbolic tangent, to the last bit or two. */
function naturalLog(mantissa: number): number {
  const s = (mantissa - 1) / (mantissa + 1)
  const q = s * s
  let sum = 1 / 21
  sum = sum * q + 1 / 19
  sum = sum * q + 1 / 17
  sum = sum * q + 1 / 15
  sum = sum * q + 1 / 13
  sum = sum * q + 1 / 11
  sum = sum * q + 1 / 9
  sum = sum * q + 1 / 7
  sum = sum * q + 1 / 5
  sum = sum * q + 1 / 3
  sum = sum * q + 1
  return 2 * s * sum
}
