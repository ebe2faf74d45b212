/*
 * An authority in a test's hands, with the log's answers.
 */
import { sha256 } from '@fanfold/conformance'
import type { LogRefusal } from '@fanfold/document'
import {
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkFrame,
  type PeerIdentity,
  type RequestId,
  type WriterInput,
} from '@fanfold/protocol'
import { Authority } from '../src/authority.ts'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import type { AuthorityInput } from '../src/authority-input.ts'
import type { AuthorityLimits } from '../src/authority-limits.ts'
import { at, contextOf, doc, limitsOf, link, match, write } from './build-document.ts'

/** The link of the child that the tests have. */
export const child = link(1)

/** Who that child is. */
export const peer: PeerIdentity = {
  node: 'n1',
  incarnation: '1',
  region: 'r',
  roles: [],
  ceiling: 239,
}

/** What a child says when it has taken what it was sent of a snapshot; nothing to anything else. */
export function takenBy(effect: AuthorityEffect): AuthorityInput | undefined {
  if (effect.kind !== 'link-send') return undefined
  const kind = decodeLinkFrame(effect.frame)?.kind
  if (kind !== 'snapshot-begin' && kind !== 'snapshot-piece') return undefined
  const frame = encodeLinkFrame({ kind: 'pieces-taken', bytes: effect.frame.length, answers: 0 })
  return { kind: 'link-frame', link: effect.link, frame }
}

/** An authority whose log is in memory and answers at once. */
export class Rig {
  readonly authority: Authority
  readonly epochs = new Map<DocumentKey, number>()
  nowMs = 0
  /** How many opens of a log are refused, before the others, and with what. */
  opensRefused = 0
  opensRefusedBy: LogRefusal = 'FANFOLD_LOG_FULL'
  /** What refuses appends, if anything does. */
  appendsRefusedBy: LogRefusal | undefined
  #nextRequest = 1
  readonly #effects: AuthorityEffect[] = []

  constructor(limits: Partial<AuthorityLimits> = {}, authority?: Authority) {
    const { randomBytes } = contextOf()
    this.authority = authority ?? new Authority({ sha256, randomBytes, limits: limitsOf(limits) })
    this.take({ kind: 'definition-loaded', definition: match })
  }

  /** Takes an input, and lets the log answer what it leads to. */
  take(input: AuthorityInput): void {
    const from = this.#effects.length
    this.authority.receive(input, at(this.nowMs), this.#effects)
    this.#answer(this.#effects.slice(from))
  }

  write(overrides: Partial<WriterInput> = {}): number {
    const request = this.#nextRequest++ as RequestId
    this.take(write({ request, ...overrides }))
    return request
  }

  frame(frame: LinkFrame, from = child): void {
    this.take({ kind: 'link-frame', link: from, frame: encodeLinkFrame(frame) })
  }

  join(key = doc, ceiling = 239, from = child): void {
    this.take({ kind: 'link-opened', link: from, peer: { ...peer, ceiling }, dialled: false })
    const grant = { credit: 1_000_000, take: 'any', codecs: 0 } as const
    this.frame({ kind: 'join', doc: key, have: undefined, ...grant }, from)
  }

  /** Lets time pass to an instant, ticking whenever the machine wants it. */
  passTo(ms: number): void {
    for (let turn = 0; turn < 100; turn++) {
      const wakeAt = this.authority.wakeAt()
      if (wakeAt === undefined || wakeAt > at(ms)) break
      this.nowMs = Math.max(this.nowMs, Math.ceil(wakeAt / 1_000))
      this.authority.tick(at(this.nowMs), this.#effects)
    }
    this.nowMs = ms
  }

  /** One turn, whose effects are added to those before. */
  takeTurn(): void {
    const from = this.#effects.length
    this.authority.tick(at(this.nowMs), this.#effects)
    this.#answer(this.#effects.slice(from))
  }

  /** One turn; the log answers. */
  tick(): AuthorityEffect[] {
    this.takeTurn()
    return this.effects()
  }

  effects(): AuthorityEffect[] {
    return this.#effects.splice(0)
  }

  #answer(effects: readonly AuthorityEffect[]): void {
    for (const effect of effects) {
      const taken = takenBy(effect)
      if (taken !== undefined) this.take(taken)
      if (effect.kind === 'log-open' && this.opensRefused > 0) {
        this.opensRefused--
        const [doc, code] = [effect.doc, this.opensRefusedBy]
        this.take({ kind: 'log-open-refused', doc, code, message: 'no file' })
      } else if (effect.kind === 'log-open') {
        this.take({ kind: 'log-opened', doc: effect.doc, epoch: this.epochs.get(effect.doc) ?? 0 })
      } else if (effect.kind === 'log-append' && this.appendsRefusedBy !== undefined) {
        const [doc, code] = [effect.doc, this.appendsRefusedBy]
        this.take({ kind: 'log-append-refused', doc, code, message: 'no' })
      } else if (effect.kind === 'log-append') {
        this.epochs.set(effect.doc, effect.epoch)
        const seq = effect.records.at(-1)?.seq ?? 0
        this.take({ kind: 'log-appended', doc: effect.doc, seq })
      }
    }
  }
}
