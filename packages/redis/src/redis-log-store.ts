/*
 * The log store on Redis: documents side by side, each document's opens and appends in order, readings
 * and snapshots beside them.
 *
 * Two connections, so that what is read holds up no append, and a third one to wait for replicas on. An
 * append is asked again until it is known; everything else is refused when the Redis does not answer.
 */
import { randomBytes } from 'node:crypto'
import {
  type AnsweredLogEffect,
  Chain,
  type LogEffect,
  type LogInput,
  type LogReadId,
  type LogStore,
  refusedLogEffect,
} from '@fanfold/document'
import { assert, equalBytes, toHex, unreachable } from '@fanfold/kernel'
import { type DocumentKey, describePosition } from '@fanfold/protocol'
import { type AppendOptions, appendBatch } from './append-batch.ts'
import { AppendDelay } from './append-delay.ts'
import { DocumentLog } from './document-log.ts'
import { bytesOfEffect, requireBatch } from './effect-answers.ts'
import { keepSnapshot } from './keep-snapshot.ts'
import { LogError, refused } from './log-error.ts'
import { LogOpenings } from './log-openings.ts'
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
  readonly #reading: RedisConnection
  readonly #appending: AppendOptions
  readonly #documents = new Map<DocumentKey, DocumentLog>()
  readonly #openings: LogOpenings
  /** Readings that were asked and are not answered. */
  readonly #asked = new Map<LogReadId, DocumentLog>()
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
    this.#openings = new LogOpenings({
      limits: this.#limits,
      connection: this.#reading,
      chain: new Chain(options.sha256),
      access: log => this.#access(log),
      requireReach: since => this.#requireReach(since),
      answer: input => this.#answer(input),
      fail: error => this.#fail(error),
    })
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
    this.#openings.close()
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

  #begin(effect: AnsweredLogEffect): void {
    const bytes = bytesOfEffect(effect)
    const full = this.#fullness(bytes)
    if (full !== undefined) {
      const refusal = { code: 'FANFOLD_LOG_FULL', message: full } as const
      queueMicrotask(() => this.#answer(refusedLogEffect(effect, refusal)))
      return
    }
    const log = this.#documents.get(effect.doc) ?? this.#add(effect.doc)
    this.#effectsWaiting++
    this.#bytesWaiting += bytes
    void this.#finish(effect, log, bytes)
  }

  /** Never rejects: what goes wrong here ends the process. */
  async #finish(effect: AnsweredLogEffect, log: DocumentLog, bytes: number): Promise<void> {
    let answer: LogInput | undefined
    try {
      answer = await this.#work(effect, log)
    } catch (error) {
      this.#fail(error)
    }
    // Who is answered may ask for more from inside, and there is room for it.
    this.#effectsWaiting--
    this.#bytesWaiting -= bytes
    if (log.isIdle && this.#documents.get(log.doc) === log) this.#documents.delete(log.doc)
    if (answer !== undefined) this.#answer(answer)
    if (this.#effectsWaiting === 0) this.#whenDone?.()
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

  /** The answer to an effect; undefined when nobody waits for it any more. */
  async #work(effect: AnsweredLogEffect, log: DocumentLog): Promise<LogInput | undefined> {
    switch (effect.kind) {
      case 'log-open':
        return this.#openings.open(effect, log, performance.now())
      case 'log-follow':
        return this.#openings.follow(effect, log, performance.now())
      case 'log-append':
        return this.#append(effect, log)
      case 'log-keep-snapshot':
        return this.#keepSnapshot(effect, log)
      case 'log-read':
        return this.#read(effect, log, performance.now())
      default:
        return unreachable(effect)
    }
  }

  async #append(effect: EffectOf<'log-append'>, log: DocumentLog): Promise<LogInput | undefined> {
    requireBatch(effect)
    log.beginAppend()
    const { doc, epoch, after, records } = effect
    const delay = new AppendDelay(this.#limits.answerWithinMs, message =>
      this.#answer({ kind: 'log-append-waits', doc, code: 'FANFOLD_LOG_UNREACHABLE', message }),
    )
    const append = async (): Promise<LogInput | undefined> => {
      requireFollows(log, effect)
      const waits = (reason: string) => delay.note(reason)
      const batch = { keys: log.keys, doc, epoch, after, records, waits }
      const end = await appendBatch(this.#appending, batch)
      if (end === undefined) return undefined
      log.moveTo(end)
      return { kind: 'log-appended', doc, seq: end.seq }
    }
    try {
      return await log.behind(() => this.#appends.hold(() => append().catch(refused(effect))))
    } finally {
      delay.end()
      log.endAppend()
    }
  }

  async #keepSnapshot(effect: EffectOf<'log-keep-snapshot'>, log: DocumentLog): Promise<LogInput> {
    const { doc, snapshot } = effect
    const { seq } = snapshot.manifest.at
    await log.behind(async () => {
      assert(log.position !== undefined, `${doc} was opened before a snapshot is kept`)
      const last = log.position.seq
      assert(seq > 0 && seq <= last, `a snapshot of ${doc} at 1 to ${last}, got ${seq}`)
    })
    const keep = async (): Promise<LogInput> => {
      const nextName = () => `${this.#name}-${this.#uploads++}`
      await keepSnapshot({ ...this.#access(log), snapshot, nextName })
      return { kind: 'log-snapshot-kept', doc, seq }
    }
    return await this.#snapshots.hold(() => keep().catch(refused(effect)))
  }

  async #read(
    effect: EffectOf<'log-read'>,
    log: DocumentLog,
    since: number,
  ): Promise<LogInput | undefined> {
    const { doc, read, after, bytesMax } = effect
    assert(log.position !== undefined, `${doc} is open while it is read`)
    assert(!this.#asked.has(read), `reading ${read} is asked once at a time`)
    this.#asked.set(read, log)
    // What `perform` starts answers later, also where there is nothing to wait for.
    await undefined
    const next = async (): Promise<LogInput | undefined> => {
      const end = log.position?.seq
      if (end === undefined || this.#asked.get(read) !== log) return undefined
      this.#requireReach(since)
      const { size } = log
      const records = await readLog({ ...this.#access(log), after, end, bytesMax, size })
      return { kind: 'log-read', doc, read, records }
    }
    const answer = await this.#readings.hold(() => next().catch(refused(effect)))
    if (this.#asked.get(read) !== log) return undefined
    this.#asked.delete(read)
    return answer
  }

  /** How a document's log is read and its snapshots are kept. */
  #access(log: DocumentLog) {
    return {
      connection: this.#reading,
      doc: log.doc,
      keys: log.keys,
      sha256: this.#options.sha256,
      withinMs: this.#limits.reachWithinMs,
    }
  }

  #close({ doc }: EffectOf<'log-close'>): void {
    const log = this.#documents.get(doc)
    // What is not open, nor waits to be, needs no closing.
    if (log === undefined) return
    log.requireQuiet()
    this.#openings.endFollowing(log)
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
    equalBytes(after.hash, position.hash)
  if (isNext) return
  throw new LogError(
    'FANFOLD_FENCED',
    `a batch of ${doc} follows ${describePosition(after)}, its log was at ${describePosition(position)} when it was last told`,
  )
}
