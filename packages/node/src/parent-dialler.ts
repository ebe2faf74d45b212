import { Backoff, milliseconds, type Prng } from '@fanfold/kernel'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import type { Log } from './logging.ts'
import type { RoleLinks } from './role-links.ts'

/** First wait after a parent was lost or not reached, ms. */
const retryBaseMs = 100
/** Longest wait, ms. */
const retryMaxMs = 5_000

/**
 * Keeps one link to a parent: the addresses in order of preference, the next one when one does not
 * answer, from the first again after each loss, with a wait that grows until a link opens.
 */
export class ParentDialler {
  readonly #addresses: readonly string[]
  readonly #links: RoleLinks
  readonly #log: Log
  readonly #backoff: Backoff
  #link: LinkId | undefined
  #next = 0
  #isOpen = false
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: {
    readonly addresses: readonly string[]
    readonly links: RoleLinks
    readonly prng: Prng
    readonly log: Log
  }) {
    this.#addresses = options.addresses
    this.#links = options.links
    this.#log = options.log
    const waits = { base: milliseconds(retryBaseMs), max: milliseconds(retryMaxMs) }
    this.#backoff = new Backoff(waits, options.prng)
  }

  /** Dials the most preferred parent. */
  start(): void {
    this.#dial()
  }

  /** Sees what happens on links before the machine does. */
  notice(input: LinkInput): void {
    if (input.link !== this.#link) return
    const parent = this.#addresses[this.#next % this.#addresses.length]
    if (input.kind === 'link-opened') {
      this.#backoff.reset()
      this.#isOpen = true
      const fields = { event: 'link.parent-connected', parent, peer: input.peer.node }
      this.#log.info(fields, 'parent connected')
    } else if (input.kind === 'link-closed') {
      const fields = { event: 'link.parent-lost', parent, reason: input.reason }
      this.#log.warn(fields, 'no link to parent')
      this.#link = undefined
      // After a loss the most preferred one first, but not the one that was just lost.
      this.#next = this.#isOpen && this.#next % this.#addresses.length !== 0 ? 0 : this.#next + 1
      this.#isOpen = false
      this.#retry()
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #retry(): void {
    if (this.#isClosed) return
    // The other parents are tried at once; the wait comes when all of them were.
    const wasLast = this.#next % this.#addresses.length === 0
    const waitMs = wasLast || this.#backoff.attempts > 0 ? this.#backoff.next() / 1000 : 0
    this.#timer = setTimeout(() => this.#dial(), waitMs)
  }

  #dial(): void {
    if (this.#isClosed) return
    const address = this.#addresses[this.#next % this.#addresses.length]
    if (address !== undefined) this.#link = this.#links.dial(address)
  }
}
