/*
 * The log store on Redis: documents side by side, each document's opens and appends in order, readings
 * and snapshots beside them.
 *
 * Two connections, so that what is read holds up no append, and a third one to wait for replicas on. An
 * append is asked again until it is known; everything else is refused when the Redis does not answer.
 */
import { randomBytes } from 'node:crypto'
import {
  Chain,
  type LogEffect,
  type LogInput,
  type LogReadId,
  type LogStore,
} from '@fanfold/document'
import { assert, toHex, unreachable } from '@fanfold/kernel'
import { type DocumentKey, describePosition } from '@fanfold/protocol'
import { type AppendOptions, appendBatch } from './append-batch.ts'
import { AppendDelay } from './append-delay.ts'
import { DocumentLog } from './document-log.ts'
import {
  type AnsweredEffect,
  bytesOfEffect,
  refusedAnswer,
  requireBatch,
} from './effect-answers.ts'
import { keepSnapshot } from './keep-snapshot.ts'
import { LogError, refusalOf } from './log-error.ts'
import { openLog } from './open-log.ts'
import { Places } from './places.ts'
import { readLog } from './read-log.ts'
import { RedisConnection } from './redis-connection.ts'
import { limitsOf, type RedisLogLimits, type RedisLogStoreOptions } from './redis-log-options.ts'

/** Bytes that name a store in what it claims. */
const writerBytes = 16

/**
 * A log store on a Redis that other processes may use too. It begins to connect; a Redis that is not
 * there is told by the answers.
 *
 * @throws RedisAddressError, RangeError when an option is not what it must be
 */
export const createRedisLogStore = (options: RedisLogStoreOptions): LogStore =>
  new RedisLogStore(options)

type EffectOf<Kind extends LogEffect['kind']> = Extract<LogEffect, { kind: Kind }>

class RedisLogStore implements LogStore {
  readonly #options: RedisLogStoreOptions
  readonly #limits: RedisLogLimits
  readonly #name: string
  readonly #chain: Chain
  readonly #reading: RedisConnection
  readonly #appending: AppendOptions
  readonly #documents = new Map<DocumentKey, DocumentLog>()
  /** Readings that were asked and are not answered. */
  readonly #asked = new Map<LogReadId, DocumentLog>()
  readonly #opens: Places
  readonly #appends: Places
  readonly #readings: Places
  readonly #snapshots: Places
  #uploads = 0
  #effectsWaiting = 0
  #bytesWaiting = 0
  #hasFailed = false
  #isClosed = false
  #isOver = false
  #whenDone: (() => void) | undefined

  constructor(options: RedisLogStoreOptions) {
    this.#options = options
    this.#limits = limitsOf(options)
    const writer = (options.randomBytes ?? randomBytes)(writerBytes)
    this.#name = toHex(writer)
    this.#chain = new Chain(options.sha256)
    this.#reading = this.#connect('read')
    this.#appending = {
      connection: this.#connect('append'),
      confirming: this.#limits.replicas > 0 ? this.#connect('wait') : undefined,
      writer,
      nodeId: options.nodeId,
      replicas: this.#limits.replicas,
      replicasWithinMs: this.#limits.replicasWithinMs,
      isOver: () => this.#isOver,
    }
    this.#opens = new Places(this.#limits.opensAtWorkMax)
    this.#appends = new Places(this.#limits.appendsAtWorkMax)
    this.#readings = new Places(this.#limits.readingsAtWorkMax)
    this.#snapshots = new Places(this.#limits.snapshotsAtWorkMax)
  }

  perform(effect: LogEffect): void {
    assert(!this.#isClosed, `no ${effect.kind} after close`)
    if (this.#hasFailed) return
    switch (effect.kind) {
      case 'log-close':
        this.#close(effect)
        return
      case 'log-read-close':
        this.#asked.delete(effect.read)
        return
      default:
        this.#begin(effect)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    let timer: NodeJS.Timeout | undefined
    if (this.#effectsWaiting > 0) {
      await new Promise<void>(resolve => {
        this.#whenDone = resolve
        timer = setTimeout(resolve, this.#limits.closeWithinMs)
      })
    }
    clearTimeout(timer)
    this.#isOver = true
    this.#documents.clear()
    const { connection, confirming } = this.#appending
    for (const each of [this.#reading, connection, confirming]) each?.close()
  }

  #connect(purpose: string): RedisConnection {
    const { address, nodeId, connectWithinMs, silenceMaxMs } = this.#options
    return new RedisConnection({
      address,
      // The server takes no spaces in a name.
      connectionName: `fanfold-log-${purpose}:${nodeId.replace(/[^!-~]/g, '_')}`,
      connectWithinMs,
      silenceMaxMs,
      seed: `${this.#name}/${purpose}`,
    })
  }

  #begin(effect: AnsweredEffect): void {
    const bytes = bytesOfEffect(effect)
    const full = this.#fullness(bytes)
    if (full !== undefined) {
      const refusal = { code: 'FANFOLD_LOG_FULL', message: full } as const
      queueMicrotask(() => this.#answer(refusedAnswer(effect, refusal)))
      return
    }
    const log = this.#documents.get(effect.doc) ?? this.#add(effect.doc)
    this.#effectsWaiting++
    this.#bytesWaiting += bytes
    void this.#work(effect, log)
      .catch(error => this.#fail(error))
      .finally(() => {
        this.#effectsWaiting--
        this.#bytesWaiting -= bytes
        if (log.isIdle && this.#documents.get(log.doc) === log) this.#documents.delete(log.doc)
        if (this.#effectsWaiting === 0) this.#whenDone?.()
      })
  }

  /** Why there is no room for an effect that brings so many bytes; undefined when there is. */
  #fullness(bytes: number): string | undefined {
    const { effectsWaitingMax, bytesWaitingMax } = this.#limits
    if (this.#effectsWaiting >= effectsWaitingMax) {
      return `${this.#effectsWaiting} effects wait already`
    }
    if (bytes > 0 && this.#bytesWaiting + bytes > bytesWaitingMax) {
      return `${this.#bytesWaiting} bytes wait already, ${bytes} are too many`
    }
    return undefined
  }

  #add(doc: DocumentKey): DocumentLog {
    const log = new DocumentLog(this.#limits.keyPrefix, doc)
    this.#documents.set(doc, log)
    return log
  }

  async #work(effect: AnsweredEffect, log: DocumentLog): Promise<void> {
    switch (effect.kind) {
      case 'log-open':
        return this.#open(effect, log, performance.now())
      case 'log-append':
        return this.#append(effect, log)
      case 'log-keep-snapshot':
        return this.#keepSnapshot(effect, log)
      case 'log-read':
        return this.#read(effect, log)
      default:
        unreachable(effect)
    }
  }

  async #open(effect: EffectOf<'log-open'>, log: DocumentLog, since: number): Promise<void> {
    const { doc } = effect
    await log.behind(() =>
      this.#opens.hold(async () => {
        assert(log.position === undefined, `${doc} is opened once until it is closed`)
        try {
          this.#requireReach(since)
          const position = await openLog({
            connection: this.#reading,
            doc,
            keys: log.keys,
            chain: this.#chain,
            sha256: this.#options.sha256,
            withinMs: this.#limits.reachWithinMs,
            listener: {
              snapshot: snapshot => this.#answer({ kind: 'log-snapshot', doc, snapshot }),
              records: records => this.#answer({ kind: 'log-records', doc, records }),
            },
          })
          log.moveTo(position)
          this.#answer({ kind: 'log-opened', doc, epoch: position.epoch })
        } catch (error) {
          this.#answer(refusedAnswer(effect, refusalOf(error)))
        }
      }),
    )
  }

  async #append(effect: EffectOf<'log-append'>, log: DocumentLog): Promise<void> {
    requireBatch(effect)
    log.beginAppend()
    const { doc, epoch, after, records } = effect
    const delay = new AppendDelay(this.#limits.answerWithinMs, message =>
      this.#answer({ kind: 'log-append-waits', doc, code: 'FANFOLD_LOG_UNREACHABLE', message }),
    )
    try {
      await log.behind(async () => {
        const answer = await this.#appends.hold(async () => {
          try {
            requireFollows(log, effect)
            const waits = (reason: string) => delay.note(reason)
            const batch = { keys: log.keys, doc, epoch, after, records, waits }
            const end = await appendBatch(this.#appending, batch)
            if (end === undefined) return undefined
            log.moveTo(end)
            return { kind: 'log-appended', doc, seq: end.seq } as const
          } catch (error) {
            return refusedAnswer(effect, refusalOf(error))
          }
        })
        delay.end()
        log.endAppend()
        if (answer !== undefined) this.#answer(answer)
      })
    } finally {
      delay.end()
    }
  }

  async #keepSnapshot(effect: EffectOf<'log-keep-snapshot'>, log: DocumentLog): Promise<void> {
    const { doc, snapshot } = effect
    const { seq } = snapshot.manifest.at
    await log.behind(async () => {
      assert(log.position !== undefined, `${doc} was opened before a snapshot is kept`)
      const last = log.position.seq
      assert(seq > 0 && seq <= last, `a snapshot of ${doc} at 1 to ${last}, got ${seq}`)
    })
    await this.#snapshots.hold(async () => {
      try {
        await keepSnapshot({
          connection: this.#reading,
          doc,
          keys: log.keys,
          snapshot,
          sha256: this.#options.sha256,
          withinMs: this.#limits.reachWithinMs,
          nextName: () => `${this.#name}-${this.#uploads++}`,
        })
        this.#answer({ kind: 'log-snapshot-kept', doc, seq })
      } catch (error) {
        this.#answer(refusedAnswer(effect, refusalOf(error)))
      }
    })
  }

  async #read(effect: EffectOf<'log-read'>, log: DocumentLog): Promise<void> {
    const { doc, read, after, bytesMax } = effect
    assert(log.position !== undefined, `${doc} is open while it is read`)
    assert(!this.#asked.has(read), `reading ${read} is asked once at a time`)
    this.#asked.set(read, log)
    const since = performance.now()
    // What `perform` starts answers later, also where there is nothing to wait for.
    await undefined
    await this.#readings.hold(async () => {
      const end = log.position?.seq ?? 0
      if (this.#asked.get(read) !== log) return
      let answer: LogInput
      try {
        this.#requireReach(since)
        const records = await readLog({
          connection: this.#reading,
          doc,
          keys: log.keys,
          withinMs: this.#limits.reachWithinMs,
          after,
          end,
          bytesMax,
          size: log.size,
        })
        answer = { kind: 'log-read', doc, read, records }
      } catch (error) {
        answer = refusedAnswer(effect, refusalOf(error))
      }
      // Who is answered may ask again from inside.
      if (this.#asked.get(read) !== log) return
      this.#asked.delete(read)
      this.#answer(answer)
    })
  }

  #close({ doc }: EffectOf<'log-close'>): void {
    const log = this.#documents.get(doc)
    // What is not open, nor waits to be, needs no closing.
    if (log === undefined) return
    log.requireQuiet()
    for (const [read, other] of this.#asked) if (other === log) this.#asked.delete(read)
    void log
      .behind(async () => log.forget())
      .then(() => {
        if (log.isIdle && this.#documents.get(doc) === log) this.#documents.delete(doc)
      })
  }

  /** What has waited in line for so long that its time is over is refused where nothing can be reached. */
  #requireReach(since: number): void {
    const waitedMs = performance.now() - since
    if (this.#reading.isReady || waitedMs < this.#limits.reachWithinMs) return
    throw new LogError(
      'FANFOLD_LOG_UNREACHABLE',
      `the Redis of the log has not been reached for ${Math.round(waitedMs)} ms: ${this.#reading.lastError}`,
    )
  }

  #answer(input: LogInput): void {
    if (this.#hasFailed || this.#isOver) return
    try {
      this.#options.receive(input)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#isOver = true
    const { onFatal } = this.#options
    // In a turn of its own, so that what it throws is nobody's to catch.
    queueMicrotask(() => {
      if (onFatal === undefined) throw error
      onFatal(error)
    })
  }
}

/** An append follows what this store was told is durable: what follows something else is another's. */
function requireFollows(log: DocumentLog, { doc, after }: EffectOf<'log-append'>): void {
  const { position } = log
  assert(position !== undefined, `${doc} was opened before it is written`)
  const isNext =
    after.seq === position.seq &&
    after.epoch === position.epoch &&
    toHex(after.hash) === toHex(position.hash)
  if (isNext) return
  throw new LogError(
    'FANFOLD_FENCED',
    `a batch of ${doc} follows ${describePosition(after)}, its log was at ${describePosition(position)} when it was last told`,
  )
}
