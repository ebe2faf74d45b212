import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { limits } from './limits.ts'
import { type Position, readPosition, writePosition } from './position.ts'
import { badFrame } from './protocol-error.ts'

/** One piece of a snapshot, as its manifest lists it. */
export type PieceEntry = {
  /** Tag of the part of the document that the piece holds: a label, or 255 for the authority's own. */
  readonly tag: number
  /** 1 … 65,536. */
  readonly bytes: number
  /** SHA-256 of the piece. */
  readonly digest: Uint8Array
}

/** Which state a snapshot holds and what its pieces are; the same on disk and on the wire. */
export type SnapshotManifest = { readonly at: Position; readonly pieces: readonly PieceEntry[] }

/** A manifest as bytes; on disk it stands at the head of a snapshot. */
export const encodeManifest = (manifest: SnapshotManifest): Uint8Array =>
  writeManifest(new ByteWriter(), manifest).finish()

/** @throws ProtocolError `FANFOLD_BAD_FRAME` */
export const decodeManifest = (bytes: Uint8Array): SnapshotManifest =>
  readManifest(new ByteReader(bytes))

/** Appends a manifest. */
export function writeManifest(writer: ByteWriter, manifest: SnapshotManifest): ByteWriter {
  writePosition(writer, manifest.at).uint32(manifest.pieces.length)
  for (const piece of manifest.pieces) {
    writer.uint8(piece.tag).uint32(piece.bytes).raw(piece.digest)
  }
  return writer
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` */
export function readManifest(reader: ByteReader): SnapshotManifest {
  const at = readPosition(reader)
  const count = reader.uint32()
  if (count > limits.snapshotPiecesMax.value) {
    badFrame(`a snapshot of at most ${limits.snapshotPiecesMax.value} pieces, got ${count}`)
  }
  const pieces: PieceEntry[] = []
  for (let index = 0; index < count; index++) {
    const tag = reader.uint8()
    const bytes = reader.uint32()
    if (bytes === 0 || bytes > limits.snapshotPieceBytesMax.value) {
      badFrame(`a piece of 1 to ${limits.snapshotPieceBytesMax.value} bytes, got ${bytes}`)
    }
    pieces.push({ tag, bytes, digest: reader.raw(32) })
  }
  return { at, pieces }
}
