/*
 * Two authorities in a test's hands that have the same logs: one has the documents, the other one stands by, and
 * each sees it as the test says. What they tell each other arrives at once.
 */
import { sha256 } from '@fanfold/conformance'
import type { LogEffect, LogRefusal } from '@fanfold/document'
import { equalBytes, Prng } from '@fanfold/kernel'
import type { DocumentKey, LogRecord, RequestId, WriteAnswer, WriterInput } from '@fanfold/protocol'
import { Authority } from '../src/authority.ts'
import type { AuthorityEffect, AuthorityFact } from '../src/authority-effect.ts'
import type { AuthorityInput } from '../src/authority-input.ts'
import type { AuthorityLimits } from '../src/authority-limits.ts'
import { peer } from './build-authority.ts'
import { at, doc, limitsOf, link, match, write } from './build-document.ts'
import { moved } from './build-owned.ts'

type Asked = Extract<LogEffect, { kind: 'log-open' | 'log-append' | 'log-follow' }>
type Log = { readonly records: LogRecord[]; epoch: number; writer: string | undefined }

/** What both have in common. */
class Logs {
  readonly #logs = new Map<DocumentKey, Log>()

  of(key: DocumentKey): Log {
    const log = this.#logs.get(key) ?? { records: [], epoch: 0, writer: undefined }
    this.#logs.set(key, log)
    return log
  }
}

/** One of two authorities. */
export class Side {
  readonly name: string
  readonly authority: Authority
  /** Who has the documents, as this one sees it. */
  owner = 'a'
  /** Whether the other one stands by, and this one. */
  isHot = true
  nowMs = 0
  readonly asked: Asked[] = []
  readonly answers = new Map<number, WriteAnswer>()
  readonly facts: AuthorityFact[] = []
  /** Records that each opening was told, in order. */
  readonly openings: number[] = []
  /** How far the logs were told that are followed. */
  readonly following = new Map<DocumentKey, number>()
  /** What it has said of documents in use. */
  readonly signals: string[] = []
  /** The other one, to which what this one says goes. */
  other: Side | undefined
  readonly #logs: Logs
  #nextRequest = 1

  constructor(name: string, logs: Logs, limits: Partial<AuthorityLimits>) {
    this.name = name
    this.#logs = logs
    const prng = new Prng(name)
    const standby = (): string | undefined => {
      const next = this.owner === 'a' ? 'b' : 'a'
      return this.isHot ? next : undefined
    }
    const isHot = () => this.isHot
    this.authority = new Authority({
      sha256,
      randomBytes: count => prng.bytes(count),
      limits: limitsOf(limits),
      node: name,
      owners: {
        ownerOf: () => this.owner,
        elsewhere: () => (this.owner === name ? undefined : moved),
        standbyOf: () => (this.owner === name ? standby() : undefined),
        isStandby: () => standby() === name,
        get hasStandbys() {
          return isHot()
        },
        stall: undefined,
      },
    })
    this.take({ kind: 'definition-loaded', definition: match })
  }

  take(input: AuthorityInput): void {
    this.#perform(effects => this.authority.receive(input, at(this.nowMs), effects))
  }

  write(overrides: Partial<WriterInput> = {}): number {
    const request = this.#nextRequest++ as RequestId
    this.take(write({ request, ...overrides }))
    return request
  }

  /** Sees the documents at another one, or none who stands by, from here on. */
  see(owner: string, isHot = true): void {
    this.owner = owner
    this.isHot = isHot
    this.take({ kind: 'owners-changed' })
    this.turn()
  }

  /** Does what is to be done at this instant. */
  turn(): void {
    for (let turn = 0; turn < 1_000; turn++) {
      const wakeAt = this.authority.wakeAt()
      if (wakeAt === undefined || wakeAt > at(this.nowMs)) return
      this.#perform(effects => this.authority.tick(at(this.nowMs), effects))
    }
  }

  /** The log does the first thing that it was asked. */
  answer(): void {
    const asked = this.asked.shift()
    if (asked === undefined) return
    const { doc: key } = asked
    const log = this.#logs.of(key)
    const told = this.following.get(key) ?? 0
    switch (asked.kind) {
      case 'log-follow':
        this.following.set(key, log.records.length)
        this.#tell(key, log.records)
        this.take({ kind: 'log-followed', doc: key })
        return
      case 'log-open':
        this.following.delete(key)
        this.openings.push(log.records.length - told)
        this.#tell(key, log.records.slice(told))
        this.take({ kind: 'log-opened', doc: key, epoch: log.epoch })
        return
      case 'log-append':
        this.#append(asked, log)
    }
  }

  /** The log refuses the first thing that it was asked; a log that is followed and was asked nothing is followed no more. */
  refuse(code: LogRefusal, key = doc): void {
    const asked = this.asked.shift()
    this.following.delete(key)
    const kind = asked?.kind === 'log-append' ? 'log-append-refused' : 'log-open-refused'
    this.take({ kind, doc: key, code, message: 'no' })
  }

  /** Logs that are followed tell what is new. */
  follow(): void {
    for (const [key, told] of [...this.following]) {
      const { records } = this.#logs.of(key)
      this.following.set(key, records.length)
      this.#tell(key, records.slice(told))
    }
  }

  /** The log does all that it is asked. */
  settle(): void {
    this.turn()
    for (let step = 0; step < 1_000 && this.asked.length > 0; step++) {
      this.answer()
      this.turn()
    }
    this.follow()
  }

  /** Time passes. */
  passTo(ms: number): void {
    this.nowMs = ms
    this.settle()
  }

  #tell(key: DocumentKey, records: readonly LogRecord[]): void {
    if (records.length > 0) this.take({ kind: 'log-records', doc: key, records })
  }

  #append(asked: Extract<Asked, { kind: 'log-append' }>, log: Log): void {
    const { doc: key, epoch, after, records } = asked
    const last = log.records.at(-1)
    const isNext = after.seq === log.records.length
    const isSame = last === undefined || equalBytes(last.chainHash, after.hash)
    const isOwn = epoch > log.epoch || (epoch === log.epoch && log.writer === this.name)
    if (!isNext || !isSame || !isOwn) {
      this.take({ kind: 'log-append-refused', doc: key, code: 'FANFOLD_FENCED', message: 'no' })
      return
    }
    log.records.push(...records)
    Object.assign(log, { epoch, writer: this.name })
    this.take({ kind: 'log-appended', doc: key, seq: log.records.length })
  }

  #perform(step: (effects: AuthorityEffect[]) => void): void {
    const effects: AuthorityEffect[] = []
    step(effects)
    for (const effect of effects) {
      switch (effect.kind) {
        case 'log-open':
        case 'log-append':
        case 'log-follow':
          this.asked.push(effect)
          break
        case 'log-close': {
          this.following.delete(effect.doc)
          const left = this.asked.filter(({ doc: key }) => key !== effect.doc)
          this.asked.splice(0, this.asked.length, ...left)
          break
        }
        case 'link-signal':
          this.signals.push(effect.key)
          this.other?.take({ kind: 'link-frame', link: link(2), frame: effect.frame })
          break
        case 'write-answered':
          this.answers.set(effect.request, effect.answer)
          break
        case 'fact':
          this.facts.push(effect.fact)
          break
        default:
      }
    }
  }
}

/** Two authorities with links to each other; `a` has the documents. */
export class StandbyRig {
  readonly logs: Logs = new Logs()
  readonly a: Side
  readonly b: Side

  constructor(limits: Partial<AuthorityLimits> = {}) {
    this.a = new Side('a', this.logs, limits)
    this.b = new Side('b', this.logs, limits)
    for (const [side, other] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const) {
      side.other = other
      const { name: node } = other
      side.take({ kind: 'link-opened', link: link(2), peer: { ...peer, node }, dialled: false })
    }
    for (const [side, node] of [
      [this.a, 'b'],
      [this.b, 'a'],
    ] as const) {
      side.take({ kind: 'link-opened', link: link(1), peer: { ...peer, node }, dialled: true })
    }
    this.see('a')
  }

  get both(): readonly Side[] {
    return [this.a, this.b]
  }

  /** Both see the documents there. */
  see(owner: string, isHot = true): void {
    for (const side of this.both) side.see(owner, isHot)
  }

  settle(): void {
    for (let round = 0; round < 3; round++) for (const side of this.both) side.settle()
  }

  /** Time passes for both. */
  passTo(ms: number): void {
    for (const side of this.both) side.nowMs = ms
    this.settle()
  }
}
