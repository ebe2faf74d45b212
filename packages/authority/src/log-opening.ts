/*
 * A document's log is read in: its newest snapshot, then the records after it. What is large comes in
 * slices, one in a turn, and what the log tells meanwhile waits behind it in its order; what waits is
 * what the log has after its snapshot, so it is bounded by how often a snapshot is kept.
 */
import { encodeSnapshot, type LogInput, projectSnapshot, type Snapshot } from '@fanfold/document'
import { type LogRecord, labelMax, partTags } from '@fanfold/protocol'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import type { CommittedDocument } from './committed-document.ts'
import type { DocumentShadow } from './document-shadow.ts'
import { LogSnapshotReading } from './log-snapshot.ts'
import { LogTail } from './log-tail.ts'

/** Bytes of a snapshot that one slice reads: some milliseconds' worth. */
const readBytesPerSlice = 262_144

/** What the log tells while it is read in. */
type OpeningInput = Extract<LogInput, { kind: 'log-snapshot' | 'log-records' | 'log-opened' }>

/** Reads in the log of one document. */
export class LogOpening {
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  readonly #shadow: DocumentShadow
  #reading: LogSnapshotReading | undefined
  readonly #waiting: (readonly LogRecord[])[] = []
  /** What children are led on by, once all is read in; undefined while no record was. */
  #tail: LogTail | undefined
  /** As the log said when it had told everything. */
  #epoch: number | undefined
  /** What the state may have become larger by since it was looked at. */
  #bytesUnseen = 0

  constructor(options: {
    readonly context: AuthorityContext
    readonly committed: CommittedDocument
    readonly shadow: DocumentShadow
  }) {
    this.#context = options.context
    this.#committed = options.committed
    this.#shadow = options.shadow
  }

  /** True when `slice` has something to do. */
  get hasSlices(): boolean {
    return this.#reading !== undefined || this.#waiting.length > 0
  }

  /** The highest epoch that the log has seen, once all of it is read in. */
  get epoch(): number | undefined {
    return this.hasSlices ? undefined : this.#epoch
  }

  /** The last of the records that were read in; undefined where there were none. */
  get tail(): LogTail | undefined {
    return this.#tail
  }

  /** Takes what the log tells. */
  receive(input: OpeningInput, effects: AuthorityEffect[]): void {
    switch (input.kind) {
      case 'log-snapshot':
        this.#read(input.snapshot, effects)
        return
      case 'log-records':
        if (this.hasSlices) this.#waiting.push(input.records)
        else this.#replay(input.records, effects)
        return
      case 'log-opened':
        this.#epoch = input.epoch
    }
  }

  /** Does one turn's worth of what waits. */
  slice(effects: AuthorityEffect[]): void {
    if (this.#reading !== undefined) {
      if (this.#reading.step(readBytesPerSlice)) this.#reading = undefined
      return
    }
    const records = this.#waiting.shift()
    if (records !== undefined) this.#replay(records, effects)
  }

  #read(snapshot: Snapshot, effects: AuthorityEffect[]): void {
    const { largeStateBytes } = this.#context.limits
    const { state, extra } = bytesOf(snapshot)
    const isCounting = state > largeStateBytes
    const reading = new LogSnapshotReading({ snapshot, committed: this.#committed, isCounting })
    if (isCounting) this.#shadow.open(projectSnapshot(snapshot, labelMax), effects)
    if (isCounting || extra > largeStateBytes) this.#reading = reading
    else reading.finish()
    this.#bytesUnseen = state
  }

  #replay(records: readonly LogRecord[], effects: AuthorityEffect[]): void {
    this.#tail ??= new LogTail(this.#committed.position)
    for (const record of records) {
      this.#committed.replay(record)
      this.#tail.push(record)
      this.#bytesUnseen += record.bytes.length
    }
    this.#shadow.feed(records, effects)
    if (!this.#shadow.isLarge && this.#bytesUnseen > this.#context.limits.largeStateBytes) {
      this.#look(effects)
    }
  }

  /** The state may have grown large: what it cannot have become meanwhile needs no look. */
  #look(effects: AuthorityEffect[]): void {
    const { limits, sha256 } = this.#context
    const committed = this.#committed
    committed.countBytes()
    this.#bytesUnseen = committed.stateBytes
    if (committed.stateBytes <= limits.largeStateBytes) {
      committed.countLater()
      return
    }
    const { position: at, state, definition } = committed
    this.#shadow.open(encodeSnapshot({ at, state, definition, sha256 }), effects)
  }
}

/** Bytes of a snapshot's pieces, those of the state and those above. */
function bytesOf({ manifest }: Snapshot): { state: number; extra: number } {
  let state = 0
  let extra = 0
  for (const { tag, bytes } of manifest.pieces) {
    if (tag < partTags.crowd) state += bytes
    else extra += bytes
  }
  return { state, extra }
}
