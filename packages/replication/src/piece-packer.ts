/*
 * Pieces of snapshots as links carry them. A piece is packed once however many children take it, and
 * one that came packed is passed on as it came.
 *
 * What is kept goes with its piece: nothing here has to be bounded or dropped.
 */
import { canUnpack, type PackedPiece, type SnapshotCodec, snapshotCodecs } from '@fanfold/document'

/** Packs pieces for children, and unpacks those of a parent; one for a whole node. */
export class PiecePacker {
  readonly #codec: SnapshotCodec
  readonly #packed = new WeakMap<Uint8Array, PackedPiece>()

  constructor(codec: SnapshotCodec) {
    this.#codec = codec
  }

  /** What it can unpack, as a join says it. */
  get codecs(): number {
    return this.#codec.codecs
  }

  /** True when `packedFor` has nothing left to pack. */
  isReadyFor(piece: Uint8Array, codecs: number): boolean {
    return codecs === 0 || this.#packed.has(piece)
  }

  /** The piece for a child that joined with `codecs`: packed, or as it is where the child cannot unpack it. */
  packedFor(piece: Uint8Array, codecs: number): PackedPiece {
    const plain: PackedPiece = { codec: snapshotCodecs.none, bytes: piece }
    if (codecs === 0) return plain
    let packed = this.#packed.get(piece)
    if (packed === undefined) {
      packed = this.#codec.pack(piece)
      this.#packed.set(piece, packed)
    }
    return canUnpack(codecs, packed) ? packed : plain
  }

  /** The piece came packed like this, or was packed elsewhere: it is passed on so. */
  remember(piece: Uint8Array, packed: PackedPiece): void {
    this.#packed.set(piece, packed)
  }

  /** The piece of exactly `bytes` bytes; undefined when it is none. */
  unpack(packed: PackedPiece, bytes: number): Uint8Array | undefined {
    return this.#codec.unpack(packed, bytes)
  }
}
