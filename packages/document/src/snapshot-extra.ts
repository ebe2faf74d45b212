/*
 * What only authorities keep, in pieces of a snapshot with the highest tag. It may be some megabytes of
 * many small values, so it is written out place by place and read in piece by piece: whoever does it may
 * do anything else in between.
 */
import { assert, type Sha256, sha256Bytes } from '@fanfold/kernel'
import { badFrame, type PieceEntry, partTags } from '@fanfold/protocol'
import type { JsonValue } from './json.ts'
import type { AuthorityExtra, Snapshot } from './snapshot.ts'
import { decodePairs, PairSetter, PieceWriter } from './snapshot-pieces.ts'

/** Pieces to be added to a snapshot, and how its manifest lists them. */
export type ExtraPieces = {
  readonly entries: readonly PieceEntry[]
  readonly pieces: readonly Uint8Array[]
}

/** Writes out what only authorities keep. */
export class ExtraEncoder {
  readonly #sha256: Sha256
  readonly #writer = new PieceWriter()
  readonly #entries: PieceEntry[] = []
  readonly #pieces: Uint8Array[] = []

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Adds a value at a place that those before have made; the first one is the root. */
  add(pointer: string, value: JsonValue): void {
    this.#writer.write(pointer, value)
    this.#take(this.#writer.take())
  }

  /** All of it; nothing is added after. */
  finish(): ExtraPieces {
    this.#take(this.#writer.finish())
    return { entries: this.#entries, pieces: this.#pieces }
  }

  #take(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      const digest = new Uint8Array(sha256Bytes)
      this.#sha256(piece, digest, 0)
      this.#entries.push({ tag: partTags.authority, bytes: piece.length, digest })
      this.#pieces.push(piece)
    }
  }
}

/** Reads what only authorities keep from an authority's own snapshot. */
export class ExtraDecoder {
  readonly #snapshot: Snapshot
  readonly #setter = new PairSetter()
  #next = 0

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  /**
   * Reads on until `bytesMax` bytes of pieces are read: one piece at least. Returns true when all is
   * read, and reads nothing from then on.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when a piece is not what a piece is
   */
  step(bytesMax: number): boolean {
    const { manifest, pieces } = this.#snapshot
    for (let left = bytesMax; left > 0 && this.#next < manifest.pieces.length; this.#next++) {
      const { tag, bytes } = manifest.pieces[this.#next] as PieceEntry
      if (tag !== partTags.authority) continue
      const piece = pieces[this.#next] ?? badFrame(`piece ${this.#next} of a snapshot`)
      for (const [pointer, value] of decodePairs(piece)) this.#setter.set(pointer, value)
      left -= bytes
    }
    return this.#next === manifest.pieces.length
  }

  /** What was read, once all is; undefined when there was nothing. */
  get extra(): AuthorityExtra | undefined {
    assert(this.#next === this.#snapshot.manifest.pieces.length, 'it is read to its end')
    return this.#setter.made
  }
}

/** The snapshot with what only authorities keep. */
export const withExtra = ({ manifest, pieces }: Snapshot, extra: ExtraPieces): Snapshot => ({
  manifest: { at: manifest.at, pieces: [...manifest.pieces, ...extra.entries] },
  pieces: [...pieces, ...extra.pieces],
})
