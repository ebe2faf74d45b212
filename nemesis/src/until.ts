import { setTimeout as delay } from 'node:timers/promises'

/** How often a condition is looked at, ms. */
const pollMs = 10

/**
 * Waits until `check` holds.
 *
 * @throws Error that names `what` when it does not within `deadlineMs`
 */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`within ${deadlineMs} ms: ${what}`)
    await delay(pollMs)
  }
}

/**
 * What `promise` resolves to.
 *
 * @throws Error that names `what` when it does not within `deadlineMs`
 */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  deadlineMs = 20_000,
): Promise<Value> {
  const timer = new AbortController()
  const late = delay(deadlineMs, undefined, { signal: timer.signal, ref: true }).then(() => {
    throw new Error(`within ${deadlineMs} ms: ${what}`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}
