import type { Chain } from '@fanfold/document'
import type { EffectSink } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeReplayFrame,
  type LinkEffect,
  type LinkId,
  type LogRecord,
  limits,
} from '@fanfold/protocol'
import { creditBytesMax } from './child-stream.ts'
import {
  type ReplayOutcome,
  type ReplayProblem,
  type ReplayRequest,
  replayEnded,
} from './replays.ts'

/** A replay that moves less between two looks does not move: 2 kB/s, a quarter of the slowest line. */
const movedBytesMin = 10_240

/** Records that came together, from the next one on. */
type Batch = { readonly records: readonly LogRecord[]; readonly ceiling: number; next: number }

/**
 * The replay of one document to one child: records at hand leave as far as the child's credit and its
 * link allow, each projected to the child's ceiling.
 *
 * What is at hand is the owner's to bound: it gets more when `heldBytes` has gone down.
 */
export class ReplayStream {
  readonly doc: DocumentKey
  readonly link: LinkId
  /** What the child calls it. */
  readonly replay: number
  readonly #ceiling: number
  readonly #isCongested: () => boolean
  #batches: Batch[] = []
  #heldBytes = 0
  #credit: number
  /** What comes behind the records at hand: undefined while more may come. */
  #end: { readonly problem: ReplayProblem | undefined } | undefined
  /** Looks between which too little left. */
  #idleLooks = 0
  /** Bytes that left since the last look. */
  #movedBytes = 0

  constructor(doc: DocumentKey, request: ReplayRequest) {
    this.doc = doc
    this.link = request.link
    this.replay = request.replay
    this.#ceiling = request.ceiling
    this.#isCongested = request.isCongested
    this.#credit = Math.min(request.credit, creditBytesMax)
  }

  /** Bytes of records that wait for the child. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** True when it is known how the replay ends. */
  get isEnding(): boolean {
    return this.#end !== undefined
  }

  /** How it ended, once `send` has sent the last frame. */
  get outcome(): ReplayOutcome {
    return this.#end?.problem === undefined ? 'complete' : 'failed'
  }

  /** True when `send` has something to send now. */
  get isReady(): boolean {
    if (this.#isCongested()) return false
    return this.#batches.length > 0 ? this.#credit > 0 : this.#end !== undefined
  }

  /**
   * True when next to nothing has left in so many looks one after the other: to be called now and then,
   * so that a replay that its child takes by the byte does not keep others waiting for ever.
   */
  isIdleFor(looks: number): boolean {
    if (this.#movedBytes >= movedBytesMin) this.#idleLooks = 0
    this.#movedBytes = 0
    return this.#idleLooks++ >= looks
  }

  /** The next records, under this ceiling or a lower one. */
  add(records: readonly LogRecord[], ceiling: number): void {
    if (records.length === 0 || this.#end !== undefined) return
    this.#batches.push({ records, ceiling, next: 0 })
    for (const { bytes } of records) this.#heldBytes += bytes.length
  }

  /** Nothing comes behind what is at hand: the log is at its end, or it cannot be had. */
  end(problem: ReplayProblem | undefined): void {
    this.#end ??= { problem }
  }

  /** What is at hand may not be sent any more: the replay ends before it, for this reason. */
  cut(problem: ReplayProblem): void {
    this.#batches = []
    this.#heldBytes = 0
    this.#end = { problem }
  }

  /** The child takes so many bytes more. */
  grant(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, creditBytesMax)
  }

  /**
   * Sends one frame. The bytes of records that left, as they came; undefined when it was the last frame.
   */
  send(chain: Chain, effects: EffectSink<LinkEffect>): number | undefined {
    const [batch] = this.#batches
    if (batch === undefined) {
      effects.push(replayEnded(this.link, this.replay, this.#end?.problem))
      return undefined
    }
    const ceiling = Math.min(batch.ceiling, this.#ceiling)
    const sent: Uint8Array[] = []
    let bytes = 0
    let left = 0
    for (; batch.next < batch.records.length; batch.next++) {
      const record = batch.records[batch.next] as LogRecord
      const size = record.bytesUpTo(ceiling)
      const isOver =
        bytes + size > limits.recordsFrameBytesTarget.value || bytes + size > this.#credit
      if (sent.length > 0 && isOver) break
      sent.push(chain.project(record, ceiling).bytes)
      bytes += size
      left += record.bytes.length
    }
    if (batch.next === batch.records.length) this.#batches.shift()
    // Credit counts what the child gets, which counts likewise.
    for (const record of sent) this.#credit -= record.length
    this.#heldBytes -= left
    this.#movedBytes += left
    const frame = encodeReplayFrame(this.replay, ceiling, sent)
    effects.push({ kind: 'link-send', link: this.link, frame })
    return left
  }
}
