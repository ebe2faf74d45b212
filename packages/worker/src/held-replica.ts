import {
  type JsonObject,
  type PackedPiece,
  Replica,
  type Snapshot,
  type SnapshotCodec,
} from '@fanfold/document'
import { type Sha256, toHex } from '@fanfold/kernel'
import type { LogRecord, PieceEntry } from '@fanfold/protocol'

/** A snapshot with its pieces as links carry them. */
export type PackedSnapshot = {
  readonly snapshot: Snapshot
  readonly packed: readonly PackedPiece[]
}

/** One replica at a worker: it is never behind, and what it made last it does not make again. */
export class HeldReplica {
  readonly #replica: Replica
  readonly #codec: SnapshotCodec
  #made: PackedSnapshot | undefined

  constructor(options: {
    /** Without pieces above the labels. */
    readonly snapshot: Snapshot
    readonly sha256: Sha256
    readonly codec: SnapshotCodec
  }) {
    this.#replica = new Replica(options.sha256)
    this.#replica.reset(options.snapshot)
    this.#codec = options.codec
  }

  /** Seq of the last record that it took. */
  get seq(): number {
    return this.#replica.position.seq
  }

  /** Bytes of its last snapshot, packed and not, and of the records after it. */
  get bytes(): number {
    const { lastSnapshot, bytesSinceSnapshot } = this.#replica
    let bytes = bytesSinceSnapshot
    for (const piece of lastSnapshot?.manifest.pieces ?? []) bytes += piece.bytes
    for (const piece of this.#made?.packed ?? []) bytes += piece.bytes.length
    return bytes
  }

  /** Takes the next records; returns why it cannot, when it cannot. */
  feed(records: readonly LogRecord[]): string | undefined {
    for (const record of records) {
      const { seq } = this
      if (record.seq !== seq + 1) return `a record at ${record.seq} after the one at ${seq}`
      this.#replica.append(record)
    }
    const from = this.#replica.appliedSeq + 1
    this.#replica.settle(Number.POSITIVE_INFINITY)
    return this.#replica.isBroken
      ? `of the records ${from} to ${this.seq} one does not apply`
      : undefined
  }

  /** A snapshot of now: the same one as long as no record comes. Undefined when it cannot be made. */
  encode(): PackedSnapshot | undefined {
    const snapshot = this.#replica.snapshot()
    if (snapshot === undefined) return undefined
    if (this.#made?.snapshot !== snapshot) this.#made = { snapshot, packed: this.#pack(snapshot) }
    return this.#made
  }

  /** Packs the pieces; those that were in the last snapshot too are packed already. */
  #pack({ manifest, pieces }: Snapshot): PackedPiece[] {
    const before = new Map<string, PackedPiece>()
    for (const [index, { digest }] of this.#made?.snapshot.manifest.pieces.entries() ?? []) {
      before.set(toHex(digest), this.#made?.packed[index] as PackedPiece)
    }
    return pieces.map((piece, index) => {
      const entry = manifest.pieces[index] as PieceEntry
      return before.get(toHex(entry.digest)) ?? this.#codec.pack(piece)
    })
  }

  /** The state now, as a replica gives it: undefined for a document that does not exist. */
  state(): JsonObject | undefined {
    return this.#replica.state()
  }

  /** True when it is of no more use. */
  get isBroken(): boolean {
    return this.#replica.isBroken
  }
}
