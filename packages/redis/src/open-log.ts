/*
 * Brings a document back: its head, the newest snapshot that is whole and of this log, then the records
 * after it up to where the head stood.
 *
 * Other stores may append, keep snapshots and trim meanwhile. What is appended is not read: it is found
 * out at the next claim. What is trimmed beneath the reading, before anything was told, makes it begin
 * again; after that it is refused, and the same log may be opened again at once.
 */
import type { Chain, Snapshot } from '@fanfold/document'
import { copyBytes, equalBytes, type Sha256 } from '@fanfold/kernel'
import {
  type DocumentKey,
  describePosition,
  type LogRecord,
  type Position,
  zeroPosition,
} from '@fanfold/protocol'
import { bytesTarget, RangeSize, readEntries } from './log-entries.ts'
import { damaged, LogError } from './log-error.ts'
import { type LogHead, readHead } from './log-head.ts'
import type { LogKeys } from './log-keys.ts'
import { readSnapshot } from './read-snapshot.ts'
import type { RedisConnection } from './redis-connection.ts'

/** How often an opening begins again, as the log was trimmed beneath it. */
const attemptsMax = 5

/** What comes out while a log is opened, in order: at most one snapshot, then records. */
export type LogListener = {
  snapshot(snapshot: Snapshot): void
  records(records: readonly LogRecord[]): void
}

/** What is opened, and how. */
export type LogOpening = {
  readonly connection: RedisConnection
  readonly doc: DocumentKey
  readonly keys: LogKeys
  readonly chain: Chain
  readonly sha256: Sha256
  /** See `RedisConnection.ask`, for each command. */
  readonly withinMs: number
  readonly listener: LogListener
}

/**
 * Tells the log to the listener, and gives the position that it ended at.
 *
 * @throws RedisFailure, LogError
 */
export async function openLog(opening: LogOpening): Promise<Position> {
  for (let attempt = 1; ; attempt++) {
    const head = await askHead(opening)
    if (head.position.seq === 0) return await openNew(opening)
    const start = await findStart(opening, head)
    if (start !== undefined) {
      if (start.snapshot !== undefined) opening.listener.snapshot(start.snapshot)
      return await replay(opening, head, start.at)
    }
    const now = await askHead(opening)
    const hasMoved = now.first !== head.first || now.newer !== head.newer
    if (!hasMoved) {
      damaged(
        `no snapshot of ${opening.doc} is whole and of its log, which begins at ${head.first} of ${describePosition(head.position)}`,
      )
    }
    if (attempt >= attemptsMax) trimmedBeneath(opening.doc)
  }
}

/**
 * Tells what a log has after what was told of it before, up to its head, and gives the position that it ended at.
 *
 * @throws RedisFailure, LogError: `FANFOLD_LOG_LOST` where what was told is not in the log any more
 */
export async function readOn(opening: LogOpening, after: Position): Promise<Position> {
  return await readOnTo(opening, await askHead(opening), after)
}

/** The same where the head is known. @throws RedisFailure, LogError */
export async function readOnTo(
  opening: LogOpening,
  head: LogHead,
  after: Position,
): Promise<Position> {
  const end = head.position
  const isBehind = end.seq < after.seq || (end.seq === after.seq && !isSame(end, after))
  if (isBehind) wentAway(opening.doc, after, end)
  try {
    return await replay(opening, head, after)
  } catch (error) {
    const isAstray = error instanceof LogError && error.code === 'FANFOLD_LOG_DAMAGED'
    if (!isAstray || after.seq < head.first || (await isOfLog(opening, head, after))) throw error
    wentAway(opening.doc, after, end)
  }
}

function wentAway(doc: DocumentKey, told: Position, end: Position): never {
  throw new LogError(
    'FANFOLD_LOG_LOST',
    `what was read of ${doc} up to ${describePosition(told)} is not in its log any more, which ends at ${describePosition(end)}`,
  )
}

/** A document without a head has nothing, or somebody took its head away. */
async function openNew({ connection, doc, keys, withinMs }: LogOpening): Promise<Position> {
  const reply = await connection.ask(() => connection.call(['exists', keys.log]), withinMs)
  if (reply !== 0) damaged(`the log of ${doc} has records and no head`)
  return zeroPosition
}

/** Where records are read from; undefined when there is no such place, as things were read. */
async function findStart(
  opening: LogOpening,
  head: LogHead,
): Promise<{ readonly at: Position; readonly snapshot: Snapshot | undefined } | undefined> {
  const { keys } = opening
  for (const key of [head.newer > 0 ? keys.newer : '', head.older > 0 ? keys.older : '']) {
    if (key === '') continue
    const snapshot = await readSnapshot({ ...opening, key })
    if (snapshot !== undefined && (await isOfLog(opening, head, snapshot.manifest.at))) {
      return { at: snapshot.manifest.at, snapshot }
    }
  }
  return head.first === 1 ? { at: zeroPosition, snapshot: undefined } : undefined
}

/** Whether the log went through this position. */
async function isOfLog(opening: LogOpening, head: LogHead, at: Position): Promise<boolean> {
  if (at.seq > head.position.seq) return false
  if (at.seq === head.position.seq) return isSame(at, head.position)
  const { connection, keys, withinMs } = opening
  const range = { keys, from: at.seq, to: at.seq, count: 1 }
  const [record] = await connection.ask(() => readEntries(connection, range), withinMs)
  return record?.epoch === at.epoch && equalBytes(record.chainHash, at.hash)
}

/** Tells the records after `start` up to the head. */
async function replay(opening: LogOpening, head: LogHead, start: Position): Promise<Position> {
  const { connection, keys, chain, withinMs, listener } = opening
  const size = new RangeSize()
  const end = head.position
  let last = start
  while (last.seq < end.seq) {
    const count = size.countFor(bytesTarget)
    const range = { keys, from: last.seq + 1, to: end.seq, count }
    const records = await connection.ask(() => readEntries(connection, range), withinMs)
    if (records.length === 0) return await refuseGap(opening, last.seq + 1)
    size.note(records)
    for (const slice of slicesOf(records)) {
      for (const record of slice) {
        if (record.epoch < last.epoch || !chain.verifies(record, last.hash)) {
          damaged(
            `record ${record.epoch}:${record.seq} of ${opening.doc} does not follow the one before`,
          )
        }
        last = { epoch: record.epoch, seq: record.seq, hash: record.chainHash }
      }
      listener.records(slice)
      // Who is told replays in the same turn.
      await nextTurn()
    }
  }
  if (!isSame(last, end)) {
    damaged(`the head of ${opening.doc} is not its record at ${describePosition(end)}`)
  }
  return { epoch: end.epoch, seq: end.seq, hash: copyBytes(end.hash) }
}

/** What one turn of the loop checks and tells: one record, or more of them within `bytesTarget`. */
function* slicesOf(records: readonly LogRecord[]): Generator<LogRecord[]> {
  let slice: LogRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (slice.length > 0 && bytes + record.bytes.length > bytesTarget) {
      yield slice
      slice = []
      bytes = 0
    }
    slice.push(record)
    bytes += record.bytes.length
  }
  if (slice.length > 0) yield slice
}

/** Says why a record that was there at the head's word is not. */
async function refuseGap(opening: LogOpening, seq: number): Promise<never> {
  const head = await askHead(opening)
  if (seq < head.first) trimmedBeneath(opening.doc)
  if (seq <= head.position.seq) damaged(`record ${seq} of ${opening.doc} is missing`)
  throw new LogError(
    'FANFOLD_LOG_LOST',
    `records from ${seq} on of ${opening.doc} went while they were read: the log ends at ${describePosition(head.position)}`,
  )
}

const askHead = ({ connection, keys, withinMs }: LogOpening): Promise<LogHead> =>
  connection.ask(() => readHead(connection, keys), withinMs)

function trimmedBeneath(doc: DocumentKey): never {
  throw new LogError(
    'FANFOLD_LOG_UNREADABLE',
    `the log of ${doc} was trimmed again and again while it was opened: open it again`,
  )
}

const isSame = (a: Position, b: Position): boolean =>
  a.epoch === b.epoch && a.seq === b.seq && equalBytes(a.hash, b.hash)

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
