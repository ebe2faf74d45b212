import { Prng } from '@fanfold/kernel'
import { type DiskFaults, noDiskFaults } from './disk-faults.ts'
import type { WriteOrder } from './simulated-file.ts'

/** What a world is like. */
export type DiskWorldOptions = {
  readonly documents: number
  /** Processes that use the directory at a time, at most. */
  readonly processes: number
  readonly order: WriteOrder
  readonly faults: DiskFaults
  /** How often durable files are damaged, looked at and repaired when no process runs, 0 to 1. */
  readonly damage: number
  /** Calls to the disk after which faults stop and everything must be well. */
  readonly steps: number
  /** Calls from the start of a process to its end, on average. */
  readonly lifeSteps: number
  readonly segmentBytesMax: number
  readonly openFilesMax: number
  readonly documentsAtWorkMax: number
  readonly readingsOpenMax: number
}

/** The options that a seed draws. */
export function drawDiskWorld(seed: string): DiskWorldOptions {
  const prng = new Prng(`${seed}/options`)
  return {
    documents: 1 + prng.below(4),
    processes: prng.chance(0.5) ? 1 : 2,
    order: prng.chance(0.6) ? 'in-order' : 'any-order',
    faults: drawFaults(prng),
    damage: prng.chance(0.5) ? 0.5 : 0,
    steps: 400 + prng.below(1_600),
    lifeSteps: prng.pick([40, 120, 400]),
    segmentBytesMax: prng.pick([1, 600, 4_000, 1_000_000]),
    openFilesMax: prng.pick([0, 1, 1_024]),
    documentsAtWorkMax: prng.pick([1, 64]),
    readingsOpenMax: prng.pick([1, 64]),
  }
}

/** A quarter of the worlds has power cuts and ends of processes alone. */
function drawFaults(prng: Prng): DiskFaults {
  const maybe = (chance: number): number => (prng.chance(0.4) ? chance * prng.fraction() : 0)
  const faults: DiskFaults = {
    shortReads: maybe(0.2),
    shortWrites: maybe(0.3),
    slow: maybe(0.1),
    readErrors: maybe(0.01),
    writeErrors: maybe(0.02),
    syncErrors: maybe(0.03),
    nameErrors: maybe(0.005),
    full: maybe(0.03),
    tooManyFiles: maybe(0.01),
    lastsCallsMax: 40,
  }
  return prng.chance(0.25) ? noDiskFaults : faults
}
