/*
 * The next snapshot of a large document, made on the loop: no worker has made one for so long that what
 * is kept of the document would grow without end. It is made of a replica beside the one that is shown,
 * from the last snapshot and the records after it: read in, brought on and written out, a slice in each
 * turn. One document after the other, so that one such replica is held at a time.
 */
import { Replica, type Snapshot } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'

/** Bytes that one slice reads, applies or writes, and records that it applies: some milliseconds' worth. */
const sliceMax = { bytes: 262_144, records: 1_024 } as const

/** A document of which a snapshot is to be made. */
export type KeptDocument = {
  /** The last snapshot and the records after it; undefined when no other is wanted any more. */
  readonly kept: { readonly snapshot: Snapshot; readonly records: readonly LogRecord[] } | undefined
  /** The snapshot at the last of these records is made. */
  remade(snapshot: Snapshot): void
}

/** The snapshots that an edge makes itself. */
export class LoopSnapshots {
  readonly #sha256: Sha256
  /** The first one is at work, once it has begun. */
  readonly #documents = new Map<DocumentKey, KeptDocument>()
  #underWay: Remaking | undefined

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** True when `tick` has something to do. */
  get isDue(): boolean {
    return this.#documents.size > 0
  }

  /** A snapshot of the document is made in its turn. */
  add(doc: DocumentKey, document: KeptDocument): void {
    if (!this.#documents.has(doc)) this.#documents.set(doc, document)
  }

  /** No snapshot of the document is wanted any more. */
  delete(doc: DocumentKey): void {
    const [first] = this.#documents.keys()
    if (first === doc) this.#underWay = undefined
    this.#documents.delete(doc)
  }

  /** Makes one slice; the document of which none can be made, when that turns out. */
  tick(): DocumentKey | undefined {
    const [next] = this.#documents
    if (next === undefined) return undefined
    const [doc, document] = next
    const { kept } = document
    if (kept === undefined) {
      this.delete(doc)
      return undefined
    }
    this.#underWay ??= new Remaking(this.#sha256, kept.snapshot, kept.records)
    const made = this.#underWay.step()
    if (made === undefined) return undefined
    this.delete(doc)
    if (made === 'none') return doc
    document.remade(made)
    return undefined
  }
}

/** One snapshot in the making. */
class Remaking {
  readonly #replica: Replica
  readonly #records: readonly LogRecord[]
  #isRead = false
  #next = 0

  constructor(sha256: Sha256, snapshot: Snapshot, records: readonly LogRecord[]) {
    this.#replica = new Replica(sha256)
    this.#replica.reset(snapshot)
    // Those that come later go to the array that it was.
    this.#records = records.slice()
  }

  /** Works a slice on; the snapshot when it is made, or `none` when there cannot be one. */
  step(): Snapshot | 'none' | undefined {
    const replica = this.#replica
    if (!this.#isRead) this.#isRead = replica.readIn(sliceMax.bytes)
    else if (this.#next < this.#records.length) this.#apply()
    else if (replica.writeOut(sliceMax.bytes)) return replica.lastSnapshot ?? 'none'
    return replica.isBroken ? 'none' : undefined
  }

  #apply(): void {
    const first = this.#next
    for (let bytes = 0; this.#next < this.#records.length; this.#next++) {
      if (bytes >= sliceMax.bytes || this.#next - first === sliceMax.records) break
      const record = this.#records[this.#next] as LogRecord
      this.#replica.append(record)
      bytes += record.bytes.length
    }
    this.#replica.settle(Number.POSITIVE_INFINITY)
  }
}
