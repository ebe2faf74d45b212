/*
 * Logs that other stores write and this one follows. Again and again all their heads are asked for, many in one
 * command, and of those that have moved what is new is read and told. Nothing is kept waiting by it: while the Redis
 * does not answer nothing is told, and the next look finds it all.
 *
 * Bound: a look is one command for 256 logs, one at a time; of so many logs at a time something is read.
 */
import type { DocumentLog, Following } from './document-log.ts'
import { type Refusal, refusalOf } from './log-error.ts'
import { decodeHead, headCommand, type LogHead } from './log-head.ts'
import { type LogOpening, readOnTo } from './open-log.ts'
import { Places } from './places.ts'
import { mayPass, type RedisConnection } from './redis-connection.ts'
import { RedisFailure } from './redis-failure.ts'

/** Heads that one command asks for; in a cluster, where each may be elsewhere, it is one. */
const headsPerCommandMax = 256

/** How logs are followed. */
export type FollowedLogsOptions = {
  readonly connection: RedisConnection
  readonly everyMs: number
  readonly atWorkMax: number
  /** How a log is read, and who is told of it. */
  readonly opening: (log: DocumentLog, following: Following) => LogOpening
  /** The log cannot be followed any more. */
  readonly refuse: (log: DocumentLog, refusal: Refusal) => void
  /** The process must end. */
  readonly fail: (error: unknown) => void
}

/** The logs that a store follows. */
export class FollowedLogs {
  readonly #options: FollowedLogsOptions
  readonly #logs = new Map<DocumentLog, Following>()
  readonly #places: Places
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #isClosed = false

  constructor(options: FollowedLogsOptions) {
    this.#options = options
    this.#places = new Places(options.atWorkMax)
  }

  /** The log was told up to where it is known to be: what is appended to it is told from here on. */
  add(log: DocumentLog, following: Following): void {
    this.#logs.set(log, following)
    this.#lookLater()
  }

  /** It is followed no more; what is being read of it is still told, unless the following is over. */
  delete(log: DocumentLog): void {
    this.#logs.delete(log)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#logs.clear()
  }

  #lookLater(): void {
    if (this.#isClosed || this.#isLooking || this.#timer !== undefined) return
    if (this.#logs.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#look()
    }, this.#options.everyMs)
  }

  /** Never rejects: what goes wrong here ends the process. */
  async #look(): Promise<void> {
    this.#isLooking = true
    try {
      const idle = [...this.#logs].filter(([, { isReading }]) => !isReading)
      const { address } = this.#options.connection
      const size = address.kind === 'cluster' ? 1 : headsPerCommandMax
      for (let from = 0; from < idle.length; from += size) {
        await this.#lookAt(idle.slice(from, from + size))
      }
    } catch (error) {
      this.#options.fail(error)
    }
    this.#isLooking = false
    this.#lookLater()
  }

  async #lookAt(logs: readonly (readonly [DocumentLog, Following])[]): Promise<void> {
    const { connection } = this.#options
    let replies: unknown[]
    try {
      replies = await connection.callEach(logs.map(([{ keys }]) => headCommand(keys)))
    } catch (error) {
      if (error instanceof RedisFailure) return
      throw error
    }
    for (const [index, [log, following]] of logs.entries()) {
      // It may have been opened or closed meanwhile.
      if (this.#logs.get(log) === following) this.#take(log, following, replies[index])
    }
  }

  #take(log: DocumentLog, following: Following, reply: unknown): void {
    const { position } = following
    if (reply instanceof RedisFailure && mayPass(reply)) return
    let head: LogHead
    try {
      if (reply instanceof RedisFailure) throw reply
      head = decodeHead(reply, log.keys)
    } catch (error) {
      this.#refuse(log, following, refusalOf(error))
      return
    }
    const { epoch, seq } = head.position
    if (position === undefined || (epoch === position.epoch && seq === position.seq)) return
    following.isReading = true
    void this.#read(log, following, head)
  }

  async #read(log: DocumentLog, following: Following, head: LogHead): Promise<void> {
    const readOn = async (): Promise<void> => {
      const { position, isOver } = following
      if (position === undefined || isOver) return
      following.position = await readOnTo(this.#options.opening(log, following), head, position)
    }
    try {
      await log.behind(() => this.#places.hold(readOn))
    } catch (error) {
      this.#failed(log, following, error)
    }
    following.isReading = false
  }

  /** What only was not answered is asked for again with the next look. */
  #failed(log: DocumentLog, following: Following, error: unknown): void {
    if (error instanceof RedisFailure && mayPass(error)) return
    try {
      this.#refuse(log, following, refusalOf(error))
    } catch (failure) {
      this.#options.fail(failure)
    }
  }

  #refuse(log: DocumentLog, following: Following, refusal: Refusal): void {
    this.#logs.delete(log)
    if (following.isOver || following.isRefused) return
    following.isRefused = true
    this.#options.refuse(log, refusal)
  }
}
