/*
 * An authority with large documents in a test's hands: a log in memory that answers at once, and a
 * worker that answers at once or when the test says so.
 */
import { sha256 } from '@fanfold/conformance'
import {
  type LogEffect,
  plainCodec,
  type ReplicaWorkerEffect,
  type ReplicaWorkerInput,
  type Snapshot,
  type SnapshotCodec,
} from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type JoinTake,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  type Position,
  type RequestId,
  type WriterInput,
} from '@fanfold/protocol'
import { WorkerReplicas } from '@fanfold/worker'
import { Authority } from '../src/authority.ts'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import type { AuthorityInput } from '../src/authority-input.ts'
import type { AuthorityLimits } from '../src/authority-limits.ts'
import { peer, takenBy } from './build-authority.ts'
import {
  at,
  contextOf,
  doc,
  framesOf,
  limitsOf,
  link,
  match,
  replicaOf,
  send,
  write,
} from './build-document.ts'

/** From this size on documents of these tests are large. */
export const largeStateBytes = 100_000

/** So short that what the newest snapshot lacks is soon more than the ring has. */
const ring = { recordsMax: 2, bytesMax: 1_000_000, ageMax: milliseconds(60_000) }

/** What the log of a document holds. */
export type TestLog = { epoch: number; records: LogRecord[]; snapshot: Snapshot | undefined }

/** An authority, its logs and its worker. */
export class LargeRig {
  readonly authority: Authority
  readonly logs: Map<DocumentKey, TestLog>
  readonly worker: WorkerReplicas
  /** What the worker was asked, in order. */
  readonly asked: ReplicaWorkerEffect[] = []
  /** What the log was asked, in order. */
  readonly logged: LogEffect[] = []
  /** With false, the worker answers when `answer` is called. */
  isPrompt = true
  /** With false, readings of the log are not answered. */
  readsLog = true
  nowMs = 0
  #answers: ReplicaWorkerInput[] = []
  #nextRequest = 1
  readonly #effects: AuthorityEffect[] = []

  constructor(
    options: {
      readonly limits?: Partial<AuthorityLimits>
      readonly logs?: Map<DocumentKey, TestLog>
      readonly codec?: SnapshotCodec
    } = {},
  ) {
    const { limits, logs = new Map(), codec = plainCodec } = options
    const { randomBytes } = contextOf()
    this.logs = logs
    this.authority = new Authority({
      sha256,
      randomBytes,
      limits: limitsOf({ largeStateBytes, ring, ...limits }),
      codec,
    })
    const evaluate = (): never => {
      throw new Error('no variant is run here')
    }
    this.worker = new WorkerReplicas({ sha256, codec, evaluate })
    this.take({ kind: 'definition-loaded', definition: match })
  }

  /** What the log of the document holds. */
  get log(): TestLog {
    const log = this.logs.get(doc) ?? { epoch: 0, records: [], snapshot: undefined }
    this.logs.set(doc, log)
    return log
  }

  get position(): Position {
    const last = this.log.records.at(-1)
    if (last === undefined) throw new Error('the log has records')
    return { epoch: last.epoch, seq: last.seq, hash: last.chainHash }
  }

  take(input: AuthorityInput): void {
    const effects: AuthorityEffect[] = []
    this.authority.receive(input, at(this.nowMs), effects)
    this.#perform(effects)
  }

  write(overrides: Partial<WriterInput> = {}): number {
    const request = this.#nextRequest++ as RequestId
    this.take(write({ request, ...overrides }))
    return request
  }

  /** Makes the document larger by so many bytes. */
  grow(bytes: number): void {
    this.write({ action: send('text', { bytes }) })
  }

  join(
    child: LinkId = link(1),
    options: { readonly have?: Position; readonly take?: JoinTake; readonly codecs?: number } = {},
  ): void {
    const { have, take = 'any', codecs = 0 } = options
    this.take({ kind: 'link-opened', link: child, peer, dialled: false })
    const frame = { kind: 'join', doc, have, credit: 1_000_000, take, codecs } as const
    this.take({ kind: 'link-frame', link: child, frame: encodeLinkFrame(frame) })
  }

  /** Turns until the machine has nothing more to do at this instant; how many there were. */
  settle(): number {
    let turns = 0
    for (; this.authority.wakeAt() === at(this.nowMs) && turns < 10_000; turns++) this.turn()
    return turns
  }

  turn(): void {
    const effects: AuthorityEffect[] = []
    this.authority.tick(at(this.nowMs), effects)
    this.#perform(effects)
  }

  /** Lets time pass, with a turn whenever the machine wants one. */
  pass(ms: number): void {
    const end = this.nowMs + ms
    for (let turns = 0; turns < 10_000; turns++) {
      const wakeAt = this.authority.wakeAt()
      if (wakeAt === undefined || wakeAt > at(end)) break
      this.nowMs = Math.max(this.nowMs, Math.ceil(wakeAt / 1_000))
      this.turn()
    }
    this.nowMs = end
  }

  /** The worker answers what it was asked. */
  answer(): void {
    for (const input of this.#answers.splice(0)) this.take(input)
  }

  /** The replica that the worker was asked to open last is lost. */
  lose(): void {
    const open = this.asked.findLast(({ kind }) => kind === 'worker-open')
    if (open === undefined) throw new Error('a replica was opened')
    this.worker.perform({ kind: 'worker-close', replica: open.replica })
    this.#answers = []
    this.take({ kind: 'worker-failed', replica: open.replica, message: 'no room' })
  }

  effects(): AuthorityEffect[] {
    return this.#effects.splice(0)
  }

  /** Frames to a child since the last time. */
  frames(child: LinkId = link(1)): LinkFrame[] {
    return framesOf(this.effects(), child)
  }

  /** How often the worker was asked for that. */
  count(kind: ReplicaWorkerEffect['kind']): number {
    return this.asked.filter(effect => effect.kind === kind).length
  }

  /** What a child that joins now holds in the end. */
  stateAtChild(child: LinkId = link(77)): unknown {
    this.effects()
    this.join(child)
    this.settle()
    return replicaOf(this.frames(child)).state()
  }

  /** Another authority on the same logs, as after a restart. */
  restarted(limits: Partial<AuthorityLimits> = {}): LargeRig {
    return new LargeRig({ limits, logs: this.logs })
  }

  #perform(effects: readonly AuthorityEffect[]): void {
    for (const effect of effects) {
      this.#effects.push(effect)
      switch (effect.kind) {
        case 'worker-open':
        case 'worker-feed':
        case 'worker-encode':
        case 'worker-view':
        case 'worker-close':
          this.asked.push(effect)
          this.#answers.push(...this.worker.perform(effect))
          if (this.isPrompt) this.answer()
          break
        case 'log-open':
        case 'log-append':
        case 'log-keep-snapshot':
        case 'log-read':
          this.logged.push(effect)
          this.#answerLog(effect)
          break
        default: {
          const taken = takenBy(effect)
          if (taken !== undefined) this.take(taken)
        }
      }
    }
  }

  #answerLog(effect: LogEffect): void {
    const { doc } = effect
    const log = this.logs.get(doc) ?? { epoch: 0, records: [], snapshot: undefined }
    this.logs.set(doc, log)
    switch (effect.kind) {
      case 'log-open': {
        const { snapshot } = log
        if (snapshot !== undefined) this.take({ kind: 'log-snapshot', doc, snapshot })
        const after = snapshot?.manifest.at.seq ?? 0
        for (let from = after; from < log.records.length; from += 3) {
          this.take({ kind: 'log-records', doc, records: log.records.slice(from, from + 3) })
        }
        this.take({ kind: 'log-opened', doc, epoch: log.epoch })
        return
      }
      case 'log-append':
        log.epoch = effect.epoch
        log.records.push(...effect.records)
        this.take({ kind: 'log-appended', doc, seq: log.records.length })
        return
      case 'log-keep-snapshot':
        log.snapshot = effect.snapshot
        this.take({ kind: 'log-snapshot-kept', doc, seq: effect.snapshot.manifest.at.seq })
        return
      case 'log-read': {
        if (!this.readsLog) return
        const records = log.records.slice(effect.after, effect.after + 2)
        this.take({ kind: 'log-read', doc, read: effect.read, records })
        return
      }
      default:
    }
  }
}
