/** Time and chance, as the client uses them; tests pass their own. */
export type Environment = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Calls `run` once after `delayMs`; returns what cancels it. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void
  /** A number from 0 up to and without 1. */
  readonly random: () => number
}

/** Real time and chance. */
export const realEnvironment: Environment = {
  now: () => Date.now(),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}
