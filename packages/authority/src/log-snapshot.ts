import {
  ExtraDecoder,
  ExtraEncoder,
  type ExtraPieces,
  type JsonValue,
  type Snapshot,
  SnapshotDecoder,
  withExtra,
} from '@fanfold/document'
import { fromHex, type Sha256, toHex } from '@fanfold/kernel'
import { badFrame } from '@fanfold/protocol'
import { Ledger } from '@fanfold/reduction'
import type { CommittedDocument } from './committed-document.ts'
import { type CapturedWindow, chunkOf, idsPerChunk } from './idempotency-window.ts'

/** Ids that one slice writes out or takes over: some milliseconds' worth. */
const idsPerSlice = 4_096
/** Bytes of the crowd's ledger in one value, as twice as many hexadecimal digits. */
const ledgerBytesPerChunk = 16_384

/**
 * A snapshot for the log in the making: what children may get of it comes from elsewhere, what only
 * authorities keep is captured at the beginning and written out in slices.
 */
export class LogSnapshotWriting {
  readonly #encoder: ExtraEncoder
  readonly #window: CapturedWindow
  #next = 0
  #extra: ExtraPieces | undefined
  #snapshot: Snapshot | undefined

  constructor(committed: CommittedDocument, sha256: Sha256) {
    this.#encoder = new ExtraEncoder(sha256)
    const { lastTimeMs } = committed
    this.#encoder.add('', { ids: [], ledger: [], lastTimeMs })
    if (committed.hasLedger) this.#addLedger(committed.ledger.encode())
    this.#window = committed.window.capture()
  }

  /** True when `step` has something to write out. */
  get hasSlices(): boolean {
    return this.#extra === undefined
  }

  /** Some ten bytes a session: at most a megabyte, which is written out at once. */
  #addLedger(bytes: Uint8Array): void {
    for (let chunk = 0; chunk * ledgerBytesPerChunk < bytes.length; chunk++) {
      const from = chunk * ledgerBytesPerChunk
      const hex = toHex(bytes.subarray(from, from + ledgerBytesPerChunk))
      this.#encoder.add(`/ledger/${chunk}`, hex)
    }
  }

  /** True while the part that children may get is not there. */
  get isWaiting(): boolean {
    return this.#snapshot === undefined
  }

  /** What children may get, at the position at which this was begun. */
  take(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** Writes on; the whole once all of it is there. */
  step(): Snapshot | undefined {
    const end = Math.min(this.#window.length, this.#next + idsPerSlice)
    for (; this.#next < end; this.#next += idsPerChunk) {
      const chunk = chunkOf(this.#window, this.#next)
      this.#encoder.add(`/ids/${this.#next / idsPerChunk}`, chunk)
    }
    if (this.#next >= this.#window.length) this.#extra ??= this.#encoder.finish()
    if (this.#extra === undefined || this.#snapshot === undefined) return undefined
    return withExtra(this.#snapshot, this.#extra)
  }
}

/** A snapshot of the log that is read into a document, in slices. */
export class LogSnapshotReading {
  readonly #snapshot: Snapshot
  readonly #committed: CommittedDocument
  readonly #decoder: SnapshotDecoder
  readonly #extra: ExtraDecoder
  readonly #isCounting: boolean
  #isStateRead = false
  #chunks: readonly JsonValue[] | undefined
  #nextChunk = 0

  /** @param options.isCounting whether the bytes of the state are counted on the way */
  constructor(options: {
    readonly snapshot: Snapshot
    readonly committed: CommittedDocument
    readonly isCounting: boolean
  }) {
    const { snapshot, committed, isCounting } = options
    this.#snapshot = snapshot
    this.#committed = committed
    this.#isCounting = isCounting
    this.#decoder = new SnapshotDecoder(snapshot, isCounting)
    this.#extra = new ExtraDecoder(snapshot)
  }

  /** All of it, at once. */
  finish(): void {
    while (!this.step(Number.POSITIVE_INFINITY));
  }

  /**
   * Reads about `bytesMax` bytes; true when all is read.
   *
   * @throws ProtocolError when it is not what such a snapshot is
   */
  step(bytesMax: number): boolean {
    if (!this.#isStateRead) {
      this.#isStateRead = this.#decoder.step(bytesMax)
      if (this.#isStateRead) this.#restore()
      if (Number.isFinite(bytesMax)) return false
    }
    if (this.#chunks === undefined) {
      if (this.#extra.step(bytesMax)) this.#takeExtra()
      if (Number.isFinite(bytesMax)) return false
    }
    return this.#takeChunks()
  }

  #restore(): void {
    const { state, definition } = this.#decoder.content
    const stateBytes = this.#isCounting ? this.#decoder.stateBytes : undefined
    this.#committed.restore({ at: this.#snapshot.manifest.at, state, definition, stateBytes })
  }

  #takeExtra(): void {
    const extra = this.#extra.extra
    const chunks = extra?.['ids']
    this.#chunks = Array.isArray(chunks) ? chunks : []
    const lastTimeMs = extra?.['lastTimeMs']
    if (typeof lastTimeMs === 'number') this.#committed.lastTimeMs = lastTimeMs
    const ledger = extra?.['ledger']
    if (Array.isArray(ledger) && ledger.length > 0) {
      this.#committed.ledger = Ledger.decode(fromHex(ledger.join('')) ?? badFrame('a ledger'))
    }
  }

  #takeChunks(): boolean {
    const chunks = this.#chunks ?? []
    const end = Math.min(chunks.length, this.#nextChunk + idsPerSlice / idsPerChunk)
    for (; this.#nextChunk < end; this.#nextChunk++) {
      this.#committed.window.restore(chunks[this.#nextChunk])
    }
    return this.#nextChunk === chunks.length
  }
}
