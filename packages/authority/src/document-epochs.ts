/*
 * Which epochs of a document were given. The log tells; but a log may lose them: a copy that was put back,
 * a failover that lost what was last written. Whoever has seen an epoch then knows better than the log,
 * and to give it again would make one name of two histories. So the next epoch is above all that were
 * heard of, and a child that has more of the log than this node makes it claim that next epoch at once:
 * what follows it replaces what the nodes and viewers below have.
 *
 * Where there are several authorities, the one that had the document before may append until it hears that it has not,
 * and nobody tells the next one. So whoever serves a document whose epoch is another's claims the next one at
 * once: from then on nothing is appended unheard. It is the same after a doubt, in which another one may have stood in.
 *
 * A child's word costs little to follow, and is believed within bounds: an epoch that is not much higher, and
 * seldom.
 */
import { after, type Instant, milliseconds } from '@fanfold/kernel'
import { type DocumentKey, describePosition, type Position } from '@fanfold/protocol'
import { isAhead } from '@fanfold/replication'
import type { KeptEpochs } from './kept-epochs.ts'

/** By how much an epoch that a child has seen may be higher than any that is known here. */
const leapMax = 1_000
/** A child's word is followed once in so long, ms. */
const heardEveryMs = 10_000
/** A claim for which the log has no room is made again after so long, ms. */
const claimAgainAfterMs = 1_000

/** The epochs of one document at its authority. */
export class DocumentEpochs {
  readonly #doc: DocumentKey
  readonly #lostEpochs: KeptEpochs
  readonly #ownEpochs: KeptEpochs | undefined
  /** The one that this node has claimed; 0 before its first commit, and when it has to claim another. */
  #claimed = 0
  /** The highest that is known here. */
  #highest: number
  /** Whether the log may know less. */
  #isLost: boolean
  /** The last one that this node has claimed, as far as the log goes on from there; 0 for none. */
  #own = 0
  /** Whether another node has claimed the log's, and may append. */
  #isOthers = false
  #isClaimDue = false
  #claimsAgainAt: Instant | undefined
  /** What a child had that the log has not, in words, until an epoch is claimed for it. */
  #loss: string | undefined
  #hearsAgainAt: Instant | undefined

  /**
   * @param kept.lost where what the log does not know is kept while the document is not in memory
   * @param kept.own the same for what this node has claimed; undefined where no other node writes the log
   */
  constructor(
    doc: DocumentKey,
    { lost: lostEpochs, own }: { readonly lost: KeptEpochs; readonly own?: KeptEpochs | undefined },
  ) {
    this.#doc = doc
    this.#lostEpochs = lostEpochs
    this.#ownEpochs = own
    this.#highest = lostEpochs.take(doc)
    this.#isLost = this.#highest > 0
  }

  /** The epoch that this node has claimed, 0 for none. */
  get claimed(): number {
    return this.#claimed
  }

  /** The highest epoch that is known here. */
  get highest(): number {
    return this.#highest
  }

  /** True when an epoch is to be claimed without waiting for a write. */
  get isClaimDue(): boolean {
    return this.#isClaimDue && this.#claimsAgainAt === undefined
  }

  /** When `tick` makes a claim due again that the log has refused. */
  get wakeAt(): Instant | undefined {
    return this.#claimsAgainAt
  }

  /** What was refused for a while is due again. */
  tick(now: Instant): void {
    if (this.#claimsAgainAt !== undefined && now >= this.#claimsAgainAt) {
      this.#claimsAgainAt = undefined
    }
  }

  /** The log has been read, and this is the highest epoch that it knows. */
  opened(epoch: number): void {
    this.seen(epoch)
    if (this.#ownEpochs === undefined) return
    const own = this.#ownEpochs.take(this.#doc)
    this.#own = own === epoch ? own : 0
    this.#isOthers = own !== epoch
    if (own <= this.#highest) return
    // The log has lost what this node had claimed, while the document was not in memory.
    this.#highest = own
    this.#isLost = true
  }

  /** The log was read in part, or is followed: this epoch is in it. */
  seen(epoch: number): void {
    this.#highest = Math.max(this.#highest, epoch)
  }

  /** Another node may have claimed an epoch and let go again, while this one could not be sure that it is the owner. */
  doubted(): void {
    if (this.#highest === 0) return
    this.#claimed = 0
    this.#isOthers = true
  }

  /** Somebody follows the document here: what another one might append must not go unheard. */
  served(): void {
    if (this.#isOthers) this.#isClaimDue = true
  }

  /** The log has no room for a claim that is due. */
  claimRefused(now: Instant): void {
    if (this.#isClaimDue) this.#claimsAgainAt = after(now, milliseconds(claimAgainAfterMs))
  }

  /**
   * What was appended by this epoch is durable. Tells what the log had lost, once that is known for sure: who
   * had been deposed, and heard of what came after, would not have been let append.
   */
  committed(epoch: number): string | undefined {
    // While it was appended a higher one was heard of: there is another to be claimed.
    if (epoch <= this.#highest && epoch !== this.#claimed) return undefined
    this.#claimed = epoch
    this.#own = epoch
    this.#highest = epoch
    this.#isLost = false
    this.#isOthers = false
    this.#isClaimDue = false
    this.#claimsAgainAt = undefined
    const loss = this.#loss
    this.#loss = undefined
    return loss
  }

  /** The log has lost records, and maybe the epochs of them. */
  lost(): void {
    this.#isLost = true
  }

  /**
   * Compares what a child has with where the log ends: who has more has seen what the log has lost. True
   * when that is so, and believed.
   */
  compare(have: Position | undefined, position: Position, now: Instant): boolean {
    if (have === undefined || !isAhead(have, position)) return false
    const loss = `a child is at ${describePosition(have)}, the log ends at ${describePosition(position)}`
    return this.heard(have.epoch, loss, now)
  }

  /** A child has seen more of the log than is in it, by this epoch; false when that is not believed. */
  heard(epoch: number, loss: string, now: Instant): boolean {
    if (epoch > this.#highest + leapMax) return false
    if (this.#hearsAgainAt !== undefined && now < this.#hearsAgainAt) return false
    this.#hearsAgainAt = after(now, milliseconds(heardEveryMs))
    this.#highest = Math.max(this.#highest, epoch)
    this.#claimed = 0
    this.#isLost = true
    this.#isClaimDue = true
    this.#loss = loss
    return true
  }

  /** The document leaves memory: what the log does not know is kept, and what this node has claimed. */
  close(): void {
    this.#ownEpochs?.keep(this.#doc, this.#own)
    if (this.#isLost) this.#lostEpochs.keep(this.#doc, this.#highest)
  }
}
