/** How many snapshots a node may receive at the same time. */
export type AssemblyLimits = {
  readonly countMax: number
  /** Bytes of all of them, unpacked. */
  readonly bytesMax: number
}

/** Limits that suit a node with a gigabyte of memory. */
export const defaultAssemblyLimits: AssemblyLimits = { countMax: 64, bytesMax: 536_870_912 }

/** The snapshots that all streams of a node receive together: a further one waits its turn. */
export class AssemblyBudget {
  readonly #limits: AssemblyLimits
  #count = 0
  #bytes = 0

  constructor(limits: AssemblyLimits = defaultAssemblyLimits) {
    this.#limits = limits
  }

  /** Snapshots under way. */
  get count(): number {
    return this.#count
  }

  /** Bytes of the snapshots under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes room for a snapshot; false, and none taken, when there is none now. */
  take(bytes: number): boolean {
    const { countMax, bytesMax } = this.#limits
    // One that is too large for all of the room still comes, by itself.
    const isRoom = this.#count < countMax && this.#bytes + bytes <= bytesMax
    if (!isRoom && this.#count > 0) return false
    this.#count++
    this.#bytes += bytes
    return true
  }

  /** The snapshot is here, or was given up. */
  free(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
  }
}
