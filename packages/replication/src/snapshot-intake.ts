/*
 * A snapshot on its way in, with the records that follow it.
 *
 * Pieces come in order and none is lost on a link; what is lost was dropped by a parent or damaged. So
 * once records follow, or no piece has come for half of the time that one may take, the missing ones
 * are asked for by their indexes, and again after a sixth and a third of that time. A snapshot of which
 * no piece came for the whole of it is given up.
 *
 * All that begins when a piece would be here over the slowest line that a link may have, and only while
 * nothing else comes either, or has come for long: what is on its way is neither sent twice nor given up
 * and begun anew, or a slow line would never end with it.
 */
import type { PackedPiece, Snapshot } from '@fanfold/document'
import type { Instant, Sha256 } from '@fanfold/kernel'
import type { LogRecord, SnapshotManifest } from '@fanfold/protocol'
import type { AnswerPatience } from './answer-patience.ts'
import type { AssemblyBudget } from './assembly-budget.ts'
import type { PiecePacker } from './piece-packer.ts'
import { type PieceTaken, SnapshotAssembly, snapshotBytes } from './snapshot-assembly.ts'

/** Pieces asked for in one frame. */
export const piecesAskedMax = 16

/** What the slowest line carries, bytes/ms: 64 kbit/s. */
const lineBytesPerMsMin = 8

/** Shares of the time for a piece after which the missing ones are asked for; the last one is the end. */
const askedAfter: readonly number[] = [1 / 2, 2 / 3, 1]

/** A snapshot that is coming in. */
export class SnapshotIntake {
  readonly #assembly: SnapshotAssembly
  readonly #budget: AssemblyBudget
  readonly #bytes: number
  readonly #patience: AnswerPatience
  /** How long the largest piece is under way at most, ms. */
  readonly #lineMs: number
  /** Bytes of records that may wait for the snapshot. */
  readonly #waitingBytesMax: number
  readonly #waiting: LogRecord[] = []
  #waitingBytes = 0
  readonly #asked = new Set<number>()
  /** Times that the missing pieces were asked for since one came. */
  #asks = 0
  #progressAt: Instant

  private constructor(options: IntakeOptions, bytes: number) {
    this.#assembly = new SnapshotAssembly(options.manifest, options.sha256, options.packer)
    this.#budget = options.budget
    this.#bytes = bytes
    this.#patience = options.patience
    const pieceBytes = options.manifest.pieces.map(({ bytes }) => bytes)
    const largest = pieceBytes.reduce((most, count) => Math.max(most, count), 0)
    this.#lineMs = largest / lineBytesPerMsMin
    this.#waitingBytesMax = options.waitingBytesMax
    this.#progressAt = options.now
  }

  /** Begins to take a snapshot in; undefined when the node has no room for it now. */
  static begin(options: IntakeOptions): SnapshotIntake | undefined {
    const bytes = snapshotBytes(options.manifest)
    return options.budget.take(bytes) ? new SnapshotIntake(options, bytes) : undefined
  }

  /** The snapshot is here or given up: another one may come in its place. */
  close(): void {
    this.#budget.free(this.#bytes)
  }

  /** The snapshot, once all of it is here. */
  get snapshot(): Snapshot | undefined {
    return this.#assembly.snapshot
  }

  /** Records that came after the snapshot, in the order in which they came. */
  get waiting(): readonly LogRecord[] {
    return this.#waiting
  }

  /** Bytes of them. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** When missing pieces are to be asked for, or the snapshot is to be given up. */
  get wakeAt(): Instant {
    const share = askedAfter[Math.min(this.#asks, askedAfter.length - 1)] as number
    return this.#afterShare(share)
  }

  /** True when no piece has come for as long as one may take. */
  isOver(now: Instant): boolean {
    return now >= this.#afterShare(1)
  }

  /** Takes a piece. */
  take(index: number, piece: PackedPiece, now: Instant): PieceTaken {
    const taken = this.#assembly.take(index, piece)
    if (taken === 'unwanted' || taken === 'damaged-again') return taken
    this.#progressAt = now
    this.#asks = 0
    if (taken === 'good') this.#asked.delete(index)
    else this.#asked.add(index)
    return taken
  }

  /** Keeps records until the snapshot is here; false when more wait than may. */
  keep(records: readonly LogRecord[]): boolean {
    for (const record of records) {
      // The limit is on what waits before, as the credit that bounds it is.
      if (this.#waitingBytes > this.#waitingBytesMax) return false
      this.#waiting.push(record)
      this.#waitingBytes += record.bytes.length
    }
    return true
  }

  /** True when all pieces were sent and some are neither here nor asked for. */
  get isAskDue(): boolean {
    return this.#waiting.length > 0 && this.#asked.size === 0
  }

  /** The next missing pieces, which the caller asks for now. */
  ask(): number[] {
    const missing = this.#assembly.missing(piecesAskedMax)
    this.#asked.clear()
    for (const index of missing) this.#asked.add(index)
    this.#asks++
    return missing
  }

  #afterShare(share: number): Instant {
    const patience = this.#patience
    return patience.overdueAt(this.#progressAt, this.#lineMs + share * patience.ms)
  }
}

type IntakeOptions = {
  readonly manifest: SnapshotManifest
  readonly sha256: Sha256
  readonly packer: PiecePacker
  readonly budget: AssemblyBudget
  /** How long the next piece may take, beside what a slow line takes for it. */
  readonly patience: AnswerPatience
  /** Bytes of records that may wait for the snapshot, but for one frame of them. */
  readonly waitingBytesMax: number
  readonly now: Instant
}
