/*
 * Makes a batch durable, and answers only what it knows.
 *
 * A connection that ends leaves it open whether the batch is in: it is asked again, as often as it takes,
 * and the script tells a batch that is in already. That the server had no room is believed only while
 * every attempt before it is known to have done nothing: one that lost its connection may lie in the
 * server's socket still, and be done later.
 */
import { assert, copyBytes } from '@fanfold/kernel'
import { describePosition, type LogRecord, type Position } from '@fanfold/protocol'
import { damaged, LogError, refusalOf, UnknownOutcome } from './log-error.ts'
import type { LogKeys } from './log-keys.ts'
import { mayPass, type RedisConnection } from './redis-connection.ts'
import { RedisFailure } from './redis-failure.ts'
import { loadScript } from './redis-script.ts'
import { arrayOf, bytesOf, countOf } from './reply.ts'

/** What all batches of a store have in common. */
export type AppendOptions = {
  /** Carries the batches. */
  readonly connection: RedisConnection
  /** Waits for replicas, where some are asked for. */
  readonly confirming: RedisConnection | undefined
  /** Names the store in what it claims: 16 bytes, drawn once. */
  readonly writer: Uint8Array
  readonly nodeId: string
  /** Replicas that must have a batch. */
  readonly replicas: number
  /** How long one WAIT waits for them, ms. */
  readonly replicasWithinMs: number
  /** True when the store has given up waiting. */
  readonly isOver: () => boolean
}

/** A batch of records of one epoch. */
export type Batch = {
  readonly keys: LogKeys
  readonly doc: string
  readonly epoch: number
  readonly after: Position
  readonly records: readonly LogRecord[]
  /** Told why the batch is not in yet, each time it is not. */
  readonly waits: (reason: string) => void
}

const append = loadScript('append-records-3')
const confirm = loadScript('confirm-append-2')

/**
 * Appends a batch. Gives the position after it; undefined when the store was closed before that was known.
 *
 * @throws LogError when nothing of the batch is in the log nor ever will be
 * @throws UnknownOutcome when nobody can know
 */
export async function appendBatch(
  options: AppendOptions,
  batch: Batch,
): Promise<Position | undefined> {
  const { connection, replicas } = options
  const backoff = connection.backoff()
  const end = endOf(batch)
  /** True when an attempt was done, or may be yet. */
  let isUnsettled = false
  while (!options.isOver()) {
    try {
      await send(options, { batch, end, isUnsettled })
      if (replicas === 0) return end
      isUnsettled = true
      const reached = await replicasReached(options, batch, end)
      if (reached >= replicas) return end
      batch.waits(`${reached} of ${replicas} replicas have it`)
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error
      if (!isUnsettled && !mayPass(error)) throw settled(error)
      if (error.kind === 'no-answer') isUnsettled = true
      batch.waits(error.message)
      await connection.pause(backoff)
    }
  }
  return undefined
}

/** Asks for the batch to be appended. Returns when it is in the log. */
async function send(
  { connection, writer, nodeId }: AppendOptions,
  { batch, end, isUnsettled }: { batch: Batch; end: Position; isUnsettled: boolean },
): Promise<void> {
  const { keys, doc, epoch, after, records } = batch
  const args = [writer, nodeId, epoch, after.epoch, after.seq, after.hash, end.hash]
  const reply = await connection.run(
    append,
    [keys.head, keys.log, keys.claims],
    [...args, ...records.map(record => record.bytes)],
  )
  const [outcome, ...rest] = arrayOf(reply, 'what became of a batch').map(part =>
    bytesOf(part, 'what became of a batch').toString('utf8'),
  )
  const stretch = `${epoch}:${after.seq + 1} to ${describePosition(end)} of ${doc}`
  switch (outcome) {
    case 'appended':
      return
    case 'forgotten':
      if (isUnsettled) {
        throw new UnknownOutcome(
          `whether ${stretch} is in the log: it is at ${rest[0]}:${rest[1]}, and tells of no epoch so old`,
        )
      }
      return fenced(stretch, rest)
    case 'fenced':
      return fenced(stretch, rest)
    case 'lost': {
      const [from, to, ...head] = rest
      throw new LogError(
        'FANFOLD_LOG_LOST',
        `records ${from} to ${to} of ${doc} were durable and are gone: the log is at ${describeHead(head)}`,
      )
    }
    default:
      return damaged(`${keys.log}: ${rest[0] ?? outcome}`)
  }
}

/**
 * How many replicas have the batch, which is in the log. A WAIT is for what its own connection has written:
 * so something is written before it, on the condition that the batch is there.
 */
async function replicasReached(
  { connection, confirming, writer, replicas, replicasWithinMs }: AppendOptions,
  { keys, epoch }: Batch,
  end: Position,
): Promise<number> {
  const carrier = confirming ?? connection
  const call = { script: confirm, keys: [keys.head, keys.claims], args: [writer, epoch, end.seq] }
  const [isIn, reached] = await carrier
    .runThen(call, ['wait', replicas, replicasWithinMs])
    .catch(async error => {
      // Of a cluster that moved the document, one command by itself finds out where to.
      await carrier.call(['exists', keys.head])
      throw error
    })
  if (isIn === 1) return countOf(reached, 'a count of replicas')
  throw new RedisFailure('not-now', 'another server has become the master')
}

function fenced(stretch: string, [epoch, seq, node]: readonly string[]): never {
  throw new LogError(
    'FANFOLD_FENCED',
    `${stretch} is not appended: the log is at ${describeHead([epoch, seq, node])}`,
  )
}

const describeHead = ([epoch, seq, node]: readonly (string | undefined)[]): string =>
  epoch === '0' ? 'its beginning' : `${epoch}:${seq}, written by ${node}`

/** A failure of which it is known that nothing was done. */
function settled(failure: RedisFailure): LogError {
  const { code, message } = refusalOf(failure)
  // Not allowed to write is no matter of reading.
  return new LogError(code === 'FANFOLD_LOG_UNREADABLE' ? 'FANFOLD_LOG_UNREACHABLE' : code, message)
}

function endOf({ epoch, after, records }: Batch): Position {
  const last = records.at(-1)
  assert(last !== undefined, 'a batch has at least one record')
  return { epoch, seq: after.seq + records.length, hash: copyBytes(last.chainHash) }
}
