/*
 * What a node finds that opens a connection to another one and closes it at once: whether a process listens
 * there. One that is paused is found all the same, for its machine answers.
 */
import { type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import type { VirtualClock } from './virtual-clock.ts'
import type { Ways } from './ways.ts'

/** What was found. */
export type ProbeOutcome = 'answered' | 'refused' | 'silent'

/** One that has not answered by then is silent, ms. */
const answerMaxMs = 1_000
/** How long an answer takes at most, ms. */
const roundTripMaxMs = 80

/** Looks whether a node listens, and tells later. */
export function probe(
  needs: { readonly clock: VirtualClock; readonly ways: Ways; readonly prng: Prng },
  from: string,
  to: { readonly name: string; readonly isUp: boolean } | undefined,
  tell: (outcome: ProbeOutcome) => void,
): void {
  const { clock, ways, prng } = needs
  const isSilent =
    to === undefined || ways.answerOf(to.name) === 'none' || ways.isCutOff(from, to.name)
  if (isSilent) {
    clock.in(milliseconds(answerMaxMs), () => tell('silent'))
    return
  }
  const isRefused = !to.isUp || ways.answerOf(to.name) === 'refuse'
  clock.in(milliseconds(roundTripMaxMs * prng.fraction()) as Duration, () =>
    tell(isRefused ? 'refused' : 'answered'),
  )
}
