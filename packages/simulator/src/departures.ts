/*
 * Who may be taken for dead for his silence, and when: one to whom something happened that keeps him from
 * announcing himself. Where nobody reaches the place to meet, silence says nothing, and nobody is given up.
 */
import { type Instant, milliseconds } from '@fanfold/kernel'
import { defaultMembersOptions } from '@fanfold/topology'
import { endOfMs, type Fault } from './fault.ts'

/** What is felt of it after its end: the time for a death, and until others have heard again, ms. */
const feltMs = defaultMembersOptions.memberDeadAfterMs + 3_000

/** What keeps a node from announcing itself. */
const silencing: ReadonlySet<string> = new Set<Fault['kind']>([
  'crash',
  'crash-at',
  'drain',
  'pause',
  'slow',
  'disk-broken',
  'coordinator-away',
])

type Stretch = { readonly from: number; readonly until: number }

/** When nodes may be silent in a world, by what goes wrong in it. */
export class Departures {
  readonly #stretches = new Map<string, Stretch[]>()

  constructor(faults: readonly Fault[]) {
    for (const fault of faults) {
      if (!silencing.has(fault.kind) || !('node' in fault)) continue
      const stretches = this.#stretches.get(fault.node) ?? []
      const from = milliseconds(fault.atMs)
      stretches.push({ from, until: milliseconds(endOfMs(fault) + feltMs) })
      this.#stretches.set(fault.node, stretches)
    }
  }

  /** Whether a node may be taken for dead now because nothing is heard of it. */
  mayBeSilent(node: string, now: Instant): boolean {
    const stretches = this.#stretches.get(node) ?? []
    return stretches.some(({ from, until }) => from <= now && now <= until)
  }
}
