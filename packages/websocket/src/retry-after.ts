import { randomInt } from 'node:crypto'

const waitMs = { min: 1_000, max: 5_000 } as const

/** When a client that found no room may come again, ms: drawn by chance, so that not all do at once. */
export function retryAfterMs(): number {
  return randomInt(waitMs.min, waitMs.max)
}
