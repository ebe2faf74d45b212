import type { Snapshot } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { RedisConnection } from './redis-connection.ts'
import { arrayOf, bytesOf } from './reply.ts'
import { chunksOf, decodeChunk, decodeStoredManifest } from './stored-snapshot.ts'

/** Where to read a snapshot from, and how. */
export type SnapshotReading = {
  readonly connection: RedisConnection
  readonly key: string
  readonly doc: DocumentKey
  readonly sha256: Sha256
  /** See `RedisConnection.ask`, for each of its parts. */
  readonly withinMs: number
}

/**
 * The snapshot in a key; `undefined` when there is none, it is not whole, or another took its place
 * while it was read.
 *
 * @throws RedisFailure
 */
export async function readSnapshot(reading: SnapshotReading): Promise<Snapshot | undefined> {
  const { doc, sha256 } = reading
  const first = await readElement(reading, 0)
  const manifest = first && decodeStoredManifest(doc, first, sha256)
  if (manifest === undefined) return undefined
  const pieces: Uint8Array[] = []
  for (const [index, [from, to]] of chunksOf(manifest).entries()) {
    const bytes = await readElement(reading, index + 1)
    const chunk = bytes && decodeChunk(manifest.pieces.slice(from, to), bytes, sha256)
    if (chunk === undefined) return undefined
    pieces.push(...chunk)
  }
  return { manifest, pieces }
}

async function readElement(
  { connection, key, withinMs }: SnapshotReading,
  index: number,
): Promise<Uint8Array | undefined> {
  const reply = await connection.ask(() => connection.call(['lrange', key, index, index]), withinMs)
  const [element] = arrayOf(reply, 'a snapshot')
  return element === undefined ? undefined : bytesOf(element, 'a part of a snapshot')
}
