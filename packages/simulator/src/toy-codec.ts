import { type SnapshotCodec, snapshotCodecs } from '@fanfold/document'
import { limits } from '@fanfold/protocol'

/** What stands before a piece that is packed. */
const mark = 0x9c

/**
 * A codec that takes no time: it turns a piece round behind a byte of its own. A piece of an odd length
 * stays as it is, so that both kinds are on the links, and so does one to which no byte can be added.
 */
export const toyCodec: SnapshotCodec = {
  codecs: 1 << (snapshotCodecs.deflate - 1),
  pack: piece => {
    const isFull = piece.length === limits.snapshotPieceBytesMax.value
    if (isFull || piece.length % 2 === 1) return { codec: snapshotCodecs.none, bytes: piece }
    const bytes = new Uint8Array(piece.length + 1)
    bytes[0] = mark
    bytes.set(piece.toReversed(), 1)
    return { codec: snapshotCodecs.deflate, bytes }
  },
  unpack: ({ codec, bytes }, length) => {
    if (codec === snapshotCodecs.none) return bytes.length === length ? bytes : undefined
    if (codec !== snapshotCodecs.deflate) return undefined
    if (bytes[0] !== mark || bytes.length !== length + 1) return undefined
    return bytes.subarray(1).toReversed()
  },
}
