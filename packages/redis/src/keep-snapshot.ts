/*
 * Keeps a snapshot: its parts go up one by one under a name of their own, which dies by itself, and one
 * script puts it in place. So a reader never sees half a snapshot, and what was given up costs room
 * for a while and nothing else.
 */
import type { Snapshot } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import { type DocumentKey, describePosition } from '@fanfold/protocol'
import { LogError } from './log-error.ts'
import type { LogKeys } from './log-keys.ts'
import { mayPass, type RedisConnection } from './redis-connection.ts'
import { RedisFailure } from './redis-failure.ts'
import { loadScript } from './redis-script.ts'
import { arrayOf, bytesOf, countOf } from './reply.ts'
import { encodeStored, storedCount } from './stored-snapshot.ts'

/** How long the parts of an upload live when no other part follows, ms. */
export const uploadTtlMs = 60_000
/** How often an upload is begun again, as the connection was lost or the server forgot it. */
const uploadsMax = 3

const script = loadScript('keep-snapshot-5')

/** What is kept, and how. */
export type SnapshotKeeping = {
  readonly connection: RedisConnection
  readonly doc: DocumentKey
  readonly keys: LogKeys
  readonly snapshot: Snapshot
  readonly sha256: Sha256
  /** See `RedisConnection.ask`, for each command. */
  readonly withinMs: number
  /** A name that no other upload has. */
  readonly nextName: () => string
}

/** @throws RedisFailure, LogError: then it is not kept */
export async function keepSnapshot(keeping: SnapshotKeeping): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const key = `${keeping.keys.uploads}${keeping.nextName()}`
    try {
      await upload(keeping, key)
      if (await putInPlace(keeping, key)) return
    } catch (error) {
      if (attempt === uploadsMax || !(error instanceof RedisFailure && mayPass(error))) {
        await remove(keeping, key)
        throw error
      }
    }
    if (attempt === uploadsMax) {
      throw new LogError(
        'FANFOLD_LOG_UNREACHABLE',
        `the Redis of the log forgot a snapshot of ${keeping.doc} ${attempt} times while it was sent`,
      )
    }
  }
}

/** A part whose answer is lost is not sent again: it may be there twice. */
async function upload(
  { connection, doc, snapshot, sha256, ...keeping }: SnapshotKeeping,
  key: string,
) {
  // There is a connection, or there will be one soon.
  await connection.ask(() => connection.call(['exists', key]), keeping.withinMs)
  for (const element of encodeStored(doc, snapshot, sha256)) {
    await connection.callAll([
      ['rpush', key, element],
      ['pexpire', key, uploadTtlMs],
    ])
  }
}

/** False when the upload is not there any more, or not whole. */
async function putInPlace(keeping: SnapshotKeeping, upload: string): Promise<boolean> {
  const { connection, doc, keys, snapshot, withinMs } = keeping
  const { at } = snapshot.manifest
  const names = [keys.head, keys.log, keys.newer, keys.older, upload]
  const args = [at.epoch, at.seq, Buffer.from(at.hash), storedCount(snapshot.manifest)]
  const reply = await connection.ask(() => connection.run(script, names, args), withinMs)
  const [outcome, ...rest] = arrayOf(reply, 'what became of a snapshot')
  switch (bytesOf(outcome, 'what became of a snapshot').toString('latin1')) {
    case 'kept':
      return true
    case 'absent':
      return false
    default: {
      const [epoch, seq] = rest.map(part => countOf(part, 'where the log ends'))
      throw new LogError(
        'FANFOLD_FENCED',
        `a snapshot of ${doc} at ${describePosition(at)}, which is not in the log: that ends at ${epoch}:${seq}`,
      )
    }
  }
}

/** It would die by itself. */
async function remove({ connection }: SnapshotKeeping, key: string): Promise<void> {
  await connection.call(['unlink', key]).catch(() => undefined)
}
