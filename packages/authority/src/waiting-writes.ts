import { BoundedQueue } from '@fanfold/kernel'
import type { WriterInput } from '@fanfold/protocol'
import type { AuthorityLimits } from './authority-limits.ts'

/** Bytes of writes that wait, at all documents of an authority together. */
export type WaitingBytes = { bytes: number }

/** One document may take so large a part of the bytes that may wait: the rest is for the others. */
const shareOfOne = 1 / 4

/** The writes of one document that wait for their turn, bounded in number and in bytes. */
export class WaitingWrites {
  readonly #queue: BoundedQueue<WriterInput>
  readonly #bytesMax: number
  readonly #all: WaitingBytes
  #bytes = 0

  /** @param all what waits at all documents, kept here */
  constructor(limits: AuthorityLimits, all: WaitingBytes) {
    this.#queue = new BoundedQueue(limits.writesWaitingMax)
    this.#bytesMax = limits.writesWaitingBytesMax
    this.#all = all
  }

  /** Writes that wait. */
  get count(): number {
    return this.#queue.count
  }

  /** Takes a write in, or says why it does not. */
  push(input: WriterInput): string | undefined {
    const bytes = input.bytes ?? 0
    const ownMax = this.#bytesMax * shareOfOne
    if (this.#bytes + bytes > ownMax) return `${ownMax} bytes of writes wait for ${input.doc}`
    if (this.#all.bytes + bytes > this.#bytesMax) return `${this.#bytesMax} bytes of writes wait`
    if (!this.#queue.push(input)) return `${this.#queue.countMax} writes wait for ${input.doc}`
    this.#bytes += bytes
    this.#all.bytes += bytes
    return undefined
  }

  /** The next write, which then waits no more. */
  shift(): WriterInput | undefined {
    const input = this.#queue.shift()
    const bytes = input?.bytes ?? 0
    this.#bytes -= bytes
    this.#all.bytes -= bytes
    return input
  }

  /** Nothing waits: frees the room that waiting took. */
  clear(): void {
    while (this.shift() !== undefined);
    this.#queue.clear()
  }
}
