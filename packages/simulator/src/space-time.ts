import { milliseconds } from '@fanfold/kernel'
import type { SpaceTime } from '@fanfold/topology'
import type { VirtualClock } from './virtual-clock.ts'

/** Virtual time, as a space where members meet has it. */
export const spaceTimeOf = (clock: VirtualClock): SpaceTime => ({
  now: () => clock.now,
  after: (delayMs, task) => {
    let isCancelled = false
    clock.in(milliseconds(delayMs), () => {
      if (!isCancelled) task()
    })
    return () => {
      isCancelled = true
    }
  },
})
