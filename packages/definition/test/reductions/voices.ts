import { Prng } from '@fanfold/kernel'
import type { Reduction, Voice } from '../../src/reductions/reduction.ts'

/** A voice, with what matters said. */
export const voice = (over: Partial<Voice> = {}): Voice => ({
  id: 'v',
  timeMs: 0,
  stamp: 0,
  draw: () => 0,
  ...over,
})

/** Voices that each draw their own numbers, the same for the same seed. */
export function drawing(seed: string): Voice {
  const prng = new Prng(seed)
  return voice({ draw: () => prng.uint32() })
}

/** All operands in one sum, which has room for them. */
export function folded<Operand, Sum, Result>(
  reduction: Reduction<Operand, Sum, Result>,
  operands: Iterable<Operand>,
  by: Voice = voice(),
): Sum {
  let sum = reduction.empty()
  for (const operand of operands) {
    const next = reduction.fold(sum, operand, by)
    if (next === undefined) throw new Error('there is room')
    sum = next
  }
  return sum
}
