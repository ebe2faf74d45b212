/*
 * The wall's time as each node has it: mostly that of all, and for a while another one. It may jump back
 * and forth; what machines wait by is another clock, which does not.
 */
import type { WallClockFault } from './node-fault.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** The wall clocks of the nodes of a world. */
export class WallClocks {
  readonly #clock: VirtualClock
  readonly #faults = new Set<WallClockFault>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** What a node takes for the time, ms since 1970. */
  wallMs(node: string): number {
    let { wallMs } = this.#clock
    if (this.#faults.size === 0) return wallMs
    for (const { node: whose, byMs, driftShare, atMs } of this.#faults) {
      if (whose !== node) continue
      wallMs += byMs + Math.round(driftShare * (this.#clock.now / 1000 - atMs))
    }
    return wallMs
  }

  begin(fault: WallClockFault): void {
    this.#faults.add(fault)
  }

  end(fault: WallClockFault): void {
    this.#faults.delete(fault)
  }
}
