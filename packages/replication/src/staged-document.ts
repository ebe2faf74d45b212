import { Replica, type Snapshot } from '@fanfold/document'
import type { Instant, Sha256 } from '@fanfold/kernel'
import type { LogRecord } from '@fanfold/protocol'
import { isAhead } from './is-ahead.ts'
import { RecordRing, type RingLimits } from './record-ring.ts'
import { recordsAfter } from './records-after.ts'
import { snapshotBytes } from './snapshot-assembly.ts'

/**
 * What is to take the place of a document's replica and ring, while it is not there yet: a large
 * snapshot that is read in slices, or the log from its first record. Records that follow go here.
 */
export class StagedDocument {
  readonly replica: Replica
  readonly ring: RecordRing
  /** False while it may not be shown, as a replay goes on. */
  isWhole: boolean
  #heldUntil: Instant | undefined
  #isWriting = false
  /** The last record when there was nothing to write out: no document before it is created has a state. */
  #emptyAtSeq: number | undefined

  private constructor(sha256: Sha256, limits: RingLimits, snapshot: Snapshot | undefined) {
    this.replica = new Replica(sha256)
    if (snapshot !== undefined) this.replica.reset(snapshot)
    this.ring = new RecordRing(limits, this.replica.position)
    this.isWhole = false
  }

  /**
   * What a snapshot holds; `isApart`, of which is told when it may be shown; `heldUntil`, that waits as
   * long for what the parent has beyond it.
   */
  static ofSnapshot(
    snapshot: Snapshot,
    options: {
      readonly sha256: Sha256
      readonly limits: RingLimits
      readonly isApart: boolean
      readonly heldUntil?: Instant | undefined
    },
  ): StagedDocument {
    const staged = new StagedDocument(options.sha256, options.limits, snapshot)
    staged.isWhole = !options.isApart
    staged.#heldUntil = options.heldUntil
    return staged
  }

  /** What the log makes, from its first record. */
  static ofLog(sha256: Sha256, limits: RingLimits): StagedDocument {
    return new StagedDocument(sha256, limits, undefined)
  }

  /** Takes the next record. */
  append(record: LogRecord, now: Instant): void {
    this.replica.append(record)
    this.ring.push(record, now)
  }

  /** Until when it waits at most for what the parent has; undefined when it does not. */
  get heldUntil(): Instant | undefined {
    return this.#heldUntil
  }

  /** True while it waits for what the parent has; once it does not, it never will. */
  isHeldBack(isCatchingUp: boolean, now: Instant): boolean {
    const isOver = this.#heldUntil === undefined || !isCatchingUp || now >= this.#heldUntil
    if (isOver) this.#heldUntil = undefined
    return !isOver
  }

  /** True when all of it is here, as far as it was read, and it is no older than what is shown. */
  isNoOlderThan(shown: Replica): boolean {
    return this.isWhole && !isAhead(shown.position, this.replica.position)
  }

  /**
   * True for what may be large while there is no snapshot of it with the records that follow: who writes
   * out views of it could only write out all of it at once.
   */
  lacksSnapshot(largeBytes: number): boolean {
    const { lastSnapshot: last, bytesSinceSnapshot, position } = this.replica
    if (position.seq === this.#emptyAtSeq) return false
    const isLarge = last !== undefined && snapshotBytes(last.manifest) > largeBytes
    if (!isLarge) return bytesSinceSnapshot > largeBytes / 2
    return recordsAfter(this.replica, this.ring, last.manifest.at.seq) === undefined
  }

  /**
   * Writes that snapshot, a turn's worth at a time: applies what waits, and when that is little writes the
   * state out, while what comes waits. True when there is nothing left to do.
   */
  writeOut(turn: { readonly records: number; readonly bytes: number }): boolean {
    const { replica } = this
    const isBehind = replica.pendingBytes > turn.bytes || replica.pendingCount > turn.records
    if (!this.#isWriting && isBehind) {
      replica.settle(turn.records, turn.bytes)
      return replica.isBroken
    }
    this.#isWriting = !replica.writeOut(turn.bytes)
    if (!this.#isWriting && replica.lastSnapshot === undefined) {
      this.#emptyAtSeq = replica.position.seq
    }
    return !this.#isWriting
  }

  /** Becomes what is shown; this one is of no more use. */
  moveTo(replica: Replica, ring: RecordRing, now: Instant): void {
    replica.adopt(this.replica)
    ring.reset(this.ring.base)
    for (let seq = ring.lastSeq + 1; seq <= this.ring.lastSeq; seq++) {
      const record = this.ring.get(seq)
      if (record !== undefined) ring.push(record, now)
    }
  }
}
