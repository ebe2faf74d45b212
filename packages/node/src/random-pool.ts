import { randomFillSync } from 'node:crypto'
import type { RandomBytes } from '@fanfold/kernel'

/** Bytes drawn from the system at a time: a salt at a time would cost a system call each. */
export const randomPoolBytes = 16_384

/** Fresh bytes from the system's source of chance, out of a pool that is drawn in one go. */
export function createRandomPool(): RandomBytes {
  const pool = new Uint8Array(randomPoolBytes)
  let used = randomPoolBytes
  return count => {
    if (count > randomPoolBytes) return randomFillSync(new Uint8Array(count))
    if (used + count > randomPoolBytes) {
      randomFillSync(pool)
      used = 0
    }
    // A copy, so that the caller owns it and the pool can be filled again.
    const bytes = pool.slice(used, used + count)
    // What was given out does not stay behind.
    pool.fill(0, used, used + count)
    used += count
    return bytes
  }
}
