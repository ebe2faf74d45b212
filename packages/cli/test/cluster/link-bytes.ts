/*
 * What crosses a link, for who searches it: pieces of snapshots are packed there, and what is in them is
 * not in the bytes.
 */
import { brotliDecompressSync, inflateRawSync } from 'node:zlib'
import { snapshotCodecs } from '@fanfold/document'
import { decodeLinkFrame } from '@fanfold/protocol'

const headEnd = Buffer.from('\r\n\r\n')
const binary = 2
const opcodes: readonly number[] = [0, 1, binary, 8, 9, 10]

/** What a server sent on one WebSocket that is a link, and behind it all pieces as they were. */
export function withPiecesUnpacked(bytes: Buffer): Buffer {
  const pieces = [...messagesOf(bytes)].flatMap(message => {
    const frame = decodeLinkFrame(message)
    return frame?.kind === 'snapshot-piece' ? [unpacked(frame.codec, frame.piece)] : []
  })
  return Buffer.concat([bytes, ...pieces])
}

/** The binary messages; the last one may not have come whole. */
function* messagesOf(bytes: Buffer): Generator<Buffer> {
  let at = bytes.indexOf(headEnd) + headEnd.length
  while (at + 2 <= bytes.length) {
    const [head = 0, short = 0] = bytes.subarray(at, at + 2)
    if (!opcodes.includes(head & 15) || head < 128) throw new Error(`byte ${at} begins no message`)
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    const start = at + 2 + lengthBytes
    if (start > bytes.length) return
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : short
    at = start + length
    if (at > bytes.length) return
    if ((head & 15) === binary) yield bytes.subarray(start, at)
  }
}

function unpacked(codec: number, piece: Uint8Array): Uint8Array {
  switch (codec) {
    case snapshotCodecs.none:
      return piece
    case snapshotCodecs.deflate:
      return inflateRawSync(piece)
    case snapshotCodecs.brotli:
      return brotliDecompressSync(piece)
    default:
      throw new Error(`a piece of codec ${codec} cannot be searched`)
  }
}
