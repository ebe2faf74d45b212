/*
 * What crowds say to an authority: of each document what its children have is merged, and goes into the log as
 * often as the document's budget has it. Children are told how far their sessions are when that is durable, and how long
 * to wait before the next.
 */
import { after, Deadlines, type EffectSink, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, LinkEffect, LinkId } from '@fanfold/protocol'
import {
  ChildPace,
  Combiner,
  type CrowdBudget,
  type Downward,
  decodeAggregate,
  encodeCrowdAnswer,
  manifestBytesOf,
} from '@fanfold/reduction'
import type { CrowdFrame } from '@fanfold/replication'
import type { AuthorityFact } from './authority-effect.ts'
import type { CrowdJudged, CrowdPort, CrowdSaid } from './crowd-port.ts'
import { SessionCare } from './session-care.ts'

/** What could not be put into the log is tried again after so long. */
const againAfter = milliseconds(1_000)

export type CrowdsOptions = {
  /** What may come of a document. */
  readonly budgetOf: (doc: DocumentKey) => CrowdBudget
  /** The sessions of a document that are open; none where it is not in memory. */
  readonly sessionsOf: (doc: DocumentKey) => Iterable<number>
  /** Puts what the crowd says into the log; the port is told what becomes of it. */
  readonly count: (doc: DocumentKey, said: CrowdSaid) => void
  /** The instant and the effects of what is in hand. */
  readonly turn: () => {
    readonly now: Instant
    readonly effects: EffectSink<
      LinkEffect | { readonly kind: 'fact'; readonly fact: AuthorityFact }
    >
  }
}

type Crowd = {
  readonly combiner: Combiner<LinkId>
  readonly pace: ChildPace<LinkId>
  readonly care: SessionCare
  /** The next may go into the log then. */
  nextAt: Instant
}

/** The crowds of the documents of an authority. */
export class Crowds implements CrowdPort {
  readonly #options: CrowdsOptions
  readonly #crowds = new Map<DocumentKey, Crowd>()
  readonly #due = new Deadlines<DocumentKey>()

  constructor(options: CrowdsOptions) {
    this.#options = options
  }

  /** Documents of which a crowd has said something. */
  get count(): number {
    return this.#crowds.size
  }

  /**
   * A child of the document says something.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when its aggregate is none
   */
  receive(link: LinkId, { doc, number, asked, aggregate: bytes }: CrowdFrame): void {
    const { now } = this.#options.turn()
    const aggregate = bytes.length === 0 ? undefined : decodeAggregate(bytes)
    const crowd = this.#crowds.get(doc) ?? this.#begin(doc)
    crowd.combiner.receive(link, number, { asked, aggregate })
    crowd.pace.note(link, aggregate === undefined ? 0 : manifestBytesOf(aggregate), now)
    if (!crowd.combiner.isWaiting) this.#due.set(doc, crowd.nextAt > now ? crowd.nextAt : now)
  }

  /** A child has left the document. */
  left(doc: DocumentKey, link: LinkId): void {
    const crowd = this.#crowds.get(doc)
    crowd?.combiner.leave(link)
    crowd?.pace.leave(link)
  }

  /** The document leaves memory. */
  forget(doc: DocumentKey): void {
    this.#crowds.delete(doc)
    this.#due.set(doc, undefined)
  }

  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  /** Puts into the log what is due. */
  tick(now: Instant): void {
    for (const doc of this.#due.due(now)) {
      const crowd = this.#crowds.get(doc)
      if (crowd !== undefined) this.#say(doc, crowd, now)
    }
  }

  answered(doc: DocumentKey, answer: Downward, judged: CrowdJudged): void {
    const crowd = this.#crowds.get(doc)
    this.#note(doc, answer, judged)
    if (crowd === undefined) return
    const { now, effects } = this.#options.turn()
    for (const { session, state } of answer.standings) {
      if (state === 'open') crowd.care.note(session, now)
    }
    for (let at = 0; at < answer.sessions; at++) crowd.care.note(answer.firstSession + at, now)
    for (const session of judged.entry?.sealed ?? []) crowd.care.forget(session)
    const waitMs = crowd.pace.waitMs(this.#options.budgetOf(doc), now)
    for (const one of crowd.combiner.answered(answer)) {
      effects.push({
        kind: 'link-send',
        link: one.child,
        frame: encodeCrowdAnswer(doc, one, waitMs),
      })
    }
    this.#goOn(doc, crowd, now)
  }

  postponed(doc: DocumentKey): void {
    const crowd = this.#crowds.get(doc)
    if (crowd === undefined) return
    crowd.combiner.interrupt()
    crowd.nextAt = after(this.#options.turn().now, againAfter)
    this.#due.set(doc, crowd.nextAt)
  }

  #begin(doc: DocumentKey): Crowd {
    const { now } = this.#options.turn()
    const care = new SessionCare()
    // How long those were idle that were begun before nobody knows: from now on it is known.
    for (const session of this.#options.sessionsOf(doc)) care.note(session, now)
    const crowd = {
      combiner: new Combiner<LinkId>(),
      pace: new ChildPace<LinkId>(),
      care,
      nextAt: now,
    }
    this.#crowds.set(doc, crowd)
    return crowd
  }

  #say(doc: DocumentKey, crowd: Crowd, now: Instant): void {
    // When it is judged, what has come meanwhile is due.
    if (crowd.combiner.isWaiting) return
    const sealed = crowd.care.idle(now)
    const upward = crowd.combiner.next()
    if (upward === undefined && sealed.length === 0) {
      this.#due.set(doc, crowd.care.wakeAt())
      return
    }
    const { aggregatesPerSecond } = this.#options.budgetOf(doc)
    crowd.nextAt = after(now, milliseconds(1_000 / aggregatesPerSecond))
    this.#options.count(doc, { asked: 0, aggregate: undefined, ...upward, sealed })
  }

  /** What has come meanwhile is next; nobody who is there is left waiting. */
  #goOn(doc: DocumentKey, crowd: Crowd, now: Instant): void {
    const next = crowd.combiner.isIdle ? crowd.care.wakeAt() : crowd.nextAt
    this.#due.set(doc, next === undefined || next > now ? next : now)
  }

  #note(doc: DocumentKey, answer: Downward, { said, entry, failed }: CrowdJudged): void {
    const { effects } = this.#options.turn()
    const isRefused = said.aggregate !== undefined && entry?.counted.length === 0
    effects.push({
      kind: 'fact',
      fact: {
        event: 'crowd-counted',
        doc,
        windows: windowsOf(entry?.counted ?? []),
        bytes: said.aggregate?.content.length ?? 0,
        isRefused: isRefused || (said.aggregate !== undefined && entry === undefined),
        sessions: answer.sessions,
      },
    })
    for (const { reducer, code, message } of failed) {
      effects.push({ kind: 'fact', fact: { event: 'sum-failed', doc, reducer, code, message } })
    }
  }
}

const windowsOf = (ranges: readonly { readonly after: number; readonly upTo: number }[]): number =>
  ranges.reduce((sum, { after: from, upTo }) => sum + upTo - from, 0)
