import type { Prng } from '@fanfold/kernel'
import type { Schedule } from '../faults/schedule.ts'
import type { Cleanups } from '../processes/cleanups.ts'
import type { Seen } from '../seen.ts'
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
  /** libfaketime. */
  | 'faked-clock'

/** What a stage may need that is not there yet. */
export type Place = { readonly directory: string; readonly cleanups: Cleanups }

/** What must be true of a number that was seen. */
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
  readonly stage: (place: Place) => StageSettings
  /** The faults; drawn from the seed where chance has a part. */
  readonly schedule?: ((prng: Prng, minutes: number) => Schedule) | undefined
  /** What is done besides, or in place of a schedule, between the start and the end of load. */
  readonly run?: ((stage: Stage) => Promise<void>) | undefined
  /** What must hold besides that nothing is lost or wrong. */
  readonly expects: (seen: Seen) => readonly Expectation[]
  /** Longest time in which all viewers must show the last write, ms. */
  readonly convergeMsMax?: number | undefined
}

/** True when it is as it must be. */
export const isMet = ({ seen, atMost, atLeast }: Expectation): boolean =>
  (atMost === undefined || seen <= atMost) && (atLeast === undefined || seen >= atLeast)
