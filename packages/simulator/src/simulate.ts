import { after, type Duration, type Instant, instant, milliseconds } from '@fanfold/kernel'
import { safetyEvery } from '@fanfold/replication'
import type { Crossing } from './crossings.ts'
import {
  completeOptions,
  type SimulateOptions,
  type SimulationOptions,
} from './simulation-options.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { Workload } from './workload.ts'
import { World } from './world.ts'

/** How often it is looked whether everybody has everything, µs. */
const lookEveryMicros = 20_000
/** What still happens after that may spoil it: it is watched for so long, µs. */
const settleMicros = 1_000_000
/** Rounds at most, however little happens in them. */
const roundsMax = 200

/** How often it is looked at what the nodes hold. */
const gaugesEvery: Duration = milliseconds(25)

/** What happened in a run, in numbers. */
export type SimulationCounts = {
  readonly records: number
  /** How often a document was claimed by another node than before. */
  readonly takeovers: number
  readonly answers: number
  readonly linkFrames: number
  readonly linkSnapshots: number
  readonly congestions: number
  /** Streams between two nodes that began anew. */
  readonly resyncs: number
  readonly viewerSnapshots: number
  readonly viewerDeltas: number
  /** Snapshots that showed a viewer what it had seen already. */
  readonly viewerRepeats: number
  readonly lags: number
  readonly refusals: number
  /** Variants that edges ran. */
  readonly variants: number
  /** Views that failed by what an author wrote. */
  readonly failures: number
  /** Views that came in pieces. */
  readonly viewsInPieces: number
  /** Records that came by replay. */
  readonly replayed: number
  /** Frames that were damaged on their way, and pieces that were lost. */
  readonly damaged: number
  readonly lost: number
}

/** How a run ended. */
export type SimulationResult = {
  readonly seed: string
  /** With the seed, all it takes to run it again. */
  readonly options: SimulationOptions
  readonly events: number
  readonly virtualMs: number
  /** Equal for two runs exactly when the same happened in them. */
  readonly traceHash: string
  /** What was found to be wrong, in words; none when all is well. */
  readonly problems: readonly string[]
  /** The last events before the end, one line each. */
  readonly recent: readonly string[]
  readonly counts: SimulationCounts
  /** What the nodes told of themselves, and how often. */
  readonly tally: readonly (readonly [name: string, count: number])[]
  /** Effects that were performed while something was amiss around. */
  readonly crossings: readonly Crossing[]
}

/**
 * Runs a whole tree on virtual time: builds it, lets viewers come and go and writers write, waits
 * until everybody has everything, and checks the invariants all along and at the end.
 */
export function simulate({ seed, sha256, watch, ...given }: SimulateOptions): SimulationResult {
  const options = completeOptions(given)
  const world = new World(seed, options, sha256, watch)
  const workload = new Workload(world, options, watch)
  const { clock, problems } = world
  const look = (): void => {
    world.gauges.look()
    clock.in(gaugesEvery, look)
  }
  clock.in(gaugesEvery, look)
  clock.runUntil(workload.busyUntil)
  world.heal()
  workload.mend()
  let unfinished = converge(world, workload, options)
  for (let round = 0; unfinished === undefined && isRoundDue(round, clock, options); round++) {
    workload.goOn()
    clock.runUntil(workload.busyUntil)
    unfinished = converge(world, workload, options)
  }
  if (unfinished !== undefined)
    problems.add(`${options.convergeMaxMs} ms were not enough: ${unfinished}`)
  workload.auditTrees()
  workload.audit()
  const counts = countsOf(world, workload)
  workload.leave()
  letGo(world, leaveMicros(options))
  const left = world.gauges.leftovers()
  clock.runUntil(after(clock.now, safetyEvery))
  left.push(...world.gauges.waiting())
  for (const what of left) problems.add(`after all have left there are ${what}`)
  return {
    seed,
    options,
    events: clock.events,
    virtualMs: Math.floor(clock.now / 1000),
    traceHash: world.trace.hash(),
    problems: problems.messages,
    recent: world.trace.recent(),
    counts,
    tally: world.tally.entries,
    crossings: world.crossings.entries,
  }
}

/** Waits until everybody has everything; who has not when the time is up, and what, in words. */
function converge(
  { clock }: World,
  workload: Workload,
  { convergeMaxMs }: SimulationOptions,
): string | undefined {
  const deadline = instant(clock.now + convergeMaxMs * 1000)
  do {
    while (clock.now < deadline && workload.unfinished !== undefined) {
      clock.runUntil(earlier(deadline, instant(clock.now + lookEveryMicros)))
    }
    clock.runUntil(instant(clock.now + settleMicros))
    // A view that changes back may for a while be that of the head by chance.
  } while (clock.now < deadline && workload.unfinished !== undefined)
  return workload.unfinished
}

/** Waits until nobody holds what nobody wants, for so long at most. */
function letGo({ clock, gauges }: World, waitMicros: number): void {
  const deadline = instant(clock.now + waitMicros)
  do {
    clock.runUntil(earlier(deadline, instant(clock.now + settleMicros)))
  } while (clock.now < deadline && gauges.leftovers().length > 0)
}

const isRoundDue = (
  rounds: number,
  { events }: VirtualClock,
  { roundWrites, eventsMin }: SimulationOptions,
): boolean => roundWrites > 0 && (rounds === 0 || (events < eventsMin && rounds < roundsMax))

/** So long a tier has for those who come back what it could not get, ms. */
const refusedKeptMs = 2_000

/** How long it takes at most until a tree that is this deep lets go of what nobody observes. */
const leaveMicros = ({ lingerMs, proxies }: SimulationOptions): number =>
  (Math.max(lingerMs, refusedKeptMs) + 1_000) * (proxies + 2) * 1000

const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b)

function countsOf(world: World, workload: Workload): SimulationCounts {
  const { frames, snapshots, replayed } = world.wire.counts
  let viewerSnapshots = 0
  let viewerDeltas = 0
  let viewerRepeats = 0
  let refusals = 0
  let viewsInPieces = 0
  for (const viewer of workload.viewers) {
    refusals += viewer.refusals
    viewsInPieces += viewer.viewsInPieces
    for (const { counts } of viewer.documents) {
      viewerSnapshots += counts.snapshots
      viewerDeltas += counts.deltas
      viewerRepeats += counts.repeats
    }
  }
  return {
    records: world.history.records,
    takeovers: world.history.takeovers,
    answers: workload.writers.answers,
    linkFrames: frames,
    linkSnapshots: snapshots,
    congestions: world.network.congestions,
    resyncs: world.tally.count('resync'),
    viewerSnapshots,
    viewerDeltas,
    viewerRepeats,
    lags: world.doors.reduce((sum, { rim }) => sum + rim.lags, 0),
    refusals,
    variants: world.tally.count('variant-loaded'),
    failures: world.tally.count('rule-failed'),
    viewsInPieces,
    replayed,
    ...world.faults.counts,
  }
}
