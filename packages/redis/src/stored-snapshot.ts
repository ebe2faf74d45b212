/*
 * A snapshot as its list holds it: first the manifest with a digest, then the pieces in chunks of about
 * 256 KiB, each piece whole in one. The digest covers the document's key, so that a list in another
 * document's place does not verify; the manifest has those of the pieces.
 */
import type { Snapshot } from '@fanfold/document'
import { concatBytes, encodeUtf8, equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeManifest,
  encodeManifest,
  type PieceEntry,
  ProtocolError,
  type SnapshotManifest,
} from '@fanfold/protocol'

/** Bytes of a chunk, about: it is one argument of a command. */
export const chunkBytesTarget = 262_144

/** The elements of a snapshot's list, made one after the other. */
export function* encodeStored(
  doc: DocumentKey,
  { manifest, pieces }: Snapshot,
  sha256: Sha256,
): Generator<Uint8Array> {
  const bytes = encodeManifest(manifest)
  yield concatBytes([digestOf(doc, bytes, sha256), bytes])
  for (const [from, to] of chunksOf(manifest)) yield concatBytes(pieces.slice(from, to))
}

/** How many elements the list of a snapshot has. */
export const storedCount = (manifest: SnapshotManifest): number => 1 + chunksOf(manifest).length

/** The manifest of a list, or `undefined` when the first element is not one of this document. */
export function decodeStoredManifest(
  doc: DocumentKey,
  element: Uint8Array,
  sha256: Sha256,
): SnapshotManifest | undefined {
  const bytes = element.subarray(sha256Bytes)
  if (!equalBytes(element.subarray(0, sha256Bytes), digestOf(doc, bytes, sha256))) return undefined
  try {
    return decodeManifest(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** The pieces of a chunk, or `undefined` when they are not those that the manifest lists for it. */
export function decodeChunk(
  entries: readonly PieceEntry[],
  bytes: Uint8Array,
  sha256: Sha256,
): Uint8Array[] | undefined {
  // A copy of its own: what came shares the memory of all that came with it.
  const chunk = Uint8Array.from(bytes)
  const digest = new Uint8Array(sha256Bytes)
  const pieces: Uint8Array[] = []
  let offset = 0
  for (const entry of entries) {
    const piece = chunk.subarray(offset, offset + entry.bytes)
    sha256(piece, digest, 0)
    if (!equalBytes(digest, entry.digest)) return undefined
    pieces.push(piece)
    offset += entry.bytes
  }
  return offset === chunk.length ? pieces : undefined
}

/** Which pieces each chunk has: from the first number on, up to the second and without it. */
export function chunksOf({ pieces }: SnapshotManifest): [from: number, to: number][] {
  const chunks: [from: number, to: number][] = []
  let from = 0
  let bytes = 0
  for (const [index, piece] of pieces.entries()) {
    if (bytes > 0 && bytes + piece.bytes > chunkBytesTarget) {
      chunks.push([from, index])
      from = index
      bytes = 0
    }
    bytes += piece.bytes
  }
  if (from < pieces.length) chunks.push([from, pieces.length])
  return chunks
}

function digestOf(doc: DocumentKey, manifest: Uint8Array, sha256: Sha256): Uint8Array {
  const digest = new Uint8Array(sha256Bytes)
  sha256(concatBytes([encodeUtf8(doc), Uint8Array.of(0), manifest]), digest, 0)
  return digest
}
