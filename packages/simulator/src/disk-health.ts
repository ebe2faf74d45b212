import type { DiskFault } from './node-fault.ts'

/** How it stands with a node's disk: of the faults of disks, those that are on. */
export class DiskHealth {
  readonly #faults = new Set<DiskFault>()
  #slowMs = 0

  /** What each operation takes longer, ms. */
  get slowMs(): number {
    return this.#slowMs
  }

  /** There is no room for another byte. */
  get isFull(): boolean {
    return this.#has('disk-full')
  }

  /** No file can be opened. */
  get isOutOfFiles(): boolean {
    return this.#has('no-files')
  }

  /** Reads fail. */
  get isUnreadable(): boolean {
    return this.#has('disk-unreadable')
  }

  /** Who has the log does not answer. */
  get isAway(): boolean {
    return this.#has('log-away')
  }

  /** The next sync fails. */
  get isBroken(): boolean {
    return this.#has('disk-broken')
  }

  begin(fault: DiskFault): void {
    this.#faults.add(fault)
    this.#count()
  }

  end(fault: DiskFault): void {
    this.#faults.delete(fault)
    this.#count()
  }

  #has(kind: DiskFault['kind']): boolean {
    if (this.#faults.size === 0) return false
    for (const fault of this.#faults) if (fault.kind === kind) return true
    return false
  }

  #count(): void {
    this.#slowMs = 0
    for (const fault of this.#faults) if (fault.kind === 'disk-slow') this.#slowMs += fault.byMs
  }
}
