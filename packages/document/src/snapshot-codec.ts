/*
 * How pieces of a snapshot are packed on links. A piece is named and checked by what it is unpacked, so
 * two nodes that pack differently hold the same snapshot; what a link carries is what its child can
 * unpack. A codec is handed to machines by their driver, like the hash.
 */

/** Codecs on the wire. A joiner says which it can unpack by bits: bit n − 1 for codec n. */
export const snapshotCodecs = { none: 0, deflate: 1, brotli: 2 } as const

/** A piece as a link carries it. */
export type PackedPiece = {
  /** A number of `snapshotCodecs`, or of a later version's. */
  readonly codec: number
  readonly bytes: Uint8Array
}

/** Packs and unpacks pieces; pure, and quick enough for a piece in a turn. */
export type SnapshotCodec = {
  /** What `unpack` understands, as a join says it. */
  readonly codecs: number
  /** The piece packed, or as it is where that is smaller. */
  pack(piece: Uint8Array): PackedPiece
  /**
   * The piece of exactly `bytes` bytes; undefined when it is none, or of a codec that is not known. No
   * more than `bytes` bytes of memory are taken for it, whatever is in it.
   */
  unpack(packed: PackedPiece, bytes: number): Uint8Array | undefined
}

/** Packs nothing. */
export const plainCodec: SnapshotCodec = {
  codecs: 0,
  pack: bytes => ({ codec: snapshotCodecs.none, bytes }),
  unpack: ({ codec, bytes }, length) =>
    codec === snapshotCodecs.none && bytes.length === length ? bytes : undefined,
}

/** True when a child that joined with `codecs` can unpack the piece. */
export const canUnpack = (codecs: number, { codec }: PackedPiece): boolean =>
  codec === snapshotCodecs.none || (codec <= 32 && (codecs & (1 << (codec - 1))) !== 0)
