/*
 * Keeps links to parents: one, or for a while two when the machine asks for another parent beside the
 * one it has (a snapshot that is to be had elsewhere, a parent that says it goes away).
 *
 * Addresses are in order of preference. One that does not answer is passed over until all were tried;
 * only then is there a wait, which grows until a link opens. After a loss the most preferred address is
 * next, but not the one that was lost. A link beside the first one is tried in the same order and by
 * the same waits, at an address that has none; with one address there is none.
 *
 * Whoever drives it gives it time and links: a Node process and the simulator keep parents alike.
 */
import { Backoff, milliseconds, type Prng } from '@fanfold/kernel'
import type { LinkEffect, LinkId, LinkInput } from '@fanfold/protocol'

/** First wait after a parent was lost or not reached, ms. */
const retryBaseMs = 100
/** Longest wait, ms. */
const retryMaxMs = 5_000

/** Where links are opened and closed. */
export type DialledLinks = {
  dial(address: string): LinkId | undefined
  perform(effect: LinkEffect): void
}

/** What became of the link to a parent. */
export type DiallerFact =
  | { readonly event: 'parent-connected'; readonly address: string; readonly peer: string }
  | { readonly event: 'parent-lost'; readonly address: string; readonly reason: string }

/** Calls `task` once after `delayMs` unless the returned function is called before. */
export type After = (delayMs: number, task: () => void) => () => void

type Parent = { readonly address: string; isOpen: boolean }

/** Keeps as many links to parents as the machine wants. */
export class ParentDialler {
  readonly #addresses: readonly string[]
  readonly #links: DialledLinks
  readonly #note: (fact: DiallerFact) => void
  readonly #backoff: Backoff
  readonly #after: After
  /** In the order in which they were dialled. */
  readonly #parents = new Map<LinkId, Parent>()
  /** Addresses that failed since a link was last opened, and the one that was lost. */
  readonly #tried = new Set<string>()
  /** Addresses that failed since a link was last opened, however often they were tried. */
  readonly #failed = new Set<string>()
  #wanted = 1
  #cancelRetry: (() => void) | undefined
  #isClosed = false

  constructor(options: {
    readonly addresses: readonly string[]
    readonly links: DialledLinks
    readonly prng: Prng
    readonly note: (fact: DiallerFact) => void
    readonly after: After
  }) {
    this.#addresses = options.addresses
    this.#links = options.links
    this.#note = options.note
    this.#after = options.after
    const waits = { base: milliseconds(retryBaseMs), max: milliseconds(retryMaxMs) }
    this.#backoff = new Backoff(waits, options.prng)
  }

  /** Parents that are dialled, or were without coming up since one did, and whether they are there. */
  get dialled(): readonly { readonly node: string; readonly isOpen: boolean }[] {
    const here = new Map<string, boolean>()
    for (const address of this.#failed) here.set(address, false)
    for (const { address, isOpen } of this.#parents.values()) here.set(address, isOpen)
    return [...here].map(([node, isOpen]) => ({ node, isOpen }))
  }

  /** Dials the most preferred parent. */
  start(): void {
    this.#fill()
  }

  /** From now on so many links are kept; of those that are too many the ones opened last are closed. */
  want(count: number): void {
    this.#wanted = count
    if (this.#isClosed) return
    this.#dropBeyond(count)
    this.#fill()
  }

  /** Sees what happens on links before the machine does. */
  notice(input: LinkInput): void {
    const parent = this.#parents.get(input.link)
    if (parent === undefined) return
    const { address } = parent
    if (input.kind === 'link-opened') {
      this.#backoff.reset()
      this.#tried.clear()
      this.#failed.clear()
      parent.isOpen = true
      this.#note({ event: 'parent-connected', address, peer: input.peer.node })
      this.#dropBeyond(this.#wanted)
      this.#fill()
    } else if (input.kind === 'link-closed') {
      this.#note({ event: 'parent-lost', address, reason: input.reason })
      this.#parents.delete(input.link)
      this.#failed.add(address)
      if (parent.isOpen) this.#tried.clear()
      this.#tried.add(address)
      if (parent.isOpen && !this.#hasOpen) {
        // The waits for a second parent are none for the first.
        this.#stopWaiting()
        this.#backoff.reset()
      }
      this.#fill()
    }
  }

  /** Dials no more; links that are there stay. */
  close(): void {
    this.#isClosed = true
    this.#stopWaiting()
  }

  get #hasOpen(): boolean {
    return [...this.#parents.values()].some(parent => parent.isOpen)
  }

  /** Dials one address more where links are wanting: at once, or after the wait. */
  #fill(): void {
    if (this.#isClosed || this.#cancelRetry !== undefined) return
    const parents = [...this.#parents.values()]
    if (parents.length >= this.#wanted || parents.some(parent => !parent.isOpen)) return
    const free = this.#addresses.filter(
      address => !parents.some(parent => parent.address === address),
    )
    if (free.length === 0) return
    const isUntried = free.some(address => !this.#tried.has(address))
    if (!isUntried) this.#tried.clear()
    if (isUntried && this.#backoff.attempts === 0) {
      this.#dial(free)
    } else {
      this.#cancelRetry = this.#after(this.#backoff.next() / 1000, () => {
        this.#cancelRetry = undefined
        if (this.#parents.size < this.#wanted) this.#dial(free)
      })
    }
  }

  #dial(free: readonly string[]): void {
    const address = free.find(one => !this.#tried.has(one)) ?? free[0]
    if (address === undefined) return
    const link = this.#links.dial(address)
    if (link !== undefined) this.#parents.set(link, { address, isOpen: false })
  }

  #dropBeyond(count: number): void {
    let open = 0
    for (const [link, { isOpen }] of [...this.#parents]) {
      // One that is still being dialled may turn out to be no parent at all: it takes nobody's place.
      if (open >= count) this.#drop(link)
      else if (isOpen) open++
    }
  }

  #drop(link: LinkId): void {
    this.#parents.delete(link)
    const message = 'another parent serves this node'
    this.#links.perform({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message })
  }

  #stopWaiting(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
  }
}
