/** How long to wait between attempts. */
export type ReconnectOptions = {
  /** No wait is shorter; ms. */
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
