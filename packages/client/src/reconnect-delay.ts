/** How long to wait between attempts. */
export type ReconnectOptions = {
  /** No wait after a failure is shorter, and the one after a loss is at most twice as long; ms. */
  readonly minMs: number
  /** No wait is longer; ms. */
  readonly maxMs: number
}

/**
 * The wait after `failures` failures in a row, ms: `minMs` and up to a step that doubles from `minMs`
 * to `maxMs`, drawn evenly, so that many who lost one node at once do not come back at once.
 *
 * @param failures 0 for the first wait
 * @param chance a number from 0 up to 1
 */
export function reconnectDelayMs(
  failures: number,
  { minMs, maxMs }: ReconnectOptions,
  chance: number,
): number {
  const step = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
  return Math.min(maxMs, Math.round(minMs + step * chance))
}

/**
 * The wait after the loss of a connection that had lasted, ms: drawn from nothing up to twice `minMs`.
 * Nothing has failed yet, so it is short; many who lost one node come back spread over it.
 */
export const lossDelayMs = ({ minMs, maxMs }: ReconnectOptions, chance: number): number =>
  Math.round(Math.min(maxMs, 2 * minMs) * chance)
