/*
 * Moves that nothing forces: another parent is asked for a document while the one that it has goes on serving it.
 *
 *   begin ─▶ queued ─▶ asked ── welcome ──▶ the document goes over, and the old parent is left
 *                      ▲   └── refused, sent on, no answer ──▶ waiting ──┐
 *                      └────────────────── backoff ─────────────────────┘
 *
 * Asked is for the tail alone. So nothing has to be kept apart: a record that comes from both is the same by its
 * seq, and the chain says so of the next one. A parent that begins after what is held has the tail soon, for the
 * old one leads on to there. One that still has it not at the last try has another history, or the old one gets
 * no further: then the document goes there as from a parent that is lost, and takes what there is.
 *
 * Bound: one parent at a time for each document, one question to it, and after its answer one credit.
 */
import {
  after,
  assert,
  Backoff,
  Deadlines,
  type EffectSink,
  type Instant,
  milliseconds,
  type Prng,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkId,
  type Position,
} from '@fanfold/protocol'
import type { AnswerPatience } from './answer-patience.ts'
import type { UpstreamNode } from './stream-core.ts'

/** How long a parent that gives nothing is left alone at most, ms: the document is served meanwhile. */
const waitMaxMs = 5_000
/** A parent that asks for a longer wait is asked again after this one, ms. */
const retryAfterMsMax = 30_000
/** Questions for the tail after which the parent is taken as it is. */
const tailTriesMax = 4

/** A document that is to go to another parent. */
type Move = {
  readonly link: LinkId
  readonly backoff: Backoff
  /** How often the parent had not the tail. */
  tailsMissed: number
  state: 'queued' | 'asked' | 'waiting'
  /** Whether the parent was asked and not left since: also one that refuses expects to be asked again. */
  isExpected: boolean
  /** How long its answer may take, while it is asked, and since when. */
  awaited: { readonly patience: AnswerPatience; readonly since: Instant } | undefined
}

/** What is to be done about a move whose time has come. */
export type DueMove = { readonly doc: DocumentKey; readonly link: LinkId }

/** The documents of a node that are to have another parent, and are served by theirs until then. */
export class PlannedMoves {
  readonly #node: Pick<UpstreamNode, 'asked' | 'isMovable' | 'limits' | 'packer'>
  readonly #prng: Prng
  readonly #haveOf: (doc: DocumentKey) => Position | undefined
  readonly #moves = new Map<DocumentKey, Move>()
  readonly #deadlines = new Deadlines<DocumentKey>()

  /** @param options.haveOf what is held of the document, which may be gone on from */
  constructor(options: {
    readonly node: Pick<UpstreamNode, 'asked' | 'isMovable' | 'limits' | 'packer'>
    readonly prng: Prng
    readonly haveOf: (doc: DocumentKey) => Position | undefined
  }) {
    this.#node = options.node
    this.#prng = options.prng
    this.#haveOf = options.haveOf
  }

  /** The link of the parent that is asked for the document now, beside the one that serves it. */
  askedAt(doc: DocumentKey): LinkId | undefined {
    const move = this.#moves.get(doc)
    return move?.state === 'asked' ? move.link : undefined
  }

  /** The document is to go to the parent at the other end of the link; said again it says nothing new. */
  begin(doc: DocumentKey, link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    if (this.#moves.get(doc)?.link === link) return
    this.end(doc, effects)
    const { backoffBaseMs } = this.#node.limits
    const max = milliseconds(Math.max(backoffBaseMs, waitMaxMs))
    const backoff = new Backoff({ base: milliseconds(backoffBaseMs), max }, this.#prng)
    const move: Move = {
      link,
      backoff,
      tailsMissed: 0,
      state: 'queued',
      isExpected: false,
      awaited: undefined,
    }
    this.#moves.set(doc, move)
    this.#ask(doc, move, now, effects)
  }

  /** The document stays where it is, or goes in another way. */
  end(doc: DocumentKey, effects: EffectSink<LinkEffect>): void {
    const move = this.#moves.get(doc)
    if (move === undefined) return
    if (move.isExpected) this.#leave(doc, move, effects)
    this.#forget(doc, move)
  }

  /** The parent has taken the document, which goes there. */
  taken(doc: DocumentKey, now: Instant): void {
    const move = this.#moveOf(doc)
    this.#node.asked.answered(move.link, doc, now)
    this.#forget(doc, move)
  }

  /** The documents that are to go to the parent at the other end of the link. */
  *to(link: LinkId): IterableIterator<DocumentKey> {
    for (const [doc, move] of this.#moves) if (move.link === link) yield doc
  }

  /** The link is gone, and who was to go there is to be placed anew. */
  closed(link: LinkId): void {
    for (const [doc, move] of this.#moves) if (move.link === link) this.#forget(doc, move)
  }

  /** The parent gives nothing of the document now, and is asked again later: not before it wants to be. */
  putOff(doc: DocumentKey, retryAfterMs: number, now: Instant): void {
    const move = this.#moveOf(doc)
    this.#node.asked.answered(move.link, doc, now)
    this.#wait(doc, move, retryAfterMs, now)
  }

  /** The parent has no tail for what was held. False when it is of no use to ask for it again. */
  tailMissed(doc: DocumentKey, now: Instant, effects: EffectSink<LinkEffect>): boolean {
    const move = this.#moveOf(doc)
    this.#node.asked.answered(move.link, doc, now)
    this.#endWait(move)
    move.tailsMissed++
    if (move.tailsMissed >= tailTriesMax) return false
    // While it was on its way more has come from the old parent.
    if (move.tailsMissed === 1) this.#ask(doc, move, now, effects)
    else this.#wait(doc, move, 0, now)
    return true
  }

  /** It is the document's turn to be asked for. */
  askNow(doc: DocumentKey, now: Instant, effects: EffectSink<LinkEffect>): void {
    const move = this.#moves.get(doc)
    if (move?.state === 'queued') this.#ask(doc, move, now, effects)
  }

  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** Asks whom it is time to ask again. Told are those who have not answered: they are left, for now. */
  *due(now: Instant, effects: EffectSink<LinkEffect>): IterableIterator<DueMove> {
    for (const doc of this.#deadlines.due(now)) {
      const move = this.#moves.get(doc)
      if (move === undefined) continue
      const overdueAt = overdueAtOf(move)
      if (overdueAt === undefined) this.#ask(doc, move, now, effects)
      else if (overdueAt > now) this.#deadlines.set(doc, overdueAt)
      else {
        const { link } = move
        this.#node.asked.silent(link, doc)
        this.#leave(doc, move, effects)
        this.#wait(doc, move, 0, now)
        yield { doc, link }
      }
    }
  }

  #ask(doc: DocumentKey, move: Move, now: Instant, effects: EffectSink<LinkEffect>): void {
    const { asked, isMovable, limits, packer } = this.#node
    const { link } = move
    const have = this.#haveOf(doc)
    if (have === undefined) {
      // There is trouble with the old parent, which is dealt with first.
      this.#wait(doc, move, 0, now)
      return
    }
    if (!asked.ask(link, doc, now)) {
      move.state = 'queued'
      this.#deadlines.set(doc, undefined)
      return
    }
    move.state = 'asked'
    move.isExpected = true
    const patience = asked.patience(link)
    patience.begin(now)
    move.awaited = { patience, since: now }
    this.#deadlines.set(doc, overdueAtOf(move))
    const movable = isMovable(doc) ? { isMovable: true } : {}
    const { codecs } = packer
    const credit = limits.creditBytes
    const frame = encodeLinkFrame({
      kind: 'join',
      doc,
      have,
      credit,
      take: 'tail',
      codecs,
      ...movable,
    })
    effects.push({ kind: 'link-send', link, frame })
  }

  #wait(doc: DocumentKey, move: Move, retryAfterMs: number, now: Instant): void {
    this.#node.asked.leave(move.link, doc)
    this.#endWait(move)
    move.state = 'waiting'
    const wait = move.backoff.next()
    const asked = milliseconds(Math.min(retryAfterMs, retryAfterMsMax))
    this.#deadlines.set(doc, after(now, wait > asked ? wait : asked))
  }

  #leave(doc: DocumentKey, move: Move, effects: EffectSink<LinkEffect>): void {
    move.isExpected = false
    this.#node.asked.tellLeave(move.link, doc, effects)
  }

  #forget(doc: DocumentKey, move: Move): void {
    this.#node.asked.leave(move.link, doc)
    this.#endWait(move)
    this.#moves.delete(doc)
    this.#deadlines.set(doc, undefined)
  }

  #endWait(move: Move): void {
    move.awaited?.patience.end()
    move.awaited = undefined
  }

  #moveOf(doc: DocumentKey): Move {
    const move = this.#moves.get(doc)
    assert(move !== undefined, `${doc} is to go to another parent`)
    return move
  }
}

const overdueAtOf = ({ awaited }: Move): Instant | undefined =>
  awaited?.patience.overdueAt(awaited.since, awaited.patience.ms)
