/** Where this package takes time from, so that tests can hand it another. */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean anything. */
  monotonicMs(): number
  /** The wall's time, ms since 1970. */
  wallMs(): number
  /** Calls `task` every `periodMs` until the returned function is called; keeps no process alive. */
  every(periodMs: number, task: () => void): () => void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  every: (periodMs, task) => {
    const timer = setInterval(task, periodMs)
    timer.unref()
    return () => clearInterval(timer)
  },
}
