/*
 * Brings documents back, for who is to write them and for who follows them as others write: so many at a time, and the
 * effects of each document one after the other.
 */
import type { Chain, LogEffect, LogInput } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { DocumentLog, Following } from './document-log.ts'
import { FollowedLogs } from './followed-logs.ts'
import { refused } from './log-error.ts'
import { type LogOpening, openLog, readOn } from './open-log.ts'
import { Places } from './places.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisLogLimits } from './redis-log-options.ts'

type EffectOf<Kind extends LogEffect['kind']> = Extract<LogEffect, { kind: Kind }>

/** What opens and follows. */
export type LogOpeningsOptions = {
  readonly limits: RedisLogLimits
  readonly connection: RedisConnection
  readonly chain: Chain
  /** How a document's log is read. */
  readonly access: (log: DocumentLog) => Omit<LogOpening, 'chain' | 'listener'>
  /** @throws LogError when nothing has been reached for as long as this has waited */
  readonly requireReach: (since: number) => void
  readonly answer: (input: LogInput) => void
  /** The process must end. */
  readonly fail: (error: unknown) => void
}

/** The openings of a store. */
export class LogOpenings {
  readonly #options: LogOpeningsOptions
  readonly #places: Places
  readonly #followed: FollowedLogs

  constructor(options: LogOpeningsOptions) {
    const { limits, connection, answer, fail } = options
    this.#options = options
    this.#places = new Places(limits.opensAtWorkMax)
    this.#followed = new FollowedLogs({
      connection,
      everyMs: limits.followEveryMs,
      atWorkMax: limits.followsAtWorkMax,
      opening: (log, following) => this.#opening(log, following),
      refuse: ({ doc }, refusal) => answer({ kind: 'log-open-refused', doc, ...refusal }),
      fail,
    })
  }

  /** Tells a log, or of one that is followed what was not told of it; undefined when that was refused before. */
  open(
    effect: EffectOf<'log-open'>,
    log: DocumentLog,
    since: number,
  ): Promise<LogInput | undefined> {
    const { doc } = effect
    const { followed } = log
    if (followed !== undefined) {
      followed.isTaken = true
      this.#followed.delete(log)
    }
    const open = async (): Promise<LogInput | undefined> => {
      assert(log.position === undefined, `${doc} is opened once until it is closed`)
      if (followed?.isRefused === true) return undefined
      this.#options.requireReach(since)
      const opening = this.#opening(log)
      const after = followed?.position
      const position = after === undefined ? await openLog(opening) : await readOn(opening, after)
      log.endFollowing()
      log.moveTo(position)
      return { kind: 'log-opened', doc, epoch: position.epoch }
    }
    const refuse = (error: unknown): LogInput => {
      if (followed !== undefined) followed.isRefused = true
      return refused(effect)(error)
    }
    return log.behind(() => this.#places.hold(() => open().catch(refuse)))
  }

  /** Tells a log, and from then on what others append; undefined when it was closed before. */
  follow(
    effect: EffectOf<'log-follow'>,
    log: DocumentLog,
    since: number,
  ): Promise<LogInput | undefined> {
    const { doc } = effect
    const following = log.follow()
    const follow = async (): Promise<LogInput | undefined> => {
      assert(log.position === undefined, `${doc} is followed while it is not open`)
      if (following.isOver) return undefined
      this.#options.requireReach(since)
      following.position = await openLog(this.#opening(log, following))
      if (following.isOver) return undefined
      if (!following.isTaken) this.#followed.add(log, following)
      return { kind: 'log-followed', doc }
    }
    const refuse = (error: unknown): LogInput | undefined => {
      following.isRefused = true
      const refusal = refused(effect)(error)
      return following.isOver ? undefined : refusal
    }
    return log.behind(() => this.#places.hold(() => follow().catch(refuse)))
  }

  /** The log is closed: nothing more is told of one that is followed. */
  endFollowing(log: DocumentLog): void {
    this.#followed.delete(log)
    if (log.followed !== undefined) log.followed.isOver = true
  }

  close(): void {
    this.#followed.close()
  }

  #opening(log: DocumentLog, following?: Following): LogOpening {
    const { doc } = log
    const { access, chain, answer } = this.#options
    const tell = (input: LogInput): void => {
      if (following?.isOver !== true) answer(input)
    }
    return {
      ...access(log),
      chain,
      listener: {
        snapshot: snapshot => tell({ kind: 'log-snapshot', doc, snapshot }),
        records: records => {
          tell({ kind: 'log-records', doc, records })
          following?.toldTo(records)
        },
      },
    }
  }
}
