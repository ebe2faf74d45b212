import type { LinkAllowance } from './transfer-allowance.ts'

/** A link as far as its room for pieces goes. */
export type RoomyLink = {
  readonly allowance: LinkAllowance
  /** More unsent bytes than it should have: nobody goes on before it is drained. */
  readonly isCongested: boolean
}

/**
 * Links that have room again for documents that wait for it: one link in turn, and of its documents the
 * next one. To wake all that wait whenever a child has taken something would cost as many looks as there
 * are documents, for room that the first few fill again.
 */
export class RoomyLinks {
  readonly #links = new Set<RoomyLink>()

  /** True when `flushNext` has something to do. */
  get areAny(): boolean {
    return this.#links.size > 0
  }

  /** The link may have room: its child has taken something, or it is drained. */
  add(link: RoomyLink): void {
    if (link.allowance.next !== undefined) this.#links.add(link)
  }

  /** The link is gone. */
  delete(link: RoomyLink): void {
    this.#links.delete(link)
  }

  /**
   * Lets the next document of the next link go on.
   *
   * @param flush sends what the document of this channel can send; true when it has more to do in a turn
   *   to come
   */
  flushNext(flush: (channel: number) => boolean): void {
    for (const link of this.#links) {
      this.#links.delete(link)
      const { allowance } = link
      const channel = allowance.next
      if (channel === undefined || link.isCongested) continue
      const goesOn = flush(channel)
      // One that has nothing for the link after all must not hold up the others.
      if (!goesOn && allowance.next === channel) allowance.endWait(channel)
      this.add(link)
      return
    }
  }
}
