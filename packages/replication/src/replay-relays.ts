/*
 * Replays that a node passes on from its parent to a child.
 *
 * Frames of a replay say the document and not whose it is, and a parent serves one of each document on a
 * link. So there is one at a time: the node's own goes first, and one that is passed on meanwhile is cut
 * short: whoever asked for it is told to ask again, and is better served by then with what the node has.
 * What is left of it on the way does not follow what the node's own has, and is passed over there.
 */
import type { EffectSink } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
} from '@fanfold/protocol'

/** A frame of a replay, as a parent sends it. */
export type ReplayFrame = Extract<LinkFrame, { readonly kind: 'replay' | 'replay-ended' }>

/** What a child asks of a replay. */
export type ReplayAsk = Extract<
  LinkFrame,
  { readonly kind: 'request-replay' | 'replay-credit' | 'leave-replay' }
>

/** Who is told what comes of replays that are passed on. */
export type Relay = (frame: ReplayFrame) => void

/** The replays that are passed on, with the links that they come over. */
export class ReplayRelays {
  readonly #relay: Relay
  readonly #links = new Map<DocumentKey, LinkId>()

  constructor(relay: Relay) {
    this.#relay = relay
  }

  /** Passes a child's frame on, over `link` for a new replay. */
  ask(frame: ReplayAsk, link: LinkId | undefined, effects: EffectSink<LinkEffect>): boolean {
    const isNew = frame.kind === 'request-replay'
    const to = this.#links.get(frame.doc) ?? (isNew ? link : undefined)
    if (to === undefined) return false
    if (frame.kind === 'leave-replay') this.#links.delete(frame.doc)
    else this.#links.set(frame.doc, to)
    effects.push({ kind: 'link-send', link: to, frame: encodeLinkFrame(frame) })
    return true
  }

  /** Passes a parent's frame on; false when nobody waits for it. */
  take(frame: ReplayFrame, link: LinkId): boolean {
    if (this.#links.get(frame.doc) !== link) return false
    if (frame.kind === 'replay-ended') this.#links.delete(frame.doc)
    this.#relay(frame)
    return true
  }

  /** The node needs the document itself. */
  cut(doc: DocumentKey, effects: EffectSink<LinkEffect>): void {
    const link = this.#links.get(doc)
    if (link === undefined) return
    const frame = encodeLinkFrame({ kind: 'leave-replay', doc })
    effects.push({ kind: 'link-send', link, frame })
    this.#end(doc, 'this node replays the document itself')
  }

  /** What came over the link comes no more. */
  closed(link: LinkId): void {
    for (const [doc, of] of this.#links) {
      if (of === link) this.#end(doc, 'this node has lost its parent')
    }
  }

  #end(doc: DocumentKey, message: string): void {
    this.#links.delete(doc)
    this.#relay({
      kind: 'replay-ended',
      doc,
      code: 'FANFOLD_NO_PARENT',
      message,
      retryAfterMs,
    })
  }
}

/** How long a child whose replay was cut short waits before it asks again. */
const retryAfterMs = 250
