/*
 * An authority that is one of several in a test's hands: whose documents are is what the test says, and the
 * log answers when it says so.
 */
import { sha256 } from '@fanfold/conformance'
import type { LogEffect, LogRefusal } from '@fanfold/document'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkFrame,
  type LogRecord,
  type RequestId,
  type WriterInput,
} from '@fanfold/protocol'
import { Authority } from '../src/authority.ts'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import type { AuthorityInput } from '../src/authority-input.ts'
import type { AuthorityLimits } from '../src/authority-limits.ts'
import type { WriteProblem } from '../src/write-problem.ts'
import { child, peer } from './build-authority.ts'
import { at, contextOf, doc, limitsOf, match, startMs, write } from './build-document.ts'

/** Why a document is not here. */
export const moved: WriteProblem = { code: 'FANFOLD_MOVED', message: 'it is served by node b' }

/** Why nothing may be written. */
export const stalled: WriteProblem = {
  code: 'FANFOLD_COORDINATOR_UNREACHABLE',
  message: 'no answer for 5 s',
}

type Asked = Extract<LogEffect, { kind: 'log-open' | 'log-append' }>

/** An authority, whose documents are, and a log. */
export class OwnedRig {
  readonly authority: Authority
  /** Documents of others. */
  readonly elsewhere = new Set<DocumentKey>()
  stall: WriteProblem | undefined
  nowMs = 0
  /** What the log has, by document. */
  readonly logs = new Map<DocumentKey, LogRecord[]>()
  /** What the log was asked and has not answered, one of each document. */
  readonly asked = new Map<DocumentKey, Asked>()
  /** What the log was told that it may not be told. */
  readonly wrongs: string[] = []
  readonly #open = new Set<DocumentKey>()
  #nextRequest = 1
  readonly #effects: AuthorityEffect[] = []

  constructor(limits: Partial<AuthorityLimits> = {}) {
    const { elsewhere } = this
    const stall = () => this.stall
    this.authority = new Authority({
      sha256,
      randomBytes: contextOf().randomBytes,
      limits: limitsOf(limits),
      owners: {
        ownerOf: doc => (elsewhere.has(doc) ? 'b' : 'a'),
        elsewhere: doc => (elsewhere.has(doc) ? moved : undefined),
        standbyOf: () => undefined,
        isStandby: () => false,
        hasStandbys: false,
        get stall() {
          return stall()
        },
      },
      wallClockMs: () => startMs + this.nowMs,
    })
    this.take({ kind: 'definition-loaded', definition: match })
  }

  take(input: AuthorityInput): void {
    const from = this.#effects.length
    this.authority.receive(input, at(this.nowMs), this.#effects)
    this.#note(from)
  }

  write(overrides: Partial<WriterInput> = {}): number {
    const request = this.#nextRequest++ as RequestId
    this.take(write({ request, ...overrides }))
    return request
  }

  /** A write that is durable when this returns. */
  commit(key = doc): void {
    this.write({ doc: key })
    this.answerAll()
  }

  frame(frame: LinkFrame, from = child): void {
    this.take({ kind: 'link-frame', link: from, frame: encodeLinkFrame(frame) })
  }

  join(key = doc, from = child): void {
    this.take({ kind: 'link-opened', link: from, peer, dialled: false })
    this.ask(key, from)
  }

  /** The child joins on the link that it has. */
  ask(key = doc, from = child): void {
    const grant = { credit: 1_000_000, take: 'any', codecs: 0 } as const
    this.frame({ kind: 'join', doc: key, have: undefined, ...grant }, from)
  }

  /** The documents are others' from now on, and the authority hears of it. */
  move(...keys: readonly DocumentKey[]): void {
    for (const key of keys) this.elsewhere.add(key)
    this.change()
  }

  /** The documents are this authority's, and it hears of it. */
  bring(...keys: readonly DocumentKey[]): void {
    for (const key of keys) this.elsewhere.delete(key)
    this.change()
  }

  /** The authority hears that documents may be others' than before, and looks at those it has. */
  change(): void {
    this.take({ kind: 'owners-changed' })
    for (let turn = 0; turn < 1_000 && this.isBusy; turn++) this.turn()
  }

  /** True when there is something to do at this instant. */
  get isBusy(): boolean {
    return this.authority.wakeAt() === at(this.nowMs)
  }

  turn(): void {
    const from = this.#effects.length
    this.authority.tick(at(this.nowMs), this.#effects)
    this.#note(from)
  }

  /** The log does what it was asked of the document, and says so. */
  answer(key = doc): void {
    const asked = this.#takeAsked(key)
    const log = this.logs.get(key) ?? []
    this.logs.set(key, log)
    if (asked?.kind === 'log-open') {
      const epoch = log.at(-1)?.epoch ?? 0
      this.take({ kind: 'log-records', doc: key, records: log })
      this.take({ kind: 'log-opened', doc: key, epoch })
    } else if (asked?.kind === 'log-append') {
      log.push(...asked.records)
      this.take({ kind: 'log-appended', doc: key, seq: log.at(-1)?.seq ?? 0 })
    }
  }

  /** The log does nothing of what it was asked, and says so. */
  refuse(code: LogRefusal, key = doc): void {
    const asked = this.#takeAsked(key)
    if (asked === undefined) return
    const kind = asked.kind === 'log-open' ? 'log-open-refused' : 'log-append-refused'
    this.take({ kind, doc: key, code, message: 'no' })
  }

  /** The log does not answer to the append for now. */
  wait(key = doc): void {
    if (this.asked.get(key)?.kind !== 'log-append') return
    const code = 'FANFOLD_LOG_UNREACHABLE'
    this.take({ kind: 'log-append-waits', doc: key, code, message: 'away' })
  }

  /** The log does all that it was asked, and what that leads to. */
  answerAll(): void {
    for (const key of this.asked.keys()) this.answer(key)
  }

  /** What the authority wanted since the last time. */
  effects(): AuthorityEffect[] {
    return this.#effects.splice(0)
  }

  #takeAsked(key: DocumentKey): Asked | undefined {
    const asked = this.asked.get(key)
    this.asked.delete(key)
    return asked
  }

  #note(from: number): void {
    for (const effect of this.#effects.slice(from)) {
      switch (effect.kind) {
        case 'log-open':
        case 'log-append': {
          const { kind, doc } = effect
          if (this.asked.has(doc)) this.wrongs.push(`${kind} while the log of ${doc} is at work`)
          if (this.#open.has(doc) === (kind === 'log-open')) this.wrongs.push(`${kind} of ${doc}`)
          this.#open.add(doc)
          this.asked.set(doc, effect)
          break
        }
        case 'log-close':
          if (this.asked.has(effect.doc))
            this.wrongs.push(`log-close while ${effect.doc} is at work`)
          if (!this.#open.delete(effect.doc)) this.wrongs.push(`log-close of ${effect.doc}`)
          break
        default:
      }
    }
  }
}
