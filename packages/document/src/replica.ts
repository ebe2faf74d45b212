import { assert, type Sha256 } from '@fanfold/kernel'
import {
  type LogRecord,
  type Position,
  ProtocolError,
  partTags,
  tagOf,
  zeroPosition,
} from '@fanfold/protocol'
import { type Change, decodeChange } from './change.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import { applyPatch, type PatchOperation } from './patch.ts'
import type { RecordedDefinition } from './recorded-definition.ts'
import type { Snapshot } from './snapshot.ts'
import { SnapshotDecoder } from './snapshot-decoder.ts'
import { SnapshotEncoder } from './snapshot-encoder.ts'

/**
 * A document as a proxy or an edge holds it: a snapshot and the records after it.
 *
 * Nothing is parsed when a record arrives. The state comes into being when somebody asks for it or
 * for a snapshot, or in slices: `readIn` for a large snapshot, `settle` when too much waits, `writeOut`
 * for the next snapshot. One whose snapshots are made elsewhere has no state at all: `advance` brings
 * it on.
 */
export class Replica {
  readonly #sha256: Sha256
  #position: Position = zeroPosition
  /** The newest snapshot at hand, in whatever form it came. */
  #snapshot: Snapshot | undefined
  /** The state at `#position` minus `#pending`; undefined while only `#snapshot` holds it. */
  #state: JsonObject | undefined
  #isMaterialised = true
  /** `#snapshot` as far as it was read in, while it is. */
  #decoder: SnapshotDecoder | undefined
  /** The state as far as it was written out, while it is and does not change. */
  #encoder: SnapshotEncoder | undefined
  /** What the log has said of the definition up to `#state`. */
  #definition: RecordedDefinition | undefined
  /** What the first waiting record does, once somebody has looked. */
  #next: Change | undefined
  /** Records that the state does not hold yet, in order. */
  #pending: LogRecord[] = []
  #pendingBytes = 0
  /** Bytes of the records after `#snapshot`, whether they were applied or not. */
  #bytesSinceSnapshot = 0
  #isDeleted = false
  #isBroken = false

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Where the replica is: after the last record it took. */
  get position(): Position {
    return this.#position
  }

  /** Seq of the last record that is applied: those up to `position` wait. */
  get appliedSeq(): number {
    return this.#position.seq - this.#pending.length
  }

  /** The definition that the document stands under, as of the records that are applied. */
  get definition(): RecordedDefinition | undefined {
    this.settle(0)
    return this.#definition
  }

  /** True after a `delete` record. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** True when a record did not apply: the replica is of no more use and must be fetched again. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Bytes of records that wait to be applied. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Records that wait to be applied. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /** Bytes of the records after the last snapshot: what a new one would make needless. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot
  }

  /** Records that wait to be applied, from the one after `seq`, which must not be applied already. */
  waitingAfter(seq: number): readonly LogRecord[] {
    assert(seq >= this.appliedSeq, `the record after ${seq} waits, ${this.appliedSeq} is applied`)
    return this.#pending.slice(seq - this.appliedSeq)
  }

  /** Takes a verified snapshot in place of everything. */
  reset(snapshot: Snapshot): void {
    this.#break()
    this.#snapshot = snapshot
    this.#position = snapshot.manifest.at
    this.#isMaterialised = false
    this.#isDeleted = !snapshot.manifest.pieces.some(piece => piece.tag < partTags.crowd)
    this.#isBroken = false
  }

  /** Takes what another replica holds in place of everything; that one is of no more use. */
  adopt(other: Replica): void {
    this.#position = other.#position
    this.#snapshot = other.#snapshot
    this.#state = other.#state
    this.#isMaterialised = other.#isMaterialised
    this.#decoder = other.#decoder
    this.#encoder = other.#encoder
    this.#definition = other.#definition
    this.#next = other.#next
    this.#pending = other.#pending
    this.#pendingBytes = other.#pendingBytes
    this.#bytesSinceSnapshot = other.#bytesSinceSnapshot
    this.#isDeleted = other.#isDeleted
    this.#isBroken = other.#isBroken
  }

  /** Reads on in the snapshot that it was reset to, some bytes at a time; true when all is read. */
  readIn(bytesMax: number): boolean {
    if (this.#isBroken || this.#isMaterialised || this.#snapshot === undefined) return true
    this.#decoder ??= new SnapshotDecoder(this.#snapshot)
    try {
      if (!this.#decoder.step(bytesMax)) return false
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#break()
      return true
    }
    const { state, definition } = this.#decoder.content
    this.#state = state
    this.#definition = definition
    this.#decoder = undefined
    this.#isMaterialised = true
    return true
  }

  /**
   * Lets the state go for its newest snapshot, which must be at hand and of the records that are
   * applied: it is made anew when somebody asks for it.
   */
  fold(): void {
    if (this.#isBroken || !this.#isMaterialised || this.#snapshot === undefined) return
    const { seq } = this.#snapshot.manifest.at
    assert(seq === this.appliedSeq, `a snapshot at ${this.appliedSeq}, got one at ${seq}`)
    this.#state = undefined
    this.#definition = undefined
    this.#next = undefined
    this.#isMaterialised = false
  }

  /**
   * Takes a snapshot that was made elsewhere of what this replica holds, in place of its last one: the
   * records up to it wait no more. Not for one whose state is at hand.
   */
  advance(snapshot: Snapshot): void {
    const { seq } = snapshot.manifest.at
    if (this.#isBroken || this.#isMaterialised || seq <= this.appliedSeq) return
    assert(seq <= this.#position.seq, `a snapshot up to ${this.#position.seq}, got one at ${seq}`)
    const covered = this.#pending.splice(0, seq - this.appliedSeq)
    for (const record of covered) this.#pendingBytes -= record.bytes.length
    this.#snapshot = snapshot
    this.#bytesSinceSnapshot = this.#pendingBytes
    this.#decoder = undefined
    this.#next = undefined
  }

  /** Forgets everything: what was held may be held no more. */
  clear(): void {
    this.#break()
    this.#position = zeroPosition
    this.#isMaterialised = true
    this.#isDeleted = false
    this.#isBroken = false
  }

  /** Takes the next record, verified by the caller. */
  append(record: LogRecord): void {
    if (!this.#isBroken) {
      this.#pending.push(record)
      this.#pendingBytes += record.bytes.length
      this.#bytesSinceSnapshot += record.bytes.length
    }
    this.#position = { epoch: record.epoch, seq: record.seq, hash: record.chainHash }
    if (record.kind === 'delete') this.#isDeleted = true
    else if (record.kind === 'create') this.#isDeleted = false
  }

  /**
   * The state now, or `undefined` when the document does not exist or the replica is broken. It is
   * the replica's own object: read it, keep no part of it, change nothing.
   */
  state(): JsonObject | undefined {
    this.settle(Number.POSITIVE_INFINITY)
    return this.#isBroken ? undefined : this.#state
  }

  /** The state as of the records that are applied, as `state` gives it; nothing is applied for it. */
  get appliedState(): JsonObject | undefined {
    this.settle(0)
    return this.#state
  }

  /**
   * The first record that waits, with what it is going to do; `undefined` when none waits, and when
   * it is not what a record is, which breaks the replica. Applying it uses this change up.
   */
  peek(): { readonly record: LogRecord; readonly change: Change } | undefined {
    const [record] = this.#pending
    if (record === undefined) return undefined
    this.#next ??= decodeChange(record)
    if (this.#next !== undefined) return { record, change: this.#next }
    this.#break()
    return undefined
  }

  /** Applies at most `countMax` waiting records, and no more once `bytesMax` bytes of them are. */
  settle(countMax: number, bytesMax: number = Number.POSITIVE_INFINITY): void {
    if (this.#isBroken) return
    this.readIn(Number.POSITIVE_INFINITY)
    const countDue = Math.min(countMax, this.#pending.length)
    if (countDue > 0) this.#encoder = undefined
    let count = 0
    for (let bytes = 0; count < countDue && bytes < bytesMax; count++) {
      const record = this.#pending[count] as LogRecord
      bytes += record.bytes.length
      const change = this.#next ?? decodeChange(record)
      this.#next = undefined
      if (change === undefined || !this.#areLabelsKnown(record) || !this.#apply(change)) {
        this.#break()
        return
      }
    }
    for (const record of this.#pending.splice(0, count)) this.#pendingBytes -= record.bytes.length
  }

  /**
   * The newest snapshot that was made and the seq it stands at, however old: with the records after
   * it, as good as a new one.
   */
  get lastSnapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** A snapshot at the current position, encoded once however often it is asked for. */
  snapshot(): Snapshot | undefined {
    if (!this.#hasNewest) this.settle(Number.POSITIVE_INFINITY)
    while (!this.writeOut(Number.POSITIVE_INFINITY));
    return this.#hasNewest ? this.#snapshot : undefined
  }

  /**
   * Writes the state out, some bytes at a time. What waits is applied before it begins; what is appended
   * then waits until it is done, or it begins anew. True when it is done, and `lastSnapshot` is of where
   * the replica was when it began: none when it is broken, or has no state.
   */
  writeOut(bytesMax: number): boolean {
    if (this.#encoder === undefined) {
      if (this.#hasNewest) return true
      const state = this.state()
      // A definition whose document is not created yet is nothing to begin with.
      if (this.#isBroken || (state === undefined && !this.#isDeleted)) return true
      const [at, definition, sha256] = [this.#position, this.#definition, this.#sha256]
      this.#encoder = new SnapshotEncoder({ at, state, definition, sha256 })
    }
    if (!this.#encoder.step(bytesMax)) return false
    const { snapshot } = this.#encoder
    this.#encoder = undefined
    // Records that came may have made a state that does not hold to its labels.
    if (snapshot === undefined) this.#break()
    else {
      this.#snapshot = snapshot
      this.#bytesSinceSnapshot = this.#pendingBytes
    }
    return true
  }

  /** True when the last snapshot is of the last record. */
  get #hasNewest(): boolean {
    return this.#snapshot?.manifest.at.seq === this.#position.seq
  }

  /** Nothing it holds is fit to be served: the state is half changed, the snapshot leads to it. */
  #break(): void {
    this.#isBroken = true
    this.#snapshot = undefined
    this.#state = undefined
    this.#definition = undefined
    this.#next = undefined
    this.#pending = []
    this.#pendingBytes = 0
    this.#bytesSinceSnapshot = 0
    this.#decoder = undefined
    this.#encoder = undefined
  }

  /** A part whose label nothing has cannot be kept apart in a snapshot: it is not taken in. */
  #areLabelsKnown(record: LogRecord): boolean {
    if (record.kind === 'definition') return true
    return record.parts().every(part => {
      const tag = tagOf(part)
      if (tag === partTags.public || tag >= partTags.crowd) return true
      return this.#definition?.labels.some(({ label }) => label === tag) === true
    })
  }

  #apply(change: Change): boolean {
    switch (change.kind) {
      case 'create': {
        const [root, ...labelled] = change.patch
        if (root?.op !== 'add' || !isJsonObject(root.value)) return false
        this.#state = root.value
        return this.#patch(labelled)
      }
      case 'delta':
        return this.#state !== undefined && this.#patch(change.patch)
      case 'definition':
        this.#definition = change.definition
        return this.#patch(change.patch)
      case 'delete':
        this.#state = undefined
        return true
      case 'none':
        return true
    }
  }

  #patch(patch: readonly PatchOperation[]): boolean {
    if (patch.length === 0) return true
    if (this.#state === undefined) return false
    this.#state = applyPatch(this.#state, patch)
    return this.#state !== undefined
  }
}
