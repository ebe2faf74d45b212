/*
 * What crowds say on its way up, at a proxy: of each document what children have is one aggregate, and each child is
 * told of its own when the parent has answered. Children wait as long as this node does: what they said more often
 * would wait here.
 */
import type { EffectSink, Instant } from '@fanfold/kernel'
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

export type PassedCrowdsOptions = {
  /** The link to the parent that serves a document; undefined for none. */
  readonly linkOf: (doc: DocumentKey) => LinkId | undefined
  /** The instant and the effects of what is in hand. */
  readonly turn: () => { readonly now: Instant; readonly effects: EffectSink<LinkEffect> }
}

type Crowd = CrowdSource & { readonly combiner: Combiner<LinkId> }

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
    crowd.combiner.receive(link, number, { asked, aggregate })
    this.#uplink.want(doc, this.#turn().now)
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
    this.#crowds.get(doc)?.combiner.leave(link)
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
    const crowd: Crowd = {
      combiner,
      next: () => combiner.next(),
      interrupt: () => combiner.interrupt(),
      answered: answer => {
        const waitMs = Math.max(this.#uplink.waitMs(doc), waitMsMin)
        for (const one of combiner.answered(answer)) {
          const frame = encodeCrowdAnswer(doc, one, waitMs)
          this.#turn().effects.push({ kind: 'link-send', link: one.child, frame })
        }
      },
    }
    this.#crowds.set(doc, crowd)
    return crowd
  }
}
