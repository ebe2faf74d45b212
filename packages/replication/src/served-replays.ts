/*
 * Replays where the log is: each reads on in it batch by batch, as fast as its child takes it.
 *
 * A replay holds two batches at most, the one that leaves and the one that was read meanwhile, and has
 * one reading under way. Replays have their turns one frame at a time, between documents' streams.
 */
import type { Chain, LogReadId } from '@fanfold/document'
import type { EffectSink, Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  type LinkEffect,
  type LinkId,
  type LogRecord,
  limits,
  partTags,
} from '@fanfold/protocol'
import { ReplayStream } from './replay-stream.ts'
import {
  idleLooksMax,
  jittered,
  linkShare,
  type ReplayOutcome,
  type ReplayProblem,
  type ReplayRequest,
  type Replays,
  replayEnded,
} from './replays.ts'

/** How replays read logs; each reading is answered once by `read` or by `readRefused`, later. */
export type ReplayLogs = {
  /** Reads on: the records after `after`, of so many bytes at most but for a first one that is larger. */
  read(doc: DocumentKey, read: LogReadId, after: number, bytesMax: number): void
  /** Nobody reads on. */
  close(doc: DocumentKey, read: LogReadId): void
}

/** Replays that a node serves, or passes on, at a time. */
export const replaysMaxDefault = 64
/** When a child that found no room may ask again, at least, ms. */
const retryAfterMs = 1_000
const batchBytes: number = limits.recordsFrameBytesTarget.value

type Served = {
  readonly stream: ReplayStream
  readonly read: LogReadId
  /** Seq of the last record that was read. */
  readTo: number
  isReading: boolean
}

/** The replays that a node with logs serves. */
export class ServedReplays implements Replays {
  readonly #chain: Chain
  readonly #prng: Prng
  readonly #logs: ReplayLogs
  readonly #replaysMax: number
  readonly #nextRead: () => LogReadId
  readonly #note: (doc: DocumentKey, outcome: ReplayOutcome) => void
  readonly #byRead = new Map<LogReadId, Served>()
  /** Replays with something to send, the longest waiting first. */
  readonly #ready = new Set<Served>()

  constructor(options: {
    readonly chain: Chain
    readonly prng: Prng
    readonly logs: ReplayLogs
    /** Replays at a time; one more is refused with a time to wait. The default one when not said. */
    readonly replaysMax?: number | undefined
    /** Names readings, where others of the same logs are named too; from 1 on when not said. */
    readonly nextRead?: (() => LogReadId) | undefined
    /** Called for each replay that is over; nobody when not said. */
    readonly note?: ((doc: DocumentKey, outcome: ReplayOutcome) => void) | undefined
  }) {
    this.#chain = options.chain
    this.#prng = options.prng
    this.#logs = options.logs
    this.#replaysMax = options.replaysMax ?? replaysMaxDefault
    let next = 1
    this.#note = options.note ?? (() => undefined)
    this.#nextRead = options.nextRead ?? (() => next++ as LogReadId)
  }

  /** Replays under way. */
  get count(): number {
    return this.#byRead.size
  }

  get hasMore(): boolean {
    return this.#ready.size > 0
  }

  /** True while the document's log is read for a child: it has to stay open. */
  isReplaying(doc: DocumentKey): boolean {
    for (const { stream } of this.#byRead.values()) if (stream.doc === doc) return true
    return false
  }

  request(doc: DocumentKey, request: ReplayRequest, effects: EffectSink<LinkEffect>): void {
    this.leave(request.link, request.replay)
    if (!this.#hasRoomFor(request.link)) {
      effects.push(replayEnded(request.link, request.replay, this.#noRoom()))
      this.#note(doc, 'refused')
      return
    }
    const read = this.#nextRead()
    const served: Served = {
      stream: new ReplayStream(doc, request),
      read,
      readTo: request.have?.seq ?? 0,
      isReading: false,
    }
    this.#byRead.set(read, served)
    this.#readOn(served)
  }

  credit(link: LinkId, replay: number, bytes: number): void {
    const served = this.#find(link, replay)
    if (served === undefined) return
    served.stream.grant(bytes)
    this.#look(served)
  }

  leave(link: LinkId, replay: number): void {
    const served = this.#find(link, replay)
    if (served !== undefined) this.#forget(served, 'left')
  }

  close(link: LinkId): void {
    for (const served of this.#byRead.values()) {
      if (served.stream.link === link) this.#forget(served, 'left')
    }
  }

  drained(link: LinkId): void {
    for (const served of this.#byRead.values()) {
      if (served.stream.link === link) this.#look(served)
    }
  }

  sendNext(effects: EffectSink<LinkEffect>): void {
    for (const served of this.#ready) {
      this.#ready.delete(served)
      // Its link may have filled up meanwhile.
      if (!served.stream.isReady) continue
      if (served.stream.send(this.#chain, effects) === undefined) {
        this.#forget(served, served.stream.outcome)
      } else {
        this.#readOn(served)
        this.#look(served)
      }
      return
    }
  }

  letGo(effects: EffectSink<LinkEffect>): void {
    for (const served of this.#byRead.values()) {
      const { stream } = served
      if (!stream.isIdleFor(idleLooksMax)) continue
      this.#forget(served, 'failed')
      const message = 'nothing of the replay was taken for long'
      effects.push(replayEnded(stream.link, stream.replay, { code: 'FANFOLD_OVERLOADED', message }))
    }
  }

  /** The log's answer to a reading: the next records in order, none at the end of the log. */
  read(read: LogReadId, records: readonly LogRecord[]): void {
    const served = this.#byRead.get(read)
    if (served === undefined) return
    served.isReading = false
    const last = records.at(-1)
    if (last === undefined) {
      served.stream.end(undefined)
    } else {
      served.readTo = last.seq
      served.stream.add(records, partTags.authority)
      this.#readOn(served)
    }
    this.#look(served)
  }

  /** The log's answer when the reading is over: what was read before it still leaves. */
  readRefused(read: LogReadId, problem: ReplayProblem): void {
    const served = this.#byRead.get(read)
    if (served === undefined) return
    served.isReading = false
    served.stream.end(problem)
    this.#look(served)
  }

  /** The document is not served any more. */
  end(doc: DocumentKey, problem: ReplayProblem): void {
    for (const served of this.#byRead.values()) {
      if (served.stream.doc !== doc) continue
      served.stream.end(problem)
      this.#look(served)
    }
  }

  #find(link: LinkId, replay: number): Served | undefined {
    for (const served of this.#byRead.values()) {
      if (served.stream.link === link && served.stream.replay === replay) return served
    }
    return undefined
  }

  #hasRoomFor(link: LinkId): boolean {
    if (this.#byRead.size >= this.#replaysMax) return false
    let count = 0
    for (const { stream } of this.#byRead.values()) if (stream.link === link) count++
    return count < linkShare(this.#replaysMax)
  }

  #readOn(served: Served): void {
    const { stream, read, readTo } = served
    if (served.isReading || stream.isEnding || stream.heldBytes > batchBytes) return
    served.isReading = true
    this.#logs.read(stream.doc, read, readTo, batchBytes)
  }

  #look(served: Served): void {
    if (served.stream.isReady) this.#ready.add(served)
    else this.#ready.delete(served)
  }

  #forget(served: Served, outcome: ReplayOutcome): void {
    this.#byRead.delete(served.read)
    this.#ready.delete(served)
    this.#logs.close(served.stream.doc, served.read)
    this.#note(served.stream.doc, outcome)
  }

  #noRoom(): ReplayProblem {
    const [max, share] = [this.#replaysMax, linkShare(this.#replaysMax)]
    const message = `the node serves ${max} replays, and ${share} of one child`
    const retryMs = jittered(retryAfterMs, this.#prng)
    return { code: 'FANFOLD_OVERLOADED', message, retryAfterMs: retryMs }
  }
}
