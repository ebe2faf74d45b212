/*
 * What crowds say to an authority: of each document what its children have is merged, and goes into the log as
 * often as the document's budget has it. Children are told how far their sessions are when that is durable, and how long
 * to wait before the next.
 */
import type { DocumentDefinition } from '@fanfold/definition'
import {
  after,
  Deadlines,
  type EffectSink,
  earliest,
  type Instant,
  milliseconds,
  TokenBucket,
} from '@fanfold/kernel'
import type { DocumentKey, LinkEffect, LinkId } from '@fanfold/protocol'
import {
  ChildPace,
  Combiner,
  type CrowdPaceBudget,
  crowdBudgetDefault,
  crowdLimits,
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
  /** The definition in force; undefined where nobody knows it, or the document does not exist. */
  readonly definitionOf: (doc: DocumentKey) => DocumentDefinition | undefined
  /** How many watch a document, as nodes below count them. */
  readonly viewersOf: (doc: DocumentKey) => number
  /** The sessions of a document that are open; none where it is not in memory. */
  readonly sessionsOf: (doc: DocumentKey) => Iterable<number>
  /** A session of which nothing was counted for so long is counted no further. */
  readonly sessionIdleMs: number
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
  /** How many sessions may be begun. */
  readonly sessions: TokenBucket
  /** True while something is on its way to the log. */
  isUnderWay: boolean
  /** The next may go into the log then. */
  nextAt: Instant
  /** How many watch, as the document was told last, and by what: what is in force now may say it elsewhere. */
  told: { readonly viewers: number; readonly by: CrowdJudged['presence'] } | undefined
  /** It may be told another number then. */
  viewersAt: Instant
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
    this.#goOn(doc, crowd)
  }

  /** There may be another number of viewers of the document. */
  viewersCounted(doc: DocumentKey): void {
    if (this.#options.definitionOf(doc)?.presence === undefined) return
    const crowd = this.#crowds.get(doc) ?? this.#begin(doc)
    this.#goOn(doc, crowd)
  }

  /** A child has left the document. */
  left(doc: DocumentKey, link: LinkId): void {
    const crowd = this.#crowds.get(doc)
    if (crowd === undefined) return
    crowd.combiner.leave(link)
    crowd.pace.leave(link)
    this.viewersCounted(doc)
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
    for (const session of answer.sessions) crowd.care.note(session, now)
    // Those that are not in the entry were not open any more.
    for (const session of judged.said.sealed) crowd.care.forget(session)
    const waitMs = crowd.pace.waitMs(this.#budgetOf(doc), now)
    for (const one of crowd.combiner.answered(answer)) {
      const frame = encodeCrowdAnswer(doc, one, waitMs)
      effects.push({ kind: 'link-send', link: one.child, frame })
    }
    const { said, presence } = judged
    if (said.viewers !== undefined) crowd.told = { viewers: said.viewers, by: presence }
    crowd.isUnderWay = false
    this.#goOn(doc, crowd)
  }

  postponed(doc: DocumentKey): void {
    const crowd = this.#crowds.get(doc)
    if (crowd === undefined) return
    crowd.combiner.interrupt()
    crowd.isUnderWay = false
    crowd.nextAt = after(this.#options.turn().now, againAfter)
    this.#due.set(doc, crowd.nextAt)
  }

  #begin(doc: DocumentKey): Crowd {
    const { now } = this.#options.turn()
    const everyMs = this.#options.definitionOf(doc)?.presence?.everyMs ?? 0
    const care = new SessionCare(this.#options.sessionIdleMs)
    // How long those were idle that were begun before nobody knows: from now on it is known.
    for (const session of this.#options.sessionsOf(doc)) care.note(session, now)
    const crowd: Crowd = {
      combiner: new Combiner(),
      pace: new ChildPace(),
      care,
      sessions: new TokenBucket({
        perSecondMax: crowdLimits.sessionsPerSecondMax,
        burst: crowdLimits.askedMax,
        nowMs: now / 1_000,
      }),
      isUnderWay: false,
      nextAt: now,
      told: undefined,
      // Who has served the document before knew of more: nodes below say first how many there are.
      viewersAt: after(now, milliseconds(everyMs)),
    }
    this.#crowds.set(doc, crowd)
    return crowd
  }

  #budgetOf(doc: DocumentKey): CrowdPaceBudget {
    return this.#options.definitionOf(doc)?.crowd ?? crowdBudgetDefault
  }

  #say(doc: DocumentKey, crowd: Crowd, now: Instant): void {
    // When it is judged, what has come meanwhile is due.
    if (crowd.isUnderWay) return
    const sealed = crowd.care.idle(now)
    const upward = crowd.nextAt <= now ? crowd.combiner.next() : undefined
    const viewers = this.#viewersNow(doc, crowd, now)
    if (upward === undefined && viewers === undefined && sealed.length === 0) {
      this.#goOn(doc, crowd)
      return
    }
    const { aggregatesPerSecond } = this.#budgetOf(doc)
    if (upward !== undefined) crowd.nextAt = after(now, milliseconds(1_000 / aggregatesPerSecond))
    crowd.isUnderWay = true
    const asked = crowd.sessions.takeUpTo(upward?.asked ?? 0, now / 1_000)
    this.#options.count(doc, { asked, aggregate: upward?.aggregate, sealed, viewers })
  }

  /** How many watch, if the document is to be told now. */
  #viewersNow(doc: DocumentKey, crowd: Crowd, now: Instant): number | undefined {
    const presence = this.#options.definitionOf(doc)?.presence
    if (presence === undefined || crowd.viewersAt > now) return undefined
    if (!this.#isOtherCount(doc, crowd)) return undefined
    crowd.viewersAt = after(now, milliseconds(presence.everyMs))
    return this.#options.viewersOf(doc)
  }

  /** When there is something to do next; while something is under way, when that is judged. */
  #goOn(doc: DocumentKey, crowd: Crowd): void {
    if (crowd.isUnderWay) return
    const { now } = this.#options.turn()
    let next = crowd.care.wakeAt()
    if (!crowd.combiner.isIdle) next = earliest(next, crowd.nextAt)
    if (this.#isOtherCount(doc, crowd)) next = earliest(next, crowd.viewersAt)
    this.#due.set(doc, next === undefined || next > now ? next : now)
  }

  #isOtherCount(doc: DocumentKey, crowd: Crowd): boolean {
    const presence = this.#options.definitionOf(doc)?.presence
    if (presence === undefined) return false
    const { told } = crowd
    return told?.by !== presence || told.viewers !== this.#options.viewersOf(doc)
  }

  #note(doc: DocumentKey, { sessions }: Downward, { said, entry, failed }: CrowdJudged): void {
    const { effects } = this.#options.turn()
    if (said.aggregate !== undefined || said.asked > 0) {
      const counted = entry?.counted ?? []
      const fact: AuthorityFact = {
        event: 'crowd-counted',
        doc,
        windows: windowsOf(counted),
        bytes: said.aggregate?.content.length ?? 0,
        isRefused: said.aggregate !== undefined && counted.length === 0,
        sessions: sessions.length,
      }
      effects.push({ kind: 'fact', fact })
    }
    for (const { reducer, code, message } of failed) {
      effects.push({ kind: 'fact', fact: { event: 'sum-failed', doc, reducer, code, message } })
    }
  }
}

const windowsOf = (ranges: readonly { readonly after: number; readonly upTo: number }[]): number =>
  ranges.reduce((sum, { after: from, upTo }) => sum + upTo - from, 0)
