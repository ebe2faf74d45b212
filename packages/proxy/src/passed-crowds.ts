/*
 * What crowds say on its way up, at a proxy: of each document what children have is one aggregate, and each child is
 * told of its own when the parent has answered. Children are told to say the next shortly before this node may: what came
 * sooner would wait here, and what came later would wait for the turn after that.
 */
import { between, type EffectSink, type Instant, SmallMap } from '@fanfold/kernel'
import type { DocumentKey, LinkEffect, LinkId } from '@fanfold/protocol'
import {
  Combiner,
  type CrowdSource,
  CrowdUplink,
  decodeAggregate,
  encodeCrowdAnswer,
} from '@fanfold/reduction'
import type { CrowdAnswerFrame, CrowdFrame } from '@fanfold/replication'

/** Children wait for so long where the parent wants no wait, ms: what they say meanwhile goes together. */
const waitMsMin = 20
/** What children say is to be here so long before it goes on, ms: for links and turns that take longer this time. */
const aheadMs = 15

export type PassedCrowdsOptions = {
  /** The link to the parent that serves a document; undefined for none. */
  readonly linkOf: (doc: DocumentKey) => LinkId | undefined
  /** The instant and the effects of what is in hand. */
  readonly turn: () => { readonly now: Instant; readonly effects: EffectSink<LinkEffect> }
}

type Crowd = CrowdSource & {
  readonly combiner: Combiner<LinkId>
  /** When each child has said what is held of it. */
  readonly heardAt: SmallMap<LinkId, Instant>
}

/** What children say of the crowds below them. */
export class PassedCrowds {
  readonly #turn: PassedCrowdsOptions['turn']
  readonly #uplink: CrowdUplink
  readonly #crowds = new Map<DocumentKey, Crowd>()

  constructor({ linkOf, turn }: PassedCrowdsOptions) {
    this.#turn = turn
    this.#uplink = new CrowdUplink({ linkOf, sourceOf: doc => this.#crowds.get(doc) })
  }

  /** Documents of which a crowd below has said something. */
  get count(): number {
    return this.#crowds.size
  }

  /**
   * A child of the document says something.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when its aggregate is none
   */
  receive(link: LinkId, { doc, number, asked, aggregate: bytes }: CrowdFrame): void {
    const aggregate = bytes.length === 0 ? undefined : decodeAggregate(bytes)
    const crowd = this.#crowds.get(doc) ?? this.#begin(doc)
    const { now } = this.#turn()
    crowd.combiner.receive(link, number, { asked, aggregate })
    crowd.heardAt.set(link, now)
    this.#uplink.want(doc, now)
  }

  /**
   * The parent answers.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when its standings are none
   */
  answered(link: LinkId, frame: CrowdAnswerFrame): void {
    this.#uplink.receive(frame, link, this.#turn().now)
  }

  /** A parent serves the document from now on. */
  joined(doc: DocumentKey): void {
    this.#uplink.joined(doc, this.#turn().now)
  }

  /** A child has left the document. */
  left(doc: DocumentKey, link: LinkId): void {
    const crowd = this.#crowds.get(doc)
    crowd?.combiner.leave(link)
    crowd?.heardAt.delete(link)
  }

  /** The document is not followed any more. */
  forget(doc: DocumentKey): void {
    this.#crowds.delete(doc)
    this.#uplink.forget(doc)
  }

  wakeAt(): Instant | undefined {
    return this.#uplink.wakeAt()
  }

  tick(now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#uplink.tick(now, effects)
  }

  #begin(doc: DocumentKey): Crowd {
    const combiner = new Combiner<LinkId>()
    const heardAt = new SmallMap<LinkId, Instant>()
    const crowd: Crowd = {
      combiner,
      heardAt,
      next: () => combiner.next(),
      interrupt: () => combiner.interrupt(),
      answered: (answer, now) => {
        const wantedAt = this.#uplink.wantedAt(doc) ?? now
        for (const one of combiner.answered(answer)) {
          // The child counts from when it said this, which was as long ago as the next one will be on its way.
          const nextMs = between(heardAt.get(one.child) ?? now, wantedAt) / 1_000 - aheadMs
          const frame = encodeCrowdAnswer(doc, one, Math.max(waitMsMin, Math.round(nextMs)))
          this.#turn().effects.push({ kind: 'link-send', link: one.child, frame })
        }
      },
    }
    this.#crowds.set(doc, crowd)
    return crowd
  }
}
