/* Expectations that many scenarios have. */
import type { Seen } from '../seen.ts'
import type { Expectation } from './scenario.ts'

type Limits = Pick<Expectation, 'what' | 'atMost' | 'atLeast'>

/** What a scenario measured by itself, at least 0; what it did not measure is never met. */
export const measured = ({ measures }: Seen, name: string, limits: Limits): Expectation => ({
  atLeast: 0,
  ...limits,
  seen: measures[name] ?? Number.NaN,
})

/** How long the viewer that waited longest was shown nothing new. */
export const viewersWait = (seen: Seen, atMost: number): Expectation => ({
  what: 'nobody waits longer for something new, ms',
  seen: seen.viewGapMs,
  atMost,
})

/** The same of the viewer that waited least, where others may wait. */
export const viewersElsewhereWait = (seen: Seen, atMost: number): Expectation => ({
  what: 'viewers elsewhere wait for nothing, ms',
  seen: seen.viewGapLeastMs,
  atMost,
})

/** How long nothing was acknowledged. */
export const writersWait = (seen: Seen, atMost: number): Expectation => ({
  what: 'writers wait no longer, ms',
  seen: seen.ackGapMs,
  atMost,
})
