import type { Chain } from '@fanfold/document'
import type { EffectSink, Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type LinkId,
  type TreePlace,
} from '@fanfold/protocol'
import {
  Downstream,
  type Follower,
  isAhead,
  type JoinRequest,
  type PiecePacker,
  refusal,
  type Staleness,
} from '@fanfold/replication'
import { PassedHashes } from './passed-hashes.ts'
import type { ProxyEffect } from './proxy-effect.ts'

/** Why a child gets nothing of a document. */
export type JoinProblem = {
  readonly code: ErrorCode
  readonly message: string
  /** When it may ask again; 0 when that is not said. */
  readonly retryAfterMs: number
}

/** There is nothing to give, and nobody above to ask. */
export const noParent: JoinProblem = {
  code: 'FANFOLD_NO_PARENT',
  message: 'this node has no parent that answers now',
  retryAfterMs: 250,
}

/** What the parent sends of the document is still on its way. */
export const notYet: JoinProblem = {
  code: 'FANFOLD_NO_PARENT',
  message: 'this node has not got the document yet',
  retryAfterMs: 250,
}

/** A child that takes the tail alone has nothing that one could follow. */
export const noTail: JoinProblem = {
  code: 'FANFOLD_NO_TAIL',
  message: 'a tail follows something, and the child has nothing',
  retryAfterMs: 0,
}

/** The child would have the document from itself, or too far below. */
export const noPlace = (reason: 'loop' | 'too-deep'): JoinProblem => ({
  code: 'FANFOLD_NO_PARENT',
  message:
    reason === 'loop' ? 'this node is below the child' : 'this node is too far down the tree',
  retryAfterMs: 250,
})

/** There is no room for another document; those that nobody wants go by and by. */
export const noRoom = (count: number, documentsMax: number): JoinProblem => ({
  code: 'FANFOLD_OVERLOADED',
  message: `this node follows ${count} documents of ${documentsMax}, and has none left for this child`,
  retryAfterMs: 1_000,
})

/** What was held of the document is in doubt, and was let go. */
export const putAside = (doc: DocumentKey, retryAfterMs: number): JoinProblem => ({
  code: 'FANFOLD_SET_ASIDE',
  message: `${doc} is put aside`,
  retryAfterMs,
})

/** A document that a proxy follows and serves. */
export class ProxyDocument {
  readonly doc: DocumentKey
  readonly follower: Follower
  readonly downstream: Downstream
  readonly channel: number
  readonly hashes: PassedHashes
  /** Children that wait for the first answer from above; of one link only the last join counts. */
  readonly waiting: Map<LinkId, JoinRequest> = new Map()
  /**
   * False for what was kept over a restart, until the parent has said under which ceiling it may be
   * served.
   */
  isConfirmed: boolean
  /** Until then a child may ask again that was told to. */
  expectedUntil: Instant = 0 as Instant
  /** Viewers below, as the parent was told last. */
  viewersTold = 0

  constructor(options: {
    readonly doc: DocumentKey
    readonly follower: Follower
    readonly channel: number
    readonly chain: Chain
    readonly packer: PiecePacker
    /** How old what is held may be, now. */
    readonly staleness: () => Staleness
    readonly isConfirmed: boolean
    /** Where the node stands in the document's tree, for a child; when not said, children are not told. */
    readonly placeFor?:
      | ((document: ProxyDocument, link: LinkId) => TreePlace | undefined)
      | undefined
  }) {
    const { follower, placeFor } = options
    this.doc = options.doc
    this.follower = follower
    this.downstream = new Downstream({
      doc: options.doc,
      channel: options.channel,
      ring: follower.ring,
      chain: options.chain,
      source: follower,
      ceiling: () => follower.upstream.ceiling,
      packer: options.packer,
      staleness: options.staleness,
      placeFor: placeFor && (link => placeFor(this, link)),
    })
    this.channel = options.channel
    this.hashes = new PassedHashes(follower.ring)
    this.isConfirmed = options.isConfirmed
  }

  /** True when there is something that children may have, however old. */
  get canServe(): boolean {
    return this.isConfirmed && this.follower.hasState
  }

  /** True while somebody below wants the document. */
  get isUsed(): boolean {
    return this.downstream.count > 0 || this.waiting.size > 0
  }

  /** Answers a child from what is here. */
  join(request: JoinRequest, effects: EffectSink<ProxyEffect>): void {
    const { doc, follower, downstream } = this
    const answer = downstream.join(request, follower.replica.position, effects)
    if (answer !== 'refused') this.expectedUntil = 0 as Instant
    effects.push({ kind: 'fact', fact: { event: 'join-answered', doc, answer } })
  }

  /** Tells a child that it gets nothing, and why. */
  refuse(request: JoinRequest, problem: JoinProblem, effects: EffectSink<ProxyEffect>): void {
    refuseJoin(this.doc, request, problem, effects)
  }

  /** Tells all children that wait. */
  refuseWaiting(problem: JoinProblem, effects: EffectSink<ProxyEffect>): void {
    for (const request of this.takeWaiting()) this.refuse(request, problem, effects)
  }

  /** Tells all children that they get nothing more, and why. */
  end(problem: JoinProblem, effects: EffectSink<ProxyEffect>): void {
    this.refuseWaiting(problem, effects)
    this.downstream.end(problem.code, problem.message, effects)
  }

  /** Tells children the hash of the state: what is known of the last record, or what the parent will answer. */
  answerHash(now: Instant, effects: EffectSink<ProxyEffect>): void {
    const answer = this.hashes.answer(now, () => this.follower.upstream.askStateHash(effects))
    if (answer !== undefined) this.downstream.tellHash(answer, effects)
  }

  /** Sends children what they can take; true when there is more for the next turn. */
  flush(effects: EffectSink<ProxyEffect>): boolean {
    const { doc, downstream } = this
    const isMore = downstream.flush(effects)
    const bytes = downstream.takeSnapshotBytesSent()
    if (bytes > 0) effects.push({ kind: 'fact', fact: { event: 'snapshot-sent', doc, bytes } })
    return isMore
  }

  /**
   * Those who wait and have no more than is here, and then wait no more: a child that has is served when
   * the tail has come, which brings what it has.
   */
  takeServable(): JoinRequest[] {
    const { position } = this.follower.replica
    const requests = [...this.waiting.values()].filter(
      ({ have }) => have === undefined || !isAhead(have, position),
    )
    for (const { link } of requests) this.waiting.delete(link)
    return requests
  }

  /** Everybody who waits, and then waits no more. */
  takeWaiting(): JoinRequest[] {
    const requests = [...this.waiting.values()]
    this.waiting.clear()
    return requests
  }

  /** Lets go of what is old or kept for nobody; false when there is nothing to look after any more. */
  lookAfter(now: Instant): boolean {
    const { ring } = this.follower
    ring.dropOld(now)
    const isKept = this.downstream.letGo()
    return isKept || this.waiting.size > 0 || ring.bytes > 0
  }
}

/** Tells a child that it gets nothing of a document, and why. */
export function refuseJoin(
  doc: DocumentKey,
  { link }: JoinRequest,
  { code, message, retryAfterMs }: JoinProblem,
  effects: EffectSink<ProxyEffect>,
): void {
  const frame = encodeLinkFrame(refusal(doc, code, message, retryAfterMs))
  effects.push({ kind: 'link-send', link, frame })
  effects.push({ kind: 'fact', fact: { event: 'join-answered', doc, answer: 'refused' } })
}
