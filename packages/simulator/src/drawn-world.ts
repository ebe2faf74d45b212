import { assert, Prng } from '@fanfold/kernel'
import { drawRestarts } from './drawn-faults.ts'
import { drawFleetFaults, drawLogLosses } from './drawn-fleet-faults.ts'
import { drawLinkFaults } from './drawn-link-faults.ts'
import { drawDrains, drawLogAway, drawNodeFaults, drawUnreadable } from './drawn-node-faults.ts'
import {
  type DrawnOptions,
  drawCatchUpOptions,
  drawCrowdOptions,
  drawFaultyOptions,
  drawFleetOptions,
  drawRandomOptions,
} from './drawn-options.ts'
import { drawProfile } from './drawn-profile.ts'
import type { Fault } from './fault.ts'
import { defaultSimulationOptions, type SimulationOptions } from './simulation-options.ts'

/** Kinds of worlds that are drawn from seeds. */
export const worldNames = ['random', 'catch-up', 'faults', 'fleet', 'crowd'] as const

/** A kind of worlds. */
export type WorldName = (typeof worldNames)[number]

/** All it takes to make one world again. */
export type DrawnWorld = {
  readonly world: WorldName
  readonly seed: string
  /** Proxies and edges together, 2 or more; as the seed says when undefined. */
  readonly nodes: number | undefined
}

/** Whether a kind of worlds has this name. */
export const isWorldName = (name: string): name is WorldName =>
  worldNames.some(known => known === name)

/** The seed of a kind with a number, as campaigns count them. */
export const numberedSeed = (world: string, number: number): string => `${world} ${number}`

/** The options that a seed draws, with the faults that come with them. */
export function drawWorld({ world, seed, nodes }: DrawnWorld): Partial<SimulationOptions> {
  const plain = drawOptions[world](seed)
  const drawn = {
    ...plain,
    ...drawProfile(new Prng(`${seed}/profile`), plain),
    ...drawTokenShares(new Prng(`${seed}/tokens`)),
    ...drawSayings(world, new Prng(`${seed}/sayings`)),
  }
  const { restarts = 0, ...options } =
    nodes === undefined ? drawn : { ...drawn, ...treeOf(nodes, drawn) }
  const tree = { ...defaultSimulationOptions, ...options }
  const { proxies, busyMs } = tree
  const faults: Fault[] = [
    ...drawRestarts(new Prng(`${seed}/restarts`), { restarts, proxies, busyMs }),
  ]
  if (world === 'faults' || world === 'fleet' || world === 'crowd') {
    const mixture = new Prng(`${seed}/mixture`).below(3)
    if (mixture !== 0) faults.push(...drawLinkFaults(new Prng(`${seed}/links`), tree))
    if (mixture !== 1) {
      faults.push(...drawNodeFaults(new Prng(`${seed}/nodes`), tree))
      faults.push(...drawDrains(new Prng(`${seed}/drains`), tree))
      faults.push(...drawUnreadable(new Prng(`${seed}/unreadable`), tree))
      faults.push(...drawLogAway(new Prng(`${seed}/log-away`), tree))
    }
    if (tree.redial === 'fleet') {
      faults.push(...drawFleetFaults(new Prng(`${seed}/fleet-faults`), tree))
      if (world === 'fleet') faults.push(...drawLogLosses(new Prng(`${seed}/log-losses`), tree))
    }
    // A deletion that a log has lost is found out by nobody: nothing is written to what was deleted.
    const isLosing = faults.some(({ kind }) => kind === 'logs-fallen-back')
    const deletions = isLosing ? 0 : drawDeletions(new Prng(`${seed}/deletions`))
    const clockDriftShare = drawDrift(new Prng(`${seed}/drift`))
    const looks = drawLooks(new Prng(`${seed}/looks`))
    // What was counted and is lost nobody can tell.
    const silence = isLosing ? { sayings: 0 } : {}
    return { ...options, ...silence, deletions, clockDriftShare, looks, faults }
  }
  return { ...options, faults }
}

const drawOptions: Readonly<Record<WorldName, (seed: string) => DrawnOptions>> = {
  random: drawRandomOptions,
  'catch-up': drawCatchUpOptions,
  faults: drawFaultyOptions,
  fleet: drawFleetOptions,
  crowd: drawCrowdOptions,
}

/** Share of the worlds in which viewers say something, where that is not what a world is about. */
const sayingShare = 0.2

/**
 * After so long sessions of edges that live are idle, ms: what is not counted then counts in the next ones. Longer than
 * edges wait for their turn, or no session is there for long enough to be counted in.
 */
const sessionIdleMs = [4_000, 8_000, 3_600_000]
const sessionIdleLargeMs = [20_000, 3_600_000]

function drawSayings(
  world: WorldName,
  prng: Prng,
): Pick<DrawnOptions, 'sayings' | 'sessionIdleMs'> | undefined {
  if (world === 'crowd') return { sessionIdleMs: prng.pick(sessionIdleMs) }
  if (world === 'catch-up' || !prng.chance(sayingShare)) return undefined
  return { sayings: 20 + prng.below(80), sessionIdleMs: prng.pick(sessionIdleLargeMs) }
}

/** Share of the worlds in which viewers show other tokens, and of those in which tokens end. */
const renewingShare = 0.7
const expiringShare = 0.3

const drawTokenShares = (prng: Prng): Pick<DrawnOptions, 'renewingShare' | 'expiringShare'> => ({
  renewingShare: prng.chance(renewingShare) ? prng.pick([0.3, 0.6, 0.9]) : 0,
  expiringShare: prng.chance(expiringShare) ? prng.pick([0.2, 0.5]) : 0,
})

/** Share of the worlds in which documents are deleted, and how many of them at most. */
const deletingShare = 0.3
const deletionsMax = 2

const drawDeletions = (prng: Prng): number =>
  prng.chance(deletingShare) ? 1 + prng.below(deletionsMax) : 0

/** Share of the worlds in which clocks go wrong. */
const driftingShare = 0.4

const drawDrift = (prng: Prng): number =>
  prng.chance(driftingShare) ? prng.pick([0.0005, 0.02, 0.1]) : 0

/** Share of the worlds in which somebody looks at trees, and how often at most. */
const lookingShare = 0.5
const looksMax = 60

const drawLooks = (prng: Prng): number => (prng.chance(lookingShare) ? 1 + prng.below(looksMax) : 0)

/** Edges for each proxy of a tree of a given size. */
const edgesPerProxy = 3
/** Viewers for each edge: at some there is nobody. */
const viewersPerEdge = 2 / 3
/** Many worlds show more than long ones: so little is written before what goes wrong has healed. */
const writesMax = 40
const documentsMax = 3
/** So much happens at least: where it does not, more is written after the healing. */
const eventsMin = 5_000

/** A tree of so many proxies and edges, wide rather than deep, with viewers in proportion. */
function treeOf(nodes: number, drawn: DrawnOptions): DrawnOptions {
  assert(nodes >= 2, `a tree has 2 nodes or more, got ${nodes}`)
  const proxies = Math.max(1, Math.floor(nodes / (1 + edgesPerProxy)))
  const edges = nodes - proxies
  return {
    proxies,
    proxyFanout: Math.max(2, drawn.proxyFanout ?? 1),
    edges,
    viewers: drawn.viewers === 0 ? 0 : Math.ceil(edges * viewersPerEdge),
    writes: Math.min(drawn.writes ?? defaultSimulationOptions.writes, writesMax),
    documents: Math.min(drawn.documents ?? defaultSimulationOptions.documents, documentsMax),
    eventsMin,
  }
}
