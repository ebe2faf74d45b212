import type { LinkId } from '@fanfold/protocol'

/** Variants that children of one node may wait for at a time: what is over it is not asked for. */
export const variantsWaitedForMax = 1_024

/** Links of children that wait for edge variants, by the variants' names. */
export class VariantRequests {
  readonly #waiting = new Map<string, Set<LinkId>>()

  /** Variants that are waited for. */
  get count(): number {
    return this.#waiting.size
  }

  /** The link waits for the variant; false when too many are waited for. */
  add(hash: string, link: LinkId): boolean {
    const links = this.#waiting.get(hash)
    if (links !== undefined) {
      links.add(link)
      return true
    }
    if (this.#waiting.size >= variantsWaitedForMax) return false
    this.#waiting.set(hash, new Set([link]))
    return true
  }

  /** The links that wait for the variant, and then wait no more. */
  take(hash: string): Iterable<LinkId> {
    const links = this.#waiting.get(hash) ?? []
    this.#waiting.delete(hash)
    return links
  }

  /** The link is gone; the variants that nobody waits for any more. */
  leave(link: LinkId): string[] {
    const unwanted: string[] = []
    for (const [hash, links] of this.#waiting) {
      if (!links.delete(link) || links.size > 0) continue
      this.#waiting.delete(hash)
      unwanted.push(hash)
    }
    return unwanted
  }
}
