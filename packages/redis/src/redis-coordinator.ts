/*
 * The coordinator on Redis: members meet under one hash tag, and each node looks there again and again.
 *
 * One thing after the other on one connection: effects in their order, and between them a look, every half a
 * second or when a hint says so. So what is told is in the order in which the server did it. A look also
 * writes, in a way that changes nothing: a server that is out of memory, or a replica, is as lost as one that
 * is not there, and found again only when it takes writes.
 *
 * It is lost when nothing was answered for `lostAfterMs`, or when the server refuses a command. The time in
 * which this process stood still does not count. Lost, it looks on, and everything is told anew when it is found.
 */
import { randomBytes } from 'node:crypto'
import { assert, Prng, toHex } from '@fanfold/kernel'
import {
  type Coordinator,
  type CoordinatorEffect,
  type CoordinatorInput,
  coordinatorLimits,
} from '@fanfold/topology'
import {
  requireBounds,
  unanswered,
  type WritingAccess,
  type WritingEffect,
  write,
} from './coordinator-command.ts'
import { type CoordinatorKeys, coordinatorKeysOf } from './coordinator-keys.ts'
import { type MembersReading, probeOf, readMembers } from './read-members.ts'
import { noChange, type PlacementsReading, readPlacements } from './read-placements.ts'
import {
  connectWithinMsDefault,
  mayPass,
  RedisConnection,
  silenceMaxMsDefault,
} from './redis-connection.ts'
import {
  coordinatorLimitsOf,
  type RedisCoordinatorLimits,
  type RedisCoordinatorOptions,
} from './redis-coordinator-options.ts'
import { RedisFailure } from './redis-failure.ts'
import { RedisHints } from './redis-hints.ts'
import { MistakenReply } from './reply.ts'

/** Bytes that name a coordinator in what it places. */
const nameBytes = 16
/** A timer that is later than this was held up by this process, ms. */
const ownPauseMs = 100
const noReason = 'no answer came'

/**
 * A coordinator on a Redis that other processes may use too. It begins to connect; a Redis that is not there
 * is told by `coordinator-lost`.
 *
 * @throws RedisAddressError, RangeError when an option is not what it must be
 */
export const createRedisCoordinator = (options: RedisCoordinatorOptions): Coordinator =>
  new RedisCoordinator(options)

type Task = { readonly effect: WritingEffect; isOver: boolean }

class RedisCoordinator implements Coordinator {
  readonly #options: RedisCoordinatorOptions
  readonly #limits: RedisCoordinatorLimits
  readonly #keys: CoordinatorKeys
  readonly #connection: RedisConnection
  readonly #hints: RedisHints | undefined
  readonly #access: Omit<WritingAccess, 'ask'>
  readonly #whenDone: Promise<void>
  #tasks: Task[] = []
  /** The one under way. */
  #task: Task | undefined
  #isWatching = false
  #isLost = false
  #isClosed = false
  #isOver = false
  #hasFailed = false
  #wake: () => void = () => undefined
  #lossTimer: NodeJS.Timeout | undefined
  /** Since when nothing was answered; by the monotonic clock, as all that follows, ms. */
  #silentSince: number = performance.now()
  /** Why, as far as is known. */
  #reason = noReason
  #lookAt = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  /** When all members are to be read. */
  #readAllAt = 0
  #lastWord = 0
  #change = noChange
  /** True until all placements were told, at first and since it was found. */
  #isToldNothing = true

  constructor(options: RedisCoordinatorOptions) {
    this.#options = options
    this.#limits = coordinatorLimitsOf(options)
    this.#keys = coordinatorKeysOf(this.#limits.keyPrefix)
    const name = toHex(randomBytes(nameBytes))
    this.#connection = new RedisConnection({
      address: options.address,
      connectionName: connectionName('members', options),
      connectWithinMs: options.connectWithinMs,
      silenceMaxMs: options.silenceMaxMs,
      seed: name,
    })
    this.#hints = this.#listen(name)
    const [connection, keys, limits] = [this.#connection, this.#keys, this.#limits]
    this.#access = { connection, keys, limits, name }
    this.#expectAnswers()
    // In a turn of its own: whoever made it has it before it tells anything.
    this.#whenDone = Promise.resolve()
      .then(() => this.#run())
      .catch(error => this.#fail(error))
  }

  perform(effect: CoordinatorEffect): void {
    assert(!this.#isClosed, `a coordinator that is open, got ${effect.kind}`)
    if (this.#hasFailed) return
    if (effect.kind === 'coordinator-watch') {
      this.#isWatching = true
      this.#lookAt = 0
    } else {
      this.#begin(effect)
    }
    this.#wake()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    // What only looks is not waited for.
    if (this.#task === undefined && this.#tasks.length === 0) this.#end()
    this.#wake()
    await this.#whenDone
    this.#end()
  }

  #listen(name: string): RedisHints | undefined {
    const { address } = this.#connection
    // There is one channel for all of a cluster: it goes without.
    if (address.kind === 'cluster') return undefined
    return new RedisHints({
      address,
      connectionName: connectionName('hints', this.#options),
      connectWithinMs: this.#options.connectWithinMs ?? connectWithinMsDefault,
      silenceMaxMs: this.#options.silenceMaxMs ?? silenceMaxMsDefault,
      prng: new Prng(`${name}/hints`),
      channel: this.#keys.hints,
      onHint: () => {
        if (!this.#isWatching) return
        this.#lookAt = Math.min(this.#lookAt, this.#lookedAt + this.#limits.hintedEveryMs)
        this.#wake()
      },
    })
  }

  #begin(effect: WritingEffect): void {
    requireBounds(effect)
    const { effectsWaitingMax } = this.#limits
    const isFull = this.#tasks.length >= effectsWaitingMax
    if (!this.#isLost && !isFull) {
      this.#tasks.push({ effect, isOver: false })
    } else if (effect.kind === 'coordinator-place') {
      const reason = this.#isLost ? this.#reason : `${effectsWaitingMax} effects wait already`
      queueMicrotask(() => this.#tell(unanswered(effect, reason)))
    }
  }

  /** Does one thing after the other, until the coordinator is closed and all is done. */
  async #run(): Promise<void> {
    while (!this.#isOver) {
      if (!this.#isClosed && performance.now() >= this.#lookAt) await this.#look()
      for (let count = this.#tasks.length; count > 0 && !this.#isOver; count--) await this.#write()
      if (this.#tasks.length > 0) continue
      if (this.#isClosed) return
      await this.#sleep(this.#lookAt - performance.now())
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.#isOver) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => undefined
  }

  async #write(): Promise<void> {
    const task = this.#tasks.shift()
    if (task === undefined) return
    this.#task = task
    let answer: CoordinatorInput | undefined
    try {
      const ask = (attempt: () => Promise<unknown>): Promise<unknown> =>
        this.#ask(async () => {
          if (task.isOver) throw new RedisFailure('refused', 'it is given up')
          return await attempt()
        })
      answer = await write({ ...this.#access, ask }, task.effect)
    } catch (error) {
      const reason = this.#noteFailure(error)
      if (task.effect.kind === 'coordinator-place') answer = unanswered(task.effect, reason)
    }
    this.#task = undefined
    if (answer !== undefined && !task.isOver) this.#tell(answer)
  }

  async #look(): Promise<void> {
    this.#lookedAt = performance.now()
    this.#lookAt = this.#lookedAt + this.#limits.readEveryMs
    try {
      if (this.#isLost || !this.#isWatching) {
        await this.#ask(() => this.#connection.call(probeOf(this.#keys)))
      }
      if (this.#isWatching) await this.#read()
      else if (this.#isLost) this.#find()
    } catch (error) {
      this.#noteFailure(error)
    }
  }

  async #read(): Promise<void> {
    const connection = this.#connection
    const keys = this.#keys
    const wasLost = this.#isLost
    const isAnew = wasLost || this.#isToldNothing
    const isAll = isAnew || this.#lookedAt >= this.#readAllAt
    const since = isAll ? 0 : this.#lastWord
    const members = await this.#ask(() => readMembers({ connection, keys, since }))
    const known = isAnew ? noChange : this.#change
    const { number, id } = members.change
    const isChanged = isAnew || number !== known.number || id !== known.id
    const placements = isChanged
      ? await this.#ask(() => readPlacements({ connection, keys, since: known }))
      : undefined
    // Lost while it read: the next look tells everything anew.
    if (this.#isLost && !wasLost) return
    if (wasLost) this.#find()
    if (placements !== undefined) this.#tellPlacements(placements)
    if (isAll) this.#readAllAt = this.#lookedAt + this.#limits.readAllEveryMs
    this.#tellMembers(members)
  }

  #tellPlacements({ isWhole, placements, change }: PlacementsReading): void {
    this.#change = change
    this.#isToldNothing = false
    this.#tell({ kind: 'placements-read', isWhole, placements })
  }

  #tellMembers({ pieces, last }: MembersReading): void {
    // A server that counts anew was emptied, or another has taken its place.
    const known = this.#lastWord > last ? 0 : this.#lastWord
    this.#lastWord = last
    const { value: keptForMs } = coordinatorLimits.keptForMs
    for (const words of pieces) {
      const members = words.flatMap(({ bytes, ageMs }) =>
        bytes === undefined || ageMs >= keptForMs ? [] : [{ bytes, ageMs }],
      )
      this.#tell({ kind: 'members-heard', members })
      for (const { node, incarnation, bytes, number } of words) {
        if (bytes !== undefined || number <= known) continue
        this.#tell({ kind: 'member-withdrawn', node, incarnation })
      }
    }
  }

  /** Does something until there is an answer, and notes that there was one. @throws RedisFailure, MistakenReply */
  async #ask<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
    const noted = async (): Promise<Answer> => {
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof RedisFailure && mayPass(error)) this.#reason = error.message
        throw error
      }
    }
    const answer = await this.#connection.ask(noted, this.#limits.lostAfterMs)
    this.#silentSince = performance.now()
    this.#reason = noReason
    return answer
  }

  /** Notes what failed: what passes counts as silence, anything else as a loss. Its reason. */
  #noteFailure(error: unknown): string {
    if (!(error instanceof RedisFailure || error instanceof MistakenReply)) throw error
    if (error instanceof MistakenReply || !mayPass(error)) this.#lose(error.message)
    return error.message
  }

  /** Looks after the time over which nothing is answered. */
  #expectAnswers(): void {
    const dueAt = this.#silentSince + this.#limits.lostAfterMs
    const look = (): void => {
      const lateMs = performance.now() - dueAt
      // This process stood still: what was answered meanwhile is still to be read.
      if (lateMs > ownPauseMs) this.#silentSince += lateMs
      const silentMs = performance.now() - this.#silentSince
      if (silentMs < this.#limits.lostAfterMs) this.#expectAnswers()
      else this.#lose(`nothing was answered for ${Math.round(silentMs)} ms: ${this.#reason}`)
    }
    this.#lossTimer = setTimeout(look, Math.max(1, Math.ceil(dueAt - performance.now())))
  }

  #lose(reason: string): void {
    if (this.#isLost || this.#isOver) return
    this.#isLost = true
    this.#reason = reason
    clearTimeout(this.#lossTimer)
    const tasks = this.#task === undefined ? this.#tasks : [this.#task, ...this.#tasks]
    this.#tasks = []
    this.#tell({
      kind: 'coordinator-lost',
      code: 'FANFOLD_COORDINATOR_UNREACHABLE',
      message: `the Redis where members meet: ${reason}`,
    })
    for (const task of tasks) {
      task.isOver = true
      const { effect } = task
      if (effect.kind === 'coordinator-place') this.#tell(unanswered(effect, reason))
    }
    this.#wake()
  }

  #find(): void {
    if (this.#isClosed) return
    this.#isLost = false
    this.#isToldNothing = true
    this.#expectAnswers()
    this.#tell({ kind: 'coordinator-found' })
  }

  #tell(input: CoordinatorInput): void {
    if (this.#isOver) return
    try {
      this.#options.receive(input)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#end()
    const { onFatal } = this.#options
    // In a turn of its own, so that what it throws is nobody's to catch.
    queueMicrotask(() => {
      if (onFatal === undefined) throw error
      onFatal(error)
    })
  }

  #end(): void {
    this.#isOver = true
    clearTimeout(this.#lossTimer)
    this.#hints?.close()
    this.#connection.close()
    this.#wake()
  }
}

/** The server takes no spaces in a name. */
const connectionName = (purpose: string, { nodeId }: RedisCoordinatorOptions): string =>
  `fanfold-${purpose}:${nodeId.replace(/[^!-~]/g, '_')}`
