/*
 * What was kept of a document over a restart is verified before it is followed: each piece by its digest,
 * the records by their chain. To verify 50 MB takes some 50 ms, and many small records take longer, so it
 * is done in slices; what a follower begins with comes into being on the way, and is nobody's before all
 * of it has verified.
 */
import type { WarmDocument } from '@fanfold/document'
import { equalBytes, type Instant, type Sha256, sha256Bytes } from '@fanfold/kernel'
import { type DocumentKey, partTags } from '@fanfold/protocol'
import { RecordCheck } from './record-check.ts'
import type { RingLimits } from './record-ring.ts'
import { StagedDocument } from './staged-document.ts'

/** What a record costs beside its bytes, in bytes that are digested. */
const recordBytes = 4_096
/** Records that are looked at together. */
const recordsAtOnce = 64

/** What was kept of a document, as far as it is worth beginning with: all of it has verified. */
export type VerifiedDocument = { readonly staged: StagedDocument; readonly ceiling: number }

/** Verifies what was kept of one document. */
export class WarmCheck {
  readonly #document: WarmDocument
  readonly #sha256: Sha256
  readonly #records: RecordCheck
  readonly #staged: StagedDocument
  readonly #digest = new Uint8Array(sha256Bytes)
  #isGood: boolean
  #nextPiece = 0
  #nextRecord = 0

  constructor(options: {
    readonly doc: DocumentKey
    readonly document: WarmDocument
    readonly sha256: Sha256
    readonly ring: RingLimits
  }) {
    const { doc, document, sha256, ring: limits } = options
    const { manifest, pieces } = document.snapshot
    this.#document = document
    this.#sha256 = sha256
    this.#records = new RecordCheck(doc, sha256)
    this.#staged = StagedDocument.ofSnapshot(document.snapshot, { sha256, limits, isApart: false })
    this.#isGood = pieces.length === manifest.pieces.length
  }

  /**
   * Verifies on, until about so many bytes of work are done: a piece or some records at least. Returns what
   * is left of them; nothing while there is more to verify.
   */
  step(bytesMax: number, now: Instant): number {
    let left = bytesMax
    while (left > 0 && !this.isOver) {
      const isPiece = this.#nextPiece < this.#document.snapshot.pieces.length
      left -= isPiece ? this.#checkPiece() : this.#checkRecords(now)
    }
    return this.isOver ? Math.max(0, left) : 0
  }

  /** True when there is nothing left to verify. */
  get isOver(): boolean {
    const { snapshot, records } = this.#document
    const isAtEnd =
      this.#nextPiece === snapshot.pieces.length && this.#nextRecord === records.length
    return isAtEnd || !this.#isGood
  }

  /** What has verified, when it is over; undefined when something has not. */
  get verified(): VerifiedDocument | undefined {
    if (!this.isOver || !this.#isGood) return undefined
    return { staged: this.#staged, ceiling: this.#document.ceiling }
  }

  #checkPiece(): number {
    const { manifest, pieces } = this.#document.snapshot
    const index = this.#nextPiece++
    const [entry, piece] = [manifest.pieces[index], pieces[index]]
    if (entry === undefined || piece === undefined || piece.length !== entry.bytes) {
      this.#isGood = false
      return 0
    }
    this.#sha256(piece, this.#digest, 0)
    this.#isGood = equalBytes(this.#digest, entry.digest)
    return piece.length
  }

  #checkRecords(now: Instant): number {
    const first = this.#nextRecord
    const records = this.#document.records.slice(first, first + recordsAtOnce)
    this.#nextRecord += records.length
    const { position } = this.#staged.replica
    // They were looked at for what they may hold when they came.
    const ceiling = partTags.authority
    const { fresh, bytes, broken } = this.#records.check(records, position, ceiling)
    this.#isGood = broken === undefined && fresh.length === records.length
    if (this.#isGood) for (const record of records) this.#staged.append(record, now)
    return bytes + records.length * recordBytes
  }
}
