/*
 * What a document's stream does after trouble, beyond asking its parent again.
 *
 *   tail ─▶ snapshot ─▶ snapshot elsewhere ─▶ replay
 *
 * A gap is asked for again where it is. A snapshot that is of no use (a piece damaged twice, one that is
 * none, one that never comes to its end, records that do not follow it) is fetched from another parent
 * that is connected, or else again from the same one while another parent is wanted. After two parents
 * have failed, or so many tries, the log is replayed. A parent that does not answer at all is left for
 * another one, too.
 */
import type { Instant } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { ResyncReason } from './upstream-event.ts'

/** Something that makes a stream start anew. */
export type Trouble = {
  readonly reason: ResyncReason
  /** Whether a snapshot was under way. */
  readonly isAssembling: boolean
  /** The parent with which it happened. */
  readonly link: LinkId
}

/** What is done about it. */
export type Remedy =
  /** The same parent is asked again. */
  | 'here'
  /** The parent is left: the owner attaches the stream to another one. */
  | 'elsewhere'
  /** The parent is asked for the log itself. */
  | 'replay'

/** Who knows the other parents says what is done. */
export type Repair = (doc: DocumentKey, trouble: Trouble, now: Instant) => Remedy

/** What happened to one document's stream since it was last well, and what that asks for. */
export class RepairLadder {
  readonly #triesMax: number
  /** Parents whose snapshots were of no use. */
  readonly #failed = new Set<LinkId>()
  /** Parents that did not answer. */
  readonly #silent = new Set<LinkId>()
  #tries = 0
  /** The first record that does not verify may have been damaged on its way. */
  #isSuspected = false
  #isReplayDue = false
  #wantsAnother = false

  constructor(triesMax: number) {
    this.#triesMax = triesMax
  }

  /** True while no parent is connected that is worth a try. */
  get wantsAnother(): boolean {
    return this.#wantsAnother
  }

  /** Notes the trouble and says what is done about it; for `elsewhere`, `other` says where. */
  struck(trouble: Trouble, parents: readonly LinkId[]): Remedy {
    switch (trouble.reason) {
      case 'gap':
      case 'ceiling':
        return this.#again()
      case 'hash':
      case 'broken':
      case 'diverged':
        if (this.#isSuspected) return this.#snapshotFailed(trouble.link, parents)
        this.#isSuspected = true
        return this.#again()
      case 'silence':
        if (trouble.isAssembling) return this.#snapshotFailed(trouble.link, parents)
        return this.#wasSilent(trouble.link, parents)
      case 'piece':
      case 'snapshot':
        return this.#snapshotFailed(trouble.link, parents)
    }
  }

  /** A parent that is worth a try, beside the one that serves. */
  other(parents: readonly LinkId[], serving: LinkId | undefined): LinkId | undefined {
    return parents.find(
      link => link !== serving && !this.#failed.has(link) && !this.#silent.has(link),
    )
  }

  #again(): Remedy {
    return this.#isReplayDue ? 'replay' : 'here'
  }

  #snapshotFailed(link: LinkId, parents: readonly LinkId[]): Remedy {
    this.#tries++
    this.#failed.add(link)
    if (this.#failed.size >= 2 || this.#tries >= this.#triesMax) this.#isReplayDue = true
    return this.#isReplayDue ? 'replay' : this.#tryOther(link, parents)
  }

  #wasSilent(link: LinkId, parents: readonly LinkId[]): Remedy {
    this.#silent.add(link)
    const remedy = this.#tryOther(link, parents)
    // When each of them was silent, each of them is worth a try again.
    if (remedy === 'here') this.#silent.clear()
    return remedy === 'here' ? this.#again() : remedy
  }

  #tryOther(link: LinkId, parents: readonly LinkId[]): Remedy {
    const isOther = this.other(parents, link) !== undefined
    if (!isOther) this.#wantsAnother = true
    return isOther ? 'elsewhere' : 'here'
  }
}
