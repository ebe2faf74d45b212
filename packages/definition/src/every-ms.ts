/* How often something is looked at: an option of a declaration. */

/** How often at most and at least, and when it is not said. */
export type EveryMsRange = {
  readonly min: number
  readonly max: number
  readonly default: number
}

/** What is wrong with it, `undefined` for nothing. */
export function everyMsProblem(everyMs: unknown, { min, max }: EveryMsRange): string | undefined {
  const isWithin = Number.isInteger(everyMs) && Number(everyMs) >= min && Number(everyMs) <= max
  return isWithin ? undefined : `everyMs: an integer of ${min} to ${max}, got ${String(everyMs)}`
}
