import { after, Deadlines, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import { type Remedy, RepairLadder, type Trouble } from './repair.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** The documents of a node whose streams are in trouble, which are few. */
export class Troubles {
  readonly #limits: UpstreamLimits
  readonly #ladders = new Map<DocumentKey, RepairLadder>()
  /** Those that would be served by a parent that is not connected. */
  readonly #waiting = new Set<DocumentKey>()
  /** When each of them is over, if nothing more happens. */
  readonly #deadlines = new Deadlines<DocumentKey>()

  constructor(limits: UpstreamLimits) {
    this.#limits = limits
  }

  /** Documents in trouble. */
  get count(): number {
    return this.#ladders.size
  }

  /** True while some document would be served by a parent that is not connected. */
  get wantsAnother(): boolean {
    return this.#waiting.size > 0
  }

  /** Something happened to the stream of the document: what is done about it. */
  struck(doc: DocumentKey, trouble: Trouble, parents: readonly LinkId[], now: Instant): Remedy {
    let ladder = this.#ladders.get(doc)
    if (ladder === undefined) {
      // A gap is no trouble before it is a part of one.
      if (trouble.reason === 'gap' || trouble.reason === 'ceiling') return 'here'
      ladder = new RepairLadder(this.#limits.snapshotTriesMax)
      this.#ladders.set(doc, ladder)
    }
    this.#arm(doc, now)
    const remedy = ladder.struck(trouble, parents)
    if (ladder.wantsAnother) this.#waiting.add(doc)
    return remedy
  }

  /** The first of these parents that is worth a try for the document; undefined when all have failed it. */
  best(doc: DocumentKey, parents: readonly LinkId[]): LinkId | undefined {
    const ladder = this.#ladders.get(doc)
    return ladder === undefined ? parents[0] : ladder.other(parents, undefined)
  }

  /** True for a document in trouble. */
  has(doc: DocumentKey): boolean {
    return this.#ladders.has(doc)
  }

  /** True when the document would be served by a parent that is not connected. */
  isWaiting(doc: DocumentKey): boolean {
    return this.#waiting.has(doc)
  }

  /** The documents that would be served by another parent. */
  get waiting(): Iterable<DocumentKey> {
    return this.#waiting
  }

  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** Documents whose trouble is over: those that are well; the others are looked at later. */
  *over(now: Instant, isWell: (doc: DocumentKey) => boolean): IterableIterator<DocumentKey> {
    for (const doc of this.#deadlines.due(now)) {
      if (!isWell(doc)) {
        this.#arm(doc, now)
        continue
      }
      this.forget(doc)
      yield doc
    }
  }

  /** The document is not followed any more. */
  forget(doc: DocumentKey): void {
    this.#ladders.delete(doc)
    this.#waiting.delete(doc)
    this.#deadlines.set(doc, undefined)
  }

  #arm(doc: DocumentKey, now: Instant): void {
    this.#deadlines.set(doc, after(now, milliseconds(this.#limits.troubleOverMs)))
  }
}
