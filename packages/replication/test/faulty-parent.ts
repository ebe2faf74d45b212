/*
 * A parent in a test's hands that holds a whole log, and does to its frames what the test says: loses
 * them, turns a bit over, or serves snapshots that are of no use for good.
 */
import type { Snapshot } from '@fanfold/document'
import { equalBytes } from '@fanfold/kernel'
import {
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkFrame,
  type LogRecord,
  type Position,
  zeroPosition,
} from '@fanfold/protocol'
import { after, doc, snapshotAt } from './build-stream.ts'

/** What happens to one frame on its way down. */
export type Fault =
  | { readonly kind: 'lost' }
  | { readonly kind: 'twice' }
  /** So many bits into the frame, from its middle on. */
  | { readonly kind: 'flipped'; readonly bit: number }

/** How a parent is. */
export type ParentMood = {
  /** Faults by the number of the frame that they befall. */
  readonly faults: ReadonlyMap<number, Fault>
  /** Whether each snapshot that it serves is damaged. */
  readonly isSnapshotBad: boolean
  /** Records before the last that it can serve as they are. */
  readonly tailMax: number
}

const channel = 5
const stateBytes = 150_000

/** A parent of one document. */
export class FaultyParent {
  readonly #log: readonly LogRecord[]
  readonly #mood: ParentMood
  readonly #toChild: Uint8Array[] = []
  #head: number
  #snapshot: Snapshot
  #sent = 0
  #isJoined = false

  constructor(log: readonly LogRecord[], head: number, mood: ParentMood) {
    this.#log = log
    this.#head = head
    this.#mood = mood
    this.#snapshot = snapshotAt(this.#position, stateBytes)
  }

  get #position(): Position {
    return after(this.#log[this.#head - 1])
  }

  /** Frames on their way down. */
  get isQuiet(): boolean {
    return this.#toChild.length === 0
  }

  /** The log has so many more records. */
  publish(count: number): void {
    const records = this.#log.slice(this.#head, this.#head + count)
    this.#head += records.length
    if (this.#isJoined && records.length > 0) this.#send({ kind: 'records', channel, records })
  }

  /** What it says a while after its last record. */
  tellHead(): void {
    this.#send({ kind: 'signal', signal: 'head', doc, value: this.#head })
  }

  /** A new link begins with nothing. */
  reset(): void {
    this.#toChild.length = 0
    this.#isJoined = false
  }

  /** The next frame down. */
  next(): Uint8Array | undefined {
    return this.#toChild.shift()
  }

  receive(bytes: Uint8Array): void {
    const frame = decodeLinkFrame(bytes)
    if (frame?.kind === 'join') this.#join(frame.have, frame.take === 'tail')
    else if (frame?.kind === 'request-pieces') for (const index of frame.indexes) this.#piece(index)
    else if (frame?.kind === 'request-replay') this.#replay(frame.replay, frame.have)
    else if (frame?.kind === 'leave') {
      this.#isJoined = false
      this.#send({ kind: 'left', doc })
    }
  }

  #join(have: Position | undefined, isTailAlone: boolean): void {
    const isTail = have !== undefined && this.#isKnown(have)
    if (!isTail && isTailAlone) {
      this.#send({ kind: 'refused', doc, code: 'FANFOLD_NO_TAIL', message: '', retryAfterMs: 0 })
      return
    }
    this.#isJoined = true
    const head = this.#position
    const mode = isTail ? 'tail' : 'snapshot'
    this.#send({ kind: 'welcome', doc, channel, mode, head, ceiling: 239 })
    if (!isTail) this.#begin(have?.seq ?? 0)
    const from = isTail ? have.seq : this.#snapshot.manifest.at.seq
    const records = this.#log.slice(from, this.#head)
    if (records.length > 0) this.#send({ kind: 'records', channel, records })
  }

  #isKnown(have: Position): boolean {
    const isKept = have.seq <= this.#head && have.seq >= this.#head - this.#mood.tailMax
    return isKept && equalBytes(after(this.#log[have.seq - 1]).hash, have.hash)
  }

  /** A snapshot that is not the newest, and no older than what the child has. */
  #begin(haveSeq: number): void {
    const seq = Math.min(this.#head, Math.max(1, haveSeq, this.#head - 3))
    this.#snapshot = snapshotAt(after(this.#log[seq - 1]), stateBytes)
    this.#send({ kind: 'snapshot-begin', channel, manifest: this.#snapshot.manifest })
    for (const index of this.#snapshot.pieces.keys()) this.#piece(index)
  }

  #piece(index: number): void {
    const good = this.#snapshot.pieces[index]
    if (good === undefined) return
    const piece = this.#mood.isSnapshotBad && index === 1 ? turned(good, 77) : good
    this.#send({ kind: 'snapshot-piece', channel, index, codec: 0, piece })
  }

  #replay(replay: number, have: Position | undefined): void {
    const from = (have ?? zeroPosition).seq
    for (let first = from; first < this.#head; first += 7) {
      const records = this.#log.slice(first, Math.min(first + 7, this.#head))
      this.#send({ kind: 'replay', replay, ceiling: 239, records })
    }
    this.#send({ kind: 'replay-ended', replay, code: undefined, message: '', retryAfterMs: 0 })
  }

  #send(frame: LinkFrame): void {
    const bytes = encodeLinkFrame(frame)
    const fault = this.#mood.faults.get(this.#sent++)
    if (fault?.kind === 'lost') return
    if (fault?.kind === 'twice') this.#toChild.push(bytes)
    this.#toChild.push(fault?.kind === 'flipped' ? turned(bytes, fault.bit) : bytes)
  }
}

/** The bytes with one bit turned over, so far behind their middle. */
function turned(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  const half = Math.floor(bytes.length / 2)
  const index = half + (Math.floor(bit / 8) % Math.max(1, bytes.length - half))
  copy[index] = (copy[index] ?? 0) ^ (1 << (bit % 8))
  return copy
}
