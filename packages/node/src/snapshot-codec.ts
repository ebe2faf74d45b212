/*
 * How this node packs pieces of snapshots. Brotli of the lowest qualities is made for text, of which
 * it knows the words and marks that JSON is full of: measured on pieces of documents, quality 1 packs
 * them smaller than deflate at level 1 and takes half as long; unpacking takes the same. Higher
 * qualities take several times as long for little. Pieces that come deflated are unpacked too.
 */
import { brotliCompressSync, brotliDecompressSync, constants, inflateRawSync } from 'node:zlib'
import { type PackedPiece, type SnapshotCodec, snapshotCodecs } from '@fanfold/document'

/** The window holds any piece whole: 2^16 bytes. */
const windowBits = 16

/** zlib takes no smaller ones. */
const chunkBytesMin = 64

/** Packs and unpacks pieces by zlib: packs with brotli, unpacks deflate too. */
export const snapshotCodec: SnapshotCodec = {
  codecs: (1 << (snapshotCodecs.deflate - 1)) | (1 << (snapshotCodecs.brotli - 1)),
  pack: piece => {
    const packed = brotliCompressSync(piece, {
      chunkSize: Math.max(chunkBytesMin, piece.length),
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 1,
        [constants.BROTLI_PARAM_LGWIN]: windowBits,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: piece.length,
      },
    })
    if (packed.length >= piece.length) return { codec: snapshotCodecs.none, bytes: piece }
    // In an array of its own: what zlib gives is cut from one as large as the piece.
    return { codec: snapshotCodecs.brotli, bytes: new Uint8Array(packed) }
  },
  unpack: (packed, bytes) => {
    const piece = unpackAny(packed, bytes)
    return piece?.length === bytes ? piece : undefined
  },
}

function unpackAny({ codec, bytes }: PackedPiece, maxOutputLength: number): Uint8Array | undefined {
  const options = { maxOutputLength, chunkSize: Math.max(chunkBytesMin, maxOutputLength) }
  try {
    switch (codec) {
      case snapshotCodecs.none:
        return bytes
      case snapshotCodecs.deflate:
        return inflateRawSync(bytes, options)
      case snapshotCodecs.brotli:
        return brotliDecompressSync(bytes, options)
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}
