import { type Position, zeroPosition } from '@fanfold/protocol'
import { damaged } from './log-error.ts'
import type { LogKeys } from './log-keys.ts'
import type { RedisCommand, RedisConnection } from './redis-connection.ts'
import { arrayOf, countOf, optionalBytes } from './reply.ts'

/** What a log says of itself. */
export type LogHead = {
  /** After its last record; its epoch is the highest claimed. */
  readonly position: Position
  /** Seq of the first record that is held; 1 before anything was trimmed. */
  readonly first: number
  /** Seqs of the snapshots kept, 0 for none. */
  readonly newer: number
  readonly older: number
}

const hashBytes = 32
const nothing: LogHead = { position: zeroPosition, first: 1, newer: 0, older: 0 }

/** Reads the head. @throws RedisFailure, LogError */
export async function readHead(connection: RedisConnection, keys: LogKeys): Promise<LogHead> {
  return decodeHead(await connection.call(headCommand(keys)), keys)
}

/** Asks for a head. */
export const headCommand = ({ head }: LogKeys): RedisCommand => ['hmget', head, ...headFields]

const headFields = ['epoch', 'seq', 'hash', 'first', 'newer', 'older']

/** A head, from what was answered. @throws LogError */
export function decodeHead(reply: unknown, keys: LogKeys): LogHead {
  const [epoch, seq, hash, first, newer, older] = arrayOf(reply, 'the head').map(field =>
    optionalBytes(field, 'a field of the head'),
  )
  if (epoch === undefined) return nothing
  if (hash?.length !== hashBytes) damaged(`the head ${keys.head} has no chain hash`)
  return {
    position: {
      epoch: countOf(epoch, 'the epoch of the head'),
      seq: countOf(seq, 'the seq of the head'),
      hash: Uint8Array.from(hash),
    },
    first: countOf(first, 'the first seq of the log'),
    newer: seqOfPlace(newer),
    older: seqOfPlace(older),
  }
}

/** Of `<epoch>:<seq>`. */
function seqOfPlace(place: Buffer | undefined): number {
  if (place === undefined) return 0
  return countOf(place.subarray(place.indexOf(':') + 1), 'the place of a snapshot')
}
