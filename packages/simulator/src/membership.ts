import type { FleetView } from '@fanfold/topology'

/** A process's part in a fleet, as others in the world see it. */
export interface Membership {
  /** What the process knows of who serves what. */
  readonly view: FleetView
  /** Whether its view counts, and the others see the node for sure. */
  readonly isSettled: boolean
  /** Whether the process runs, and has for a while been sure that the others see the node. */
  readonly isLongSure: boolean
  /** A link to the node was lost, or did not come up. */
  lost(node: string): void
  /** These nodes are alive and cannot be reached from here, and no others. */
  cutOff(nodes: readonly string[]): void
  /** Where members meet is out of reach from now on, or is in reach again. */
  setAway(isAway: boolean): void
  /** The node is about to go: others take what is its own, where they can. */
  drain(): void
  /** The node goes, and says so to all. */
  leave(): void
  /** It is gone at this moment. */
  stop(): void
}
