import { Prng } from '@fanfold/kernel'
import { conditions, shapes } from './conditions.ts'
import type { SimulationOptions } from './simulation-options.ts'

/** All of a world but its seed and its faults: what is not said is as in `defaultSimulationOptions`. */
export type DrawnOptions = Partial<Omit<SimulationOptions, 'faults'>> & {
  /** How often a proxy is ended and started again while records flow. */
  readonly restarts?: number | undefined
}

/** Long enough for the slowest of the worlds that are drawn at random, ms. */
const randomConvergeMaxMs = 160_000

/**
 * What a node may give a link in one turn and more, before it hears that the link is congested: a child
 * that comes back asks for all its documents at once.
 */
const turnBytesMax = 4_194_304

/**
 * Options for a world of any kind, drawn from its seed: one of the shapes, or a small tree, under one
 * of the conditions, or none, and now and then with faults.
 */
export function drawRandomOptions(seed: string): DrawnOptions {
  const prng = new Prng(`${seed}/options`)
  const shape: DrawnOptions = prng.chance(0.5)
    ? prng.pick(Object.values(shapes))
    : { proxies: prng.below(5), proxyFanout: 1 + prng.below(3), edges: 1 + prng.below(8) }
  const condition: DrawnOptions = prng.chance(0.8) ? prng.pick(Object.values(conditions)) : {}
  const faults: DrawnOptions = {
    secondParentShare: prng.pick([0, 0.5, 1]),
    restarts: prng.chance(0.4) ? 1 + prng.below(4) : 0,
    pieceDamageShare: prng.chance(0.2) ? 0.1 : 0,
    pieceLossShare: prng.chance(0.2) ? 0.1 : 0,
    recordDamageShare: prng.chance(0.2) ? 0.01 : 0,
  }
  return { ...shape, ...condition, ...faults, convergeMaxMs: randomConvergeMaxMs }
}

/**
 * Options for a world in which much goes wrong, drawn from its seed: any of the others, or a tree of up to
 * about twenty nodes, and now and then of more, where nodes have other parents to go to.
 */
export function drawFaultyOptions(seed: string): DrawnOptions {
  const prng = new Prng(`${seed}/faulty`)
  const drawn = prng.chance(0.4) ? drawCatchUpOptions(seed) : drawRandomOptions(seed)
  const isLarge = prng.chance(0.05)
  const shape: DrawnOptions = {
    proxies: isLarge ? 8 + prng.below(12) : 1 + prng.below(7),
    proxyFanout: 1 + prng.below(3),
    edges: isLarge ? 12 + prng.below(30) : 2 + prng.below(11),
    viewers: isLarge ? 60 : 10 + prng.below(30),
  }
  const isCrowded = new Prng(`${seed}/crowded`).chance(0.15)
  return {
    warmDamageShare: 0.3,
    ...(isCrowded ? { joinsWaitingMax: 1 } : {}),
    ...drawn,
    ...(prng.chance(0.6) ? shape : {}),
    secondParentShare: prng.pick([0, 0.5, 1]),
    redial: new Prng(`${seed}/routes`).chance(0.35) ? 'routes' : 'dialler',
    linkBufferedBytesCap: Math.max(turnBytesMax, drawn.linkBufferedBytesCap ?? 0),
    convergeMaxMs: randomConvergeMaxMs,
  }
}

/** Credit for a few records at a time, bytes. */
const creditBytesMin = 4_096

/** Who replays a long log record by record would be at it for longer than the world waits. */
const replayableIn = ({ snapshotlessShare = 0 }: DrawnOptions): DrawnOptions =>
  snapshotlessShare > 0 ? { creditBytes: creditBytesMin } : {}

/** Options for a fleet of up to about twenty nodes in which much goes wrong, drawn from its seed. */
export function drawFleetOptions(seed: string): DrawnOptions {
  const prng = new Prng(`${seed}/fleet`)
  const drawn = drawFaultyOptions(seed)
  return {
    ...drawn,
    ...replayableIn(drawn),
    redial: 'fleet',
    authorities: 1 + prng.below(4),
    regions: 1 + prng.below(3),
    proxies: 1 + prng.below(7),
    edges: 2 + prng.below(9),
    viewers: 8 + prng.below(20),
    documents: 1 + prng.below(5),
    treeChildrenMax: new Prng(`${seed}/tree`).pick([2, 2, 3, 32]),
    // A record is some hundred bytes: with the lesser one, a few of them in a second are too much.
    treeBytesPerSecondMax: new Prng(`${seed}/tree bytes`).pick([2_000, 125_000_000, 125_000_000]),
    hotStandbyShare: new Prng(`${seed}/standby`).pick([0, 0.5, 1, 1]),
    // Long enough to give somebody up, and to take him back.
    busyMs: 2 * (3_000 + prng.below(8_000)),
    restarts: 0,
    secondParentShare: 0,
  }
}

/**
 * Options for a world in which many catch up, drawn from its seed: rings that hold little, documents
 * that count as large, links that damage and lose, proxies that end, viewers that are slow or paced.
 */
export function drawCatchUpOptions(seed: string): DrawnOptions {
  const prng = new Prng(`${seed}/options`)
  const often = (chance: number, share: number): number => (prng.chance(chance) ? share : 0)
  // Views of many pieces are large, and so few write and links are quick.
  const isHuge = prng.chance(0.15)
  const size = isHuge
    ? { textBytesMax: 14_000, writes: 60, linkBytesPerSecond: 2_000_000 }
    : {
        textBytesMax: prng.pick([40, 100, 2_000]),
        writes: 60 + prng.below(240),
        linkBytesPerSecond: prng.pick([20_000, 200_000, 2_000_000]),
      }
  return {
    proxies: 1 + prng.below(4),
    proxyFanout: 1 + prng.below(2),
    edges: 1 + prng.below(4),
    viewers: 6 + prng.below(16),
    documents: 1 + prng.below(4),
    busyMs: prng.pick([1_000, 3_000, 8_000]),
    ringRecordsMax: prng.pick([1, 2, 3, 8, 64]),
    creditBytes: prng.pick([1, 600, 4_096, 65_536]),
    ...size,
    largeStateBytes: prng.pick([1, 500, 4_000, 1_048_576]),
    lingerMs: prng.pick([0, 50, 500]),
    restAfterMs: prng.pick([100, 60_000]),
    roamingShare: 0.5,
    secondParentShare: prng.pick([0, 0.5, 1]),
    restarts: prng.chance(0.5) ? 1 + prng.below(4) : 0,
    snapshotlessShare: often(0.4, 0.5),
    warmShare: 0.6,
    pieceDamageShare: often(0.4, 0.2),
    pieceLossShare: often(0.4, 0.2),
    recordDamageShare: often(0.3, 0.02),
    pacedShare: 0.3,
    slowShare: prng.pick([0, 0.3, 0.8]),
    viewerBudgetBytes: prng.pick([0, 500, 4_096]),
    slowBytesPerSecond: isHuge ? 50_000 : prng.pick([1_500, 4_000]),
    convergeMaxMs: 120_000,
  }
}

/**
 * Options for a world in which viewers say much amid faults, drawn from its seed: a tree of up to about twenty nodes, of
 * two or three tiers, or a fleet; small documents, snapshots of logs after a few records, viewers that do not lag.
 */
export function drawCrowdOptions(seed: string): DrawnOptions {
  const prng = new Prng(`${seed}/crowd`)
  const isFleet = prng.chance(0.3)
  const drawn = isFleet ? drawFleetOptions(seed) : drawFaultyOptions(seed)
  const shape: DrawnOptions = isFleet
    ? {}
    : {
        proxies: 1 + prng.below(6),
        proxyFanout: 1 + prng.below(3),
        edges: 2 + prng.below(6),
        secondParentShare: prng.pick([0.5, 1]),
        busyMs: prng.pick([2_000, 5_000, 10_000]),
      }
  return {
    ...drawn,
    ...shape,
    ...replayableIn(drawn),
    viewers: 6 + prng.below(20),
    documents: 1 + prng.below(3),
    documentsPerViewer: 1 + prng.below(2),
    sayings: 60 + prng.below(400),
    writes: prng.below(60),
    textBytesMax: 60,
    definitionChanges: prng.below(5),
    snapshotEveryRecords: prng.pick([2, 5, 25]),
    restAfterMs: prng.pick([100, 2_000, 60_000]),
    lingerMs: prng.pick([0, 50, 500]),
    slowShare: 0.05,
    linkBytesPerSecond: prng.pick([50_000, 200_000, 2_000_000]),
    linkBufferedBytesMax: 16_384,
  }
}
