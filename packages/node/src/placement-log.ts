/*
 * What a node tells of placements: each that takes effect, once, and nodes on which something is placed that they
 * cannot serve now.
 */
import type { ClusterEffect, PlacedBy, Placement, PlacementEntry } from '@fanfold/topology'
import type { Log } from './logging.ts'
import type { Metrics } from './metrics.ts'

type ViewChanged = Extract<ClusterEffect, { kind: 'view-changed' }>

/** A node that cannot serve what is placed on it, and how much that is. */
type StoodIn = { readonly why: PlacedBy; readonly count: number }

/** Tells of placements. */
export class PlacementLog {
  readonly #log: Log
  readonly #metrics: Metrics
  #stoodIn: ReadonlyMap<string, StoodIn> = new Map()

  constructor(log: Log, metrics: Metrics) {
    this.#log = log
    this.#metrics = metrics
  }

  /** Who serves what is otherwise from now on. */
  changed({ placement, before, placed }: ViewChanged): void {
    const entries = [...placement.entries].filter(({ node }) => node !== undefined)
    // What was there before this node is one line, however much it is.
    if (before === undefined && entries.length > 0) {
      const line = { event: 'fleet.placements', count: entries.length }
      this.#log.info(line, 'placements that operators have made')
    }
    for (const subject of before === undefined ? [] : placed) {
      const entry = placement.entry(subject)
      if (entry !== undefined) this.#log.info(lineOf(entry), 'placement takes effect')
    }
    this.#noteStandIns(placement, entries)
  }

  #noteStandIns(placement: Placement, entries: readonly PlacementEntry[]): void {
    const stoodIn = new Map<string, StoodIn>()
    for (const entry of entries) {
      const why = placement.standingOf(entry)
      if (why === 'placement' || entry.node === undefined) continue
      stoodIn.set(entry.node, { why, count: (stoodIn.get(entry.node)?.count ?? 0) + 1 })
    }
    for (const [member, { why, count }] of stoodIn) {
      if (this.#stoodIn.get(member)?.why === why) continue
      const line = { event: 'fleet.placed-node-away', member, why, count }
      this.#log.warn(line, 'node cannot serve what is placed on it: others stand in')
    }
    for (const member of this.#stoodIn.keys()) {
      if (stoodIn.has(member)) continue
      const line = { event: 'fleet.placed-node-back', member }
      this.#log.info(line, 'nothing is placed any more on a node that cannot serve it')
    }
    this.#stoodIn = stoodIn
    const count = [...stoodIn.values()].reduce((sum, one) => sum + one.count, 0)
    this.#metrics.plain('placements').set(entries.length)
    this.#metrics.plain('placements_stood_in').set(count)
  }
}

const lineOf = ({ subject, version, epoch, node, quota, who, why }: PlacementEntry) => ({
  event: 'fleet.placed',
  subject,
  // The line's own `node` is the one that says it.
  to: node,
  quota,
  version,
  epoch,
  who,
  why,
})
