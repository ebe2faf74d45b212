/* Whom this node has asked about trees, and what is done with their answers. */
import type { Duration, EffectSink, Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type TreeEntry,
} from '@fanfold/protocol'

/** Takes what was answered; undefined when nothing will be. */
export type TakeTree<Effect> = (
  entries: readonly TreeEntry[] | undefined,
  now: Instant,
  effects: EffectSink<Effect>,
) => void

/** What another node is asked. */
export type TreeWish = {
  readonly link: LinkId
  readonly doc: DocumentKey
  /** All of the tree, or what is below that node. */
  readonly isWhole: boolean
  /** For how long the answer is of use. */
  readonly within: Duration
  readonly entriesMax: number
}

/** The questions about trees that this node has asked others. */
export class TreeAsking<Effect> {
  readonly #asked = new Map<number, { readonly link: LinkId; readonly take: TakeTree<Effect> }>()
  #lastNumber = 0

  /** Questions that are not answered. */
  get count(): number {
    return this.#asked.size
  }

  /** Asks; the number of the question. */
  ask(
    { link, doc, isWhole, within, entriesMax }: TreeWish,
    take: TakeTree<Effect>,
    effects: EffectSink<LinkEffect>,
  ): number {
    this.#lastNumber = this.#lastNumber === 0xffff_ffff ? 1 : this.#lastNumber + 1
    const number = this.#lastNumber
    this.#asked.set(number, { link, take })
    const withinMs = Math.floor(within / 1_000)
    const frame = { kind: 'request-tree', number, doc, isWhole, withinMs, entriesMax } as const
    effects.push({ kind: 'link-send', link, frame: encodeLinkFrame(frame) })
    return number
  }

  /** The answer is of no use any more. */
  forget(number: number | undefined): void {
    if (number !== undefined) this.#asked.delete(number)
  }

  /** Takes an answer; one that comes late, or was asked of another node, is nobody's. */
  answered(
    link: LinkId,
    { number, entries }: Extract<LinkFrame, { kind: 'tree' }>,
    now: Instant,
    effects: EffectSink<Effect>,
  ): void {
    const asked = this.#asked.get(number)
    if (asked?.link !== link) return
    this.#asked.delete(number)
    asked.take(entries, now, effects)
  }

  /** Who was asked over the link does not answer. */
  closed(link: LinkId, now: Instant, effects: EffectSink<Effect>): void {
    for (const [number, asked] of this.#asked) {
      if (asked.link !== link) continue
      this.#asked.delete(number)
      asked.take(undefined, now, effects)
    }
  }
}
