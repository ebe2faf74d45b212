import { type Instant, instant } from '@fanfold/kernel'

/** Now on the monotonic clock of this process. */
export const monotonicClock = (): Instant => instant(performance.now() * 1000)

/** Now on the wall, ms since 1970. */
export const wallClock = (): number => Date.now()
