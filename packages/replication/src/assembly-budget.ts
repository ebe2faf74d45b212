import type { DocumentKey } from '@fanfold/protocol'
import { WaitingLine } from './waiting-line.ts'

/** How many snapshots a node may receive at the same time. */
export type AssemblyLimits = {
  readonly countMax: number
  /** Bytes of all of them, unpacked. */
  readonly bytesMax: number
}

/** Limits that suit a node with a gigabyte of memory. */
export const defaultAssemblyLimits: AssemblyLimits = { countMax: 64, bytesMax: 536_870_912 }

/**
 * The snapshots that all streams of a node receive together: a further one waits its turn, and its parent
 * is asked for it when there is room, not again and again until there is.
 */
export class AssemblyBudget {
  readonly #limits: AssemblyLimits
  readonly #waiting = new WaitingLine<DocumentKey>()
  /** Documents that had to wait and are asked for: each probably takes room. */
  readonly #expected = new Set<DocumentKey>()
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

  /** There was no room for the document: it is `next` some time. */
  wait(doc: DocumentKey): void {
    this.#expected.delete(doc)
    this.#waiting.add(doc)
  }

  /** The document that may be asked for now; undefined when none waits, or there is no room. */
  get next(): DocumentKey | undefined {
    const { countMax, bytesMax } = this.#limits
    const count = this.#count + this.#expected.size
    const isRoom = count === 0 || (count < countMax && this.#bytes < bytesMax)
    return isRoom ? this.#waiting.first : undefined
  }

  /** The document is asked for, whether it waits or not. */
  ask(doc: DocumentKey): void {
    if (!this.#waiting.has(doc)) return
    this.#waiting.delete(doc)
    this.#expected.add(doc)
  }

  /** The document waits no more, and no room is kept for it. */
  leave(doc: DocumentKey): void {
    this.#waiting.delete(doc)
    this.#expected.delete(doc)
  }
}
