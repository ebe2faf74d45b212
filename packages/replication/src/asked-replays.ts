/*
 * The replays that a node has asked its parents for: its own documents', and those that it passes on.
 *
 * Each has a number that no other one has, which its frames say. So any number of them may be of one
 * document and come over one link beside each other, and what is left on the way of one that is over
 * is nobody's.
 */
import type { EffectSink } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type Position,
} from '@fanfold/protocol'

/** A frame of a replay, as a parent sends it. */
export type ReplayFrame = Extract<LinkFrame, { readonly kind: 'replay' | 'replay-ended' }>

/** Who is told what comes of replays that are passed on. */
export type Relay = (frame: ReplayFrame) => void

/** Whose a replay is: a followed document's own, or one that is passed on to a child. */
export type ReplayOwner =
  | { readonly kind: 'own'; readonly doc: DocumentKey }
  | { readonly kind: 'relay' }

type Asked = {
  readonly link: LinkId
  readonly owner: ReplayOwner
  readonly doc: DocumentKey
}

/** What is asked of a log. */
export type ReplayWish = {
  readonly doc: DocumentKey
  readonly have: Position | undefined
  /** Bytes of records that may be under way. */
  readonly credit: number
}

/** How long a child whose replay was cut short waits before it asks again. */
const retryAfterMs = 250

/** Numbers that a frame can say. */
const numbersMax = 2 ** 32

/** Replays that parents were asked for, by their numbers. */
export class AskedReplays {
  readonly #asked = new Map<number, Asked>()
  readonly #numbersMax: number
  #nextNumber = 1

  /** @param numbers how many numbers there are: more than there may be replays at a time */
  constructor(numbers: number = numbersMax) {
    this.#numbersMax = numbers
  }

  /** Replays under way. */
  get count(): number {
    return this.#asked.size
  }

  /** True while a replay of the document is passed on. */
  isRelayed(doc: DocumentKey): boolean {
    for (const asked of this.#asked.values()) {
      if (asked.doc === doc && asked.owner.kind === 'relay') return true
    }
    return false
  }

  /** Asks the parent at the other end of `link`; returns the replay's number. */
  ask(
    link: LinkId,
    owner: ReplayOwner,
    { doc, have, credit }: ReplayWish,
    effects: EffectSink<LinkEffect>,
  ): number {
    const replay = this.#takeNumber()
    this.#asked.set(replay, { link, owner, doc })
    send(link, { kind: 'request-replay', doc, replay, have, credit }, effects)
    return replay
  }

  /** So many bytes more of the replay are taken. */
  credit(replay: number, bytes: number, effects: EffectSink<LinkEffect>): void {
    const asked = this.#asked.get(replay)
    if (asked !== undefined) send(asked.link, { kind: 'replay-credit', replay, bytes }, effects)
  }

  /** Nobody wants it any more. */
  leave(replay: number, effects: EffectSink<LinkEffect>): void {
    const asked = this.#asked.get(replay)
    if (asked !== undefined) send(asked.link, { kind: 'leave-replay', replay }, effects)
    this.#asked.delete(replay)
  }

  /** It is over, or its link is gone. */
  forget(replay: number): void {
    this.#asked.delete(replay)
  }

  /** Whose the frame is, which came over `link`; undefined when it is nobody's. */
  ownerOf(frame: ReplayFrame, link: LinkId): ReplayOwner | undefined {
    const asked = this.#asked.get(frame.replay)
    if (asked?.link !== link) return undefined
    if (frame.kind === 'replay-ended') this.#asked.delete(frame.replay)
    return asked.owner
  }

  /** What came over the link comes no more: who waits for what is passed on is told. */
  closed(link: LinkId, relay: Relay): void {
    const message = 'this node has lost its parent'
    for (const [replay, asked] of this.#asked) {
      if (asked.link !== link) continue
      this.#asked.delete(replay)
      const code = 'FANFOLD_NO_PARENT'
      if (asked.owner.kind === 'relay') {
        relay({ kind: 'replay-ended', replay, code, message, retryAfterMs })
      }
    }
  }

  /** One that goes on for very long may still have the number whose turn it is. */
  #takeNumber(): number {
    while (this.#asked.has(this.#nextNumber)) this.#countOn()
    const replay = this.#nextNumber
    this.#countOn()
    return replay
  }

  #countOn(): void {
    this.#nextNumber = (this.#nextNumber + 1) % this.#numbersMax
  }
}

function send(link: LinkId, frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
  effects.push({ kind: 'link-send', link, frame: encodeLinkFrame(frame) })
}
