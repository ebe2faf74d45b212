/*
 * How much the viewers of one tenant are sent at this edge: a bucket of bytes that fills at the tenant's rate and holds
 * a second of it. What is sent is taken out of it after it was sent, so it may fall below nothing; the tenant is over
 * then, and nothing more is begun for it until there is something in it again. Nothing is cut off and nothing waits in
 * a queue of bytes: what is shown next leads on from what was shown last.
 *
 * An update that is worth more than ten seconds of the rate counts as ten, and what one viewer is sent alone as
 * no more than a second: else a large one would silence the tenant for as long as it is large.
 */
import { after, between, type Duration, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/** What the bucket holds, as time at the tenant's rate. */
const burst = milliseconds(1_000)
/** What must be in it for more to be sent after it was empty; with less, updates would be cut into crumbs. */
const resumeAbove = milliseconds(50)
/** From here on the tenant has plenty again. */
const plenty = milliseconds(500)
/** How far below nothing an update to many viewers, and what one viewer is sent alone, take it. */
const debtMax = { many: milliseconds(10_000), one: milliseconds(1_000) } as const

/** What the viewers of one tenant may be sent. */
export class ByteAllowance {
  readonly tenant: string
  readonly #now: () => Instant
  readonly #onOver: (allowance: ByteAllowance) => void
  /** Documents that have something to show and wait until the tenant may go on, in their order. */
  readonly #waiting = new Set<DocumentKey>()
  #perSecond: number
  /** As time at the tenant's rate. */
  #left: number = burst
  #filledAt: Instant
  #isOver = false
  #sentBytes = 0

  constructor(options: {
    readonly tenant: string
    readonly bytesPerSecondMax: number
    readonly now: () => Instant
    /** The tenant may be sent nothing more for now. */
    readonly onOver: (allowance: ByteAllowance) => void
  }) {
    this.tenant = options.tenant
    this.#now = options.now
    this.#onOver = options.onOver
    this.#perSecond = Math.max(1, options.bytesPerSecondMax)
    this.#filledAt = options.now()
  }

  /** What it may be sent in a second. */
  get bytesPerSecondMax(): number {
    return this.#perSecond
  }

  /** Bytes that were sent, since there is a bound. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** True while nothing more is to be begun. */
  get isOver(): boolean {
    if (this.#isOver && this.#fill() >= resumeAbove) this.#isOver = false
    return this.#isOver
  }

  /** True when there is no sign of more to come than may. */
  get hasPlenty(): boolean {
    return !this.isOver && this.#fill() >= plenty
  }

  /** When it is not over any more. */
  get freeAt(): Instant {
    const missing = Math.max(0, resumeAbove - this.#fill())
    return after(this.#now(), Math.ceil(missing) as Duration)
  }

  /** True while documents wait. */
  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** It is another rate from now on; what was sent counts for as long as it did. */
  resize(bytesPerSecondMax: number): void {
    this.#fill()
    this.#perSecond = Math.max(1, bytesPerSecondMax)
  }

  /** So many viewers are sent so many bytes each. */
  spend(bytes: number, viewers: number): void {
    this.#take(bytes * viewers, debtMax.many)
  }

  /** One viewer is sent something alone. */
  spendOne(bytes: number): void {
    this.#take(bytes, debtMax.one)
  }

  /** The document has something to show. */
  wait(doc: DocumentKey): void {
    this.#waiting.add(doc)
  }

  /** The document waits no more. */
  forget(doc: DocumentKey): void {
    this.#waiting.delete(doc)
  }

  /** The next of those that wait, while there is something for it. */
  next(): DocumentKey | undefined {
    if (this.isOver) return undefined
    const [doc] = this.#waiting
    if (doc !== undefined) this.#waiting.delete(doc)
    return doc
  }

  #take(bytes: number, debt: Duration): void {
    this.#sentBytes += bytes
    const left = this.#fill()
    const cost = (bytes / this.#perSecond) * 1_000_000
    this.#left = Math.max(left - cost, Math.min(left, -debt))
    if (this.#left >= 0 || this.#isOver) return
    this.#isOver = true
    this.#onOver(this)
  }

  #fill(): number {
    const now = this.#now()
    this.#left = Math.min(burst, this.#left + Math.max(0, between(this.#filledAt, now)))
    this.#filledAt = now
    return this.#left
  }
}
