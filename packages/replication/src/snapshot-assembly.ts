import { type PackedPiece, type Snapshot, snapshotCodecs } from '@fanfold/document'
import { equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import type { PieceEntry, SnapshotManifest } from '@fanfold/protocol'
import type { PiecePacker } from './piece-packer.ts'

/** What became of a piece that arrived. */
export type PieceTaken =
  | 'good'
  /** Not in the manifest, or here already. */
  | 'unwanted'
  /** Not the bytes that the manifest says: to be asked for again. */
  | 'damaged'
  /** Damaged although it was asked for again. */
  | 'damaged-again'

/** A snapshot whose pieces come in, in any order, each checked against the manifest. */
export class SnapshotAssembly {
  readonly manifest: SnapshotManifest
  readonly #sha256: Sha256
  readonly #packer: PiecePacker
  readonly #pieces: (Uint8Array | undefined)[]
  readonly #damaged = new Set<number>()
  #missing: number

  constructor(manifest: SnapshotManifest, sha256: Sha256, packer: PiecePacker) {
    this.manifest = manifest
    this.#sha256 = sha256
    this.#packer = packer
    this.#pieces = new Array(manifest.pieces.length)
    this.#missing = manifest.pieces.length
  }

  /** The snapshot once all of it is here. */
  get snapshot(): Snapshot | undefined {
    if (this.#missing > 0) return undefined
    return { manifest: this.manifest, pieces: this.#pieces as Uint8Array[] }
  }

  /** Takes a piece as the link carried it. */
  take(index: number, packed: PackedPiece): PieceTaken {
    const entry = this.manifest.pieces[index]
    if (entry === undefined || this.#pieces[index] !== undefined) return 'unwanted'
    const piece = this.#packer.unpack(packed, entry.bytes)
    if (piece === undefined || !this.#isGood(piece, entry)) {
      if (this.#damaged.has(index)) return 'damaged-again'
      this.#damaged.add(index)
      return 'damaged'
    }
    // What is kept is counted by the manifest: packing that makes more of a piece is let go.
    const isSmaller = packed.bytes.length < piece.length
    if (packed.codec !== snapshotCodecs.none && isSmaller) this.#packer.remember(piece, packed)
    this.#pieces[index] = piece
    this.#missing--
    return 'good'
  }

  /** Indexes of the first pieces that are not here, so many at most. */
  missing(countMax: number): number[] {
    const indexes: number[] = []
    for (let index = 0; index < this.#pieces.length && indexes.length < countMax; index++) {
      if (this.#pieces[index] === undefined) indexes.push(index)
    }
    return indexes
  }

  #isGood(piece: Uint8Array, entry: PieceEntry): boolean {
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(piece, digest, 0)
    return equalBytes(digest, entry.digest)
  }
}

/** Bytes of all pieces of a snapshot. */
export function snapshotBytes(manifest: SnapshotManifest): number {
  let bytes = 0
  for (const piece of manifest.pieces) bytes += piece.bytes
  return bytes
}
