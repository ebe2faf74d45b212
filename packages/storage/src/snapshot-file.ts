/*
 * A snapshot on disk:
 *
 *   "FANSNAP", format (1 byte), length of the key (1), key, length of the manifest (4), manifest,
 *   CRC-32C of all before (4), then the pieces one after the other, whose digests the manifest holds
 */
import type { Snapshot } from '@fanfold/document'
import { concatBytes, encodeUtf8, equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import {
  decodeManifest,
  encodeManifest,
  limits,
  ProtocolError,
  readUint32,
  type SnapshotManifest,
  writeUint32,
} from '@fanfold/protocol'
import { crc32c } from './crc-32c.ts'
import {
  type DocumentDirectory,
  type SnapshotName,
  snapshotFileName,
} from './document-directory.ts'
import { writeDurably } from './durable-file.ts'
import { FileReader } from './file-reader.ts'
import { isMissing } from './log-error.ts'

const magic = encodeUtf8('FANSNAP')
const format = 1
/** Pieces are joined to writes of about this size. */
const writeBytesTarget = 1_048_576
/** A manifest is at most what the protocol lets one be: 48 bytes, and 37 for each piece. */
export const manifestBytesMax: number = 48 + 37 * limits.snapshotPiecesMax.value
/** The newest, and one to fall back to. */
const snapshotsKept = 2

/** Puts a snapshot in place, and removes all but the two newest. */
export async function writeSnapshot(
  directory: DocumentDirectory,
  options: { readonly snapshot: Snapshot; readonly suffix: string },
): Promise<void> {
  const { snapshot, suffix } = options
  const name = snapshotFileName(snapshot.manifest.at)
  await writeDurably(directory, { name, suffix, chunks: encodeFile(directory, snapshot) })
  const listing = await directory.list()
  for (const old of listing?.snapshots.slice(0, -snapshotsKept) ?? []) {
    // A node that is deposed, or has deposed this one, may have removed it.
    await directory.files.remove(directory.file(snapshotFileName(old))).catch(ignoreMissing)
  }
}

/** The snapshot in a file, or `undefined` when it is not whole and of this document. */
export async function readSnapshot(
  directory: DocumentDirectory,
  name: SnapshotName,
  sha256: Sha256,
): Promise<Snapshot | undefined> {
  const { files } = directory
  const path = directory.file(snapshotFileName(name))
  const file = await files.open(path, 'read').catch(ignoreMissing)
  // Whoever removed it has kept newer ones.
  if (file === undefined) return undefined
  try {
    const reader = new FileReader(files, file, 0)
    const manifest = await readManifest(reader, directory.keyBytes)
    if (manifest === undefined) return undefined
    if (manifest.at.seq !== name.seq || manifest.at.epoch !== name.epoch) return undefined
    const pieces = await readPieces(reader, manifest, sha256)
    return pieces === undefined ? undefined : { manifest, pieces }
  } finally {
    await files.close(file)
  }
}

/**
 * Sets a snapshot aside that is of no use; it is never deleted, somebody may want to look at it. Returns the
 * path that it had.
 */
export async function quarantineSnapshot(
  directory: DocumentDirectory,
  name: SnapshotName,
): Promise<string> {
  const path = directory.file(snapshotFileName(name))
  await directory.files.rename(path, `${path}.bad`).catch(ignoreMissing)
  return path
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}

function* encodeFile(directory: DocumentDirectory, snapshot: Snapshot): Generator<Uint8Array> {
  const manifest = encodeManifest(snapshot.manifest)
  const { keyBytes } = directory
  const head = new Uint8Array(magic.length + 2 + keyBytes.length + 4)
  head.set(magic)
  head[magic.length] = format
  head[magic.length + 1] = keyBytes.length
  head.set(keyBytes, magic.length + 2)
  writeUint32(head, head.length - 4, manifest.length)
  const checked = concatBytes([head, manifest])
  const crc = new Uint8Array(4)
  writeUint32(crc, 0, crc32c(checked))
  let chunks: Uint8Array[] = [checked, crc]
  let bytes = checked.length + crc.length
  for (const piece of snapshot.pieces) {
    if (bytes + piece.length > writeBytesTarget) {
      yield concatBytes(chunks)
      chunks = []
      bytes = 0
    }
    chunks.push(piece)
    bytes += piece.length
  }
  if (chunks.length > 0) yield concatBytes(chunks)
}

async function readManifest(
  reader: FileReader,
  keyBytes: Uint8Array,
): Promise<SnapshotManifest | undefined> {
  const head = await reader.take(magic.length + 2 + keyBytes.length + 4)
  if (head === undefined || !equalBytes(head.subarray(0, magic.length), magic)) return undefined
  if (head[magic.length] !== format || head[magic.length + 1] !== keyBytes.length) return undefined
  if (!equalBytes(head.subarray(magic.length + 2, -4), keyBytes)) return undefined
  const length = readUint32(head, head.length - 4)
  if (length > manifestBytesMax) return undefined
  const bytes = await reader.take(length)
  const crc = await reader.take(4)
  if (bytes === undefined || crc === undefined) return undefined
  if (crc32c(concatBytes([head, bytes])) !== readUint32(crc, 0)) return undefined
  try {
    return decodeManifest(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** The next pieces, or `undefined` when they are not those of the manifest. */
export async function readPieces(
  reader: FileReader,
  manifest: SnapshotManifest,
  sha256: Sha256,
): Promise<Uint8Array[] | undefined> {
  const pieces: Uint8Array[] = []
  const digest = new Uint8Array(sha256Bytes)
  for (const entry of manifest.pieces) {
    const piece = await reader.take(entry.bytes)
    if (piece === undefined) return undefined
    sha256(piece, digest, 0)
    if (!equalBytes(digest, entry.digest)) return undefined
    pieces.push(piece)
  }
  return pieces
}
