/*
 * A document that a proxy keeps warm, on disk:
 *
 *   "FANWARM", format (1 byte), length of the head (4)
 *   head: key behind its length (2), ceiling (1), length of the manifest (4), manifest,
 *         count of chunks (4), each chunk: length (4), SHA-256
 *   SHA-256 of all before, then the pieces of the snapshot, whose digests the manifest holds, then the
 *   chunks: records one after the other, each behind its length (4)
 *
 * So each byte is under a digest, and no digest is over more than a loop may take in at once. Nothing is
 * believed that does not verify: a file that was torn, is damaged, or stands in another's place is as
 * good as none.
 */
import type { WarmDocument } from '@fanfold/document'
import { encodeUtf8, equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import {
  ByteReader,
  ByteWriter,
  type DocumentKey,
  decodeManifest,
  encodeManifest,
  LogRecord,
  limits,
  ProtocolError,
  readUint32,
  type SnapshotManifest,
  writeUint32,
} from '@fanfold/protocol'
import { FileReader } from './file-reader.ts'
import { type FileSystem, writeAll } from './file-system.ts'
import { nextTurn } from './next-turn.ts'
import { manifestBytesMax, readPieces } from './snapshot-file.ts'

const magic = encodeUtf8('FANWARM')
const format = 1
const prefixBytes = magic.length + 1 + 4
/** Records are joined to chunks of about this size. */
const chunkBytesTarget = 1_048_576
const chunkBytesMax = chunkBytesTarget + 4 + limits.recordBytesMax.value
/** Records that are decoded in one turn: some milliseconds' worth. */
const recordsPerTurn = 2_048
/** More records than a proxy keeps of any document. */
const chunksMax = 4_096
const headBytesMax =
  2 + limits.keyBytesMax.value + 1 + 4 + manifestBytesMax + 4 + chunksMax * (4 + sha256Bytes)

/** Where a file is and how it is verified. */
export type WarmFile = {
  readonly files: FileSystem
  readonly path: string
  readonly key: DocumentKey
  readonly sha256: Sha256
}

type Chunk = { readonly from: number; readonly to: number; readonly bytes: number }

type ChunkEntry = { readonly bytes: number; readonly digest: Uint8Array }

/** Bytes that the file of a document has; undefined when there are too many records for one. */
export function warmFileBytes(key: DocumentKey, document: WarmDocument): number | undefined {
  const chunks = chunksOf(document.records)
  if (chunks.length > chunksMax) return undefined
  const { pieces } = document.snapshot.manifest
  let bytes = prefixBytes + 2 + key.length + 1 + 4 + 4 + sha256Bytes
  bytes += encodeManifest(document.snapshot.manifest).length
  for (const piece of pieces) bytes += piece.bytes
  for (const chunk of chunks) bytes += 4 + sha256Bytes + chunk.bytes
  return bytes
}

/**
 * Writes a document aside and puts it in its place. It is not synced: what a crash of the machine
 * leaves of it does not verify, and costs one snapshot from the parent, less than a sync for each.
 *
 * @param suffix tells what is half written from what others write
 */
export async function writeWarmFile(
  file: WarmFile,
  document: WarmDocument,
  suffix: string,
): Promise<void> {
  const { files, path } = file
  const aside = `${path}.${suffix}.tmp`
  const target = await files.open(aside, 'replace')
  try {
    try {
      let position = 0
      for await (const bytes of encodeFile(file, document)) {
        await writeAll({ files, file: target, bytes, position })
        position += bytes.length
      }
    } finally {
      await files.close(target)
    }
    await files.rename(aside, path)
  } catch (error) {
    // The first error is the one that matters.
    await files.remove(aside).catch(() => undefined)
    throw error
  }
}

/** The document in a file; undefined when the file is not whole and of this document. */
export async function readWarmFile(
  file: WarmFile,
  fileBytes: number,
): Promise<WarmDocument | undefined> {
  const { files, key, sha256 } = file
  const source = await files.open(file.path, 'read')
  try {
    const reader = new FileReader(files, source, 0)
    const head = await readHead(reader, file)
    if (head === undefined || reader.offset + head.bytesBehind !== fileBytes) return undefined
    const { manifest, chunks, ceiling } = head
    const pieces = await readPieces(reader, manifest, sha256)
    if (pieces === undefined) return undefined
    const records: LogRecord[] = []
    const keyBytes = encodeUtf8(key)
    for (const chunk of chunks) {
      const bytes = await reader.take(chunk.bytes)
      if (bytes === undefined || !isDigest(sha256, bytes, chunk.digest)) return undefined
      const fields = new ByteReader(bytes)
      while (fields.remaining > 0) {
        const record = LogRecord.decode(fields.raw(fields.uint32()))
        const isNext = record.seq === manifest.at.seq + records.length + 1
        if (!isNext || !record.isOf(keyBytes)) return undefined
        records.push(record)
        if (records.length % recordsPerTurn === 0) await nextTurn()
      }
    }
    return { snapshot: { manifest, pieces }, records, ceiling }
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  } finally {
    await files.close(source)
  }
}

async function* encodeFile(
  { key, sha256 }: WarmFile,
  document: WarmDocument,
): AsyncGenerator<Uint8Array> {
  const { snapshot, records, ceiling } = document
  const chunks = chunksOf(records)
  const entries: ChunkEntry[] = []
  for (const chunk of chunks) {
    entries.push({ bytes: chunk.bytes, digest: digestOf(sha256, encodeChunk(records, chunk)) })
    await nextTurn()
  }
  const manifest = encodeManifest(snapshot.manifest)
  const head = new ByteWriter(manifest.length + 1_024)
    .text(key)
    .uint8(ceiling)
    .uint32(manifest.length)
    .raw(manifest)
    .uint32(entries.length)
  for (const { bytes, digest } of entries) head.uint32(bytes).raw(digest)
  const headBytes = head.finish()
  const prefix = new Uint8Array(prefixBytes + headBytes.length + sha256Bytes)
  prefix.set(magic)
  prefix[magic.length] = format
  writeUint32(prefix, magic.length + 1, headBytes.length)
  prefix.set(headBytes, prefixBytes)
  const checked = prefix.subarray(0, -sha256Bytes)
  sha256(checked, prefix, checked.length)
  yield prefix
  yield* joined(snapshot.pieces)
  for (const chunk of chunks) yield encodeChunk(records, chunk)
}

/** The same bytes in fewer arrays. */
function* joined(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const piece of pieces) {
    if (bytes > 0 && bytes + piece.length > chunkBytesTarget) {
      yield Buffer.concat(batch)
      batch = []
      bytes = 0
    }
    batch.push(piece)
    bytes += piece.length
  }
  if (bytes > 0) yield Buffer.concat(batch)
}

function chunksOf(records: readonly LogRecord[]): Chunk[] {
  const chunks: Chunk[] = []
  let from = 0
  let bytes = 0
  for (const [index, record] of records.entries()) {
    bytes += 4 + record.bytes.length
    if (bytes < chunkBytesTarget && index < records.length - 1) continue
    chunks.push({ from, to: index + 1, bytes })
    from = index + 1
    bytes = 0
  }
  return chunks
}

function encodeChunk(records: readonly LogRecord[], { from, to, bytes }: Chunk): Uint8Array {
  const chunk = Buffer.allocUnsafe(bytes)
  let at = 0
  for (let index = from; index < to; index++) {
    const record = records[index] as LogRecord
    at = chunk.writeUInt32BE(record.bytes.length, at)
    chunk.set(record.bytes, at)
    at += record.bytes.length
  }
  return chunk
}

type Head = {
  readonly ceiling: number
  readonly manifest: SnapshotManifest
  readonly chunks: readonly ChunkEntry[]
  readonly bytesBehind: number
}

async function readHead(reader: FileReader, { key, sha256 }: WarmFile): Promise<Head | undefined> {
  const prefix = await reader.take(prefixBytes)
  if (prefix === undefined || !equalBytes(prefix.subarray(0, magic.length), magic)) return undefined
  if (prefix[magic.length] !== format) return undefined
  const length = readUint32(prefix, magic.length + 1)
  if (length > headBytesMax) return undefined
  const bytes = await reader.take(length)
  const digest = await reader.take(sha256Bytes)
  if (bytes === undefined || digest === undefined) return undefined
  if (!isDigest(sha256, Buffer.concat([prefix, bytes]), digest)) return undefined
  const fields = new ByteReader(bytes)
  if (fields.text(limits.keyBytesMax.value) !== key) return undefined
  const ceiling = fields.uint8()
  const manifest = decodeManifest(fields.raw(fields.uint32()))
  const chunks: ChunkEntry[] = []
  for (let left = fields.uint32(); left > 0; left--) {
    const entry = { bytes: fields.uint32(), digest: fields.raw(sha256Bytes) }
    if (entry.bytes > chunkBytesMax) return undefined
    chunks.push(entry)
  }
  let bytesBehind = 0
  for (const piece of manifest.pieces) bytesBehind += piece.bytes
  for (const chunk of chunks) bytesBehind += chunk.bytes
  return { ceiling, manifest, chunks, bytesBehind }
}

function digestOf(sha256: Sha256, bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(sha256Bytes)
  sha256(bytes, digest, 0)
  return digest
}

const isDigest = (sha256: Sha256, bytes: Uint8Array, expected: Uint8Array): boolean =>
  equalBytes(digestOf(sha256, bytes), expected)
