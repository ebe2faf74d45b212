import type { Prng } from '@fanfold/kernel'
import type { Schedule } from '../faults/schedule.ts'
import type { Cleanups } from '../processes/cleanups.ts'
import type { Seen } from '../seen.ts'
import type { Sizes } from '../sizes.ts'
import type { Stage, StageSettings } from '../stage.ts'

/** What a machine must have for a scenario. */
export type Need =
  /** Root, namespaces of networks, `ip`, `iptables`, `tc`, `ss`. */
  | 'networks'
  /** `strace`, which puts errors and delays into system calls. */
  | 'strace'
  /** `prlimit`. */
  | 'prlimit'
  /** Root, or what may mount a file system in memory. */
  | 'mount'
  /** Control groups of processors. */
  | 'processor-groups'
  /** Control groups of memory. */
  | 'memory-groups'
  /** libfaketime. */
  | 'faked-clock'
  /** `redis-server`. */
  | 'redis'

/** What a stage may need that is not there yet. */
export type Place = {
  readonly directory: string
  readonly cleanups: Cleanups
  readonly sizes: Sizes
}

/**
 * What must be true of a number that was seen. A time says `ms` at the end of `what`; on a machine that has
 * twice as much to run as it has processors it may be twice as long, and so on up to three times.
 */
export type Expectation = {
  readonly what: string
  readonly seen: number
  readonly atMost?: number | undefined
  readonly atLeast?: number | undefined
}

/** A fault, or some, under load, and what must come of it. */
export type Scenario = {
  readonly name: string
  /** What is done to whom, one sentence. */
  readonly does: string
  readonly needs: readonly Need[]
  /** How long it takes, about, s. */
  readonly seconds: number
  /** Where it plays; made when it is to begin. */
  readonly stage: (place: Place) => StageSettings | Promise<StageSettings>
  /** The faults; drawn from the seed where chance has a part. */
  readonly schedule?: ((prng: Prng, sizes: Sizes) => Schedule) | undefined
  /** What is done besides, or in place of a schedule, between the start and the end of load. */
  readonly run?: ((stage: Stage) => Promise<void>) | undefined
  /** What must hold besides that nothing is lost or wrong; `load` is what `isMet` is told. */
  readonly expects: (seen: Seen, load: number) => readonly Expectation[]
  /** Longest time in which all viewers must show the last write, ms. */
  readonly convergeMsMax?: number | undefined
}

/** A time that is longer by more is wrong on any machine. */
const factorMax = 3

/** True when it is as it must be on a machine with so much to run for each processor. */
export function isMet({ what, seen, atMost, atLeast }: Expectation, load: number): boolean {
  const factor = what.endsWith(' ms') ? Math.min(factorMax, Math.max(1, load)) : 1
  return (
    (atMost === undefined || seen <= atMost * factor) && (atLeast === undefined || seen >= atLeast)
  )
}
