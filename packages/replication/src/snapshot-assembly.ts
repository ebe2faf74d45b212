import type { Snapshot } from '@fanfold/document'
import { equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import type { SnapshotManifest } from '@fanfold/protocol'

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
  readonly #pieces: (Uint8Array | undefined)[]
  readonly #damaged = new Set<number>()
  #missing: number

  constructor(manifest: SnapshotManifest, sha256: Sha256) {
    this.manifest = manifest
    this.#sha256 = sha256
    this.#pieces = new Array(manifest.pieces.length)
    this.#missing = manifest.pieces.length
  }

  /** The snapshot once all of it is here. */
  get snapshot(): Snapshot | undefined {
    if (this.#missing > 0) return undefined
    return { manifest: this.manifest, pieces: this.#pieces as Uint8Array[] }
  }

  /** Takes a piece. */
  take(index: number, piece: Uint8Array): PieceTaken {
    const entry = this.manifest.pieces[index]
    if (entry === undefined || this.#pieces[index] !== undefined) return 'unwanted'
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(piece, digest, 0)
    if (piece.length !== entry.bytes || !equalBytes(digest, entry.digest)) {
      if (this.#damaged.has(index)) return 'damaged-again'
      this.#damaged.add(index)
      return 'damaged'
    }
    this.#pieces[index] = piece
    this.#missing--
    return 'good'
  }
}

/** Bytes of all pieces of a snapshot. */
export function snapshotBytes(manifest: SnapshotManifest): number {
  let bytes = 0
  for (const piece of manifest.pieces) bytes += piece.bytes
  return bytes
}
