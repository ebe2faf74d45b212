import { assert } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeViewerFrame,
  type ViewerId,
} from '@fanfold/protocol'
import type { ObserveRequest } from './observe-request.ts'
import type { SmallFrame } from './small-frame.ts'
import type { Turn } from './turn.ts'

/** When a viewer that waits may ask again, ms; the edge goes on trying by itself. */
const askAgainMs = 2_000

type Refusal = {
  readonly code: ErrorCode
  readonly frame: Uint8Array
  readonly isParents: boolean
}

/** How many viewers wait and were not told why, for whatever document. */
export type WaitingTally = { count: number }

/**
 * The viewers of a document that wait, in the order in which they came: for a first state, for one that
 * is as late as what they resume from, for what the document is shown by, or for their turn.
 *
 * Who was told why it waits may wait as long as it likes, say for a document that nobody has created yet:
 * it takes the room of nobody who could be let in.
 */
export class WaitingViewers {
  readonly #doc: DocumentKey
  readonly #turn: Turn
  readonly #tally: WaitingTally
  readonly #requests = new Map<ViewerId, ObserveRequest>()
  /** Those who were told that what they are shown is old: they are told when it is not. */
  readonly #stale = new Set<ViewerId>()
  /** Seqs at which viewers were refused by what will soon be another state. */
  readonly #early = new Map<ViewerId, number>()
  /** What they are told; undefined while there is nothing to tell. */
  #refusal: Refusal | undefined
  /** The last look found viewers that wait. */
  #hasWaited = false

  constructor(doc: DocumentKey, turn: Turn, tally: WaitingTally) {
    this.#doc = doc
    this.#turn = turn
    this.#tally = tally
  }

  get count(): number {
    return this.#requests.size
  }

  /** True when some waited at the last look too: to be asked now and then. */
  get haveWaitedLong(): boolean {
    const before = this.#hasWaited
    this.#hasWaited = this.#requests.size > 0
    return before && this.#hasWaited
  }

  /** What the viewer asks for; undefined for one that does not wait. */
  get(viewer: ViewerId): ObserveRequest | undefined {
    return this.#requests.get(viewer)
  }

  has(viewer: ViewerId): boolean {
    return this.#requests.has(viewer)
  }

  /** The viewers and what they ask for; those looked at may be taken out meanwhile. */
  all(): IterableIterator<[ViewerId, ObserveRequest]> {
    return this.#requests.entries()
  }

  /** A viewer waits, which was perhaps looked at in vain at a seq; it is told what the others were. */
  add(viewer: ViewerId, request: ObserveRequest, earlyAt?: number): void {
    if (!this.#requests.has(viewer)) this.#tallied(1)
    this.#requests.set(viewer, request)
    if (earlyAt !== undefined) this.noteEarly(viewer, earlyAt)
    if (this.#refusal !== undefined) this.#send(viewer, this.#refusal.frame)
  }

  /** False when the viewer does not wait. */
  setViewState(viewer: ViewerId, viewState: ObserveRequest['viewState']): boolean {
    const request = this.#requests.get(viewer)
    if (request !== undefined) this.#requests.set(viewer, { ...request, viewState })
    this.#early.delete(viewer)
    return request !== undefined
  }

  /** A viewer was told that what it is shown is old. */
  noteStale(viewer: ViewerId): void {
    if (this.#requests.has(viewer)) this.#stale.add(viewer)
  }

  /** Whether it was told so since it waits. */
  isStale(viewer: ViewerId): boolean {
    return this.#stale.has(viewer)
  }

  /** The viewer cannot be let in at `seq`, and there is more to come. */
  noteEarly(viewer: ViewerId, seq: number): void {
    assert(this.#requests.has(viewer), `viewer ${viewer} waits`)
    this.#early.set(viewer, seq)
  }

  /** Whether it was looked at in vain at this seq. */
  isEarlyAt(viewer: ViewerId, seq: number): boolean {
    return this.#early.get(viewer) === seq
  }

  /** The viewer is another one now, and may be let in. */
  renew(viewer: ViewerId): void {
    this.#early.delete(viewer)
  }

  delete(viewer: ViewerId): void {
    this.#stale.delete(viewer)
    this.#early.delete(viewer)
    if (this.#requests.delete(viewer)) this.#tallied(-1)
  }

  /** They are told once why they wait, and go on waiting. */
  refuse(code: ErrorCode, message: string, isParents: boolean): void {
    if (this.#refusal?.code === code) return
    const doc = this.#doc
    const frame: SmallFrame = { type: 'refused', doc, code, message, retryAfter: askAgainMs }
    this.#tallied(-this.#requests.size)
    this.#refusal = { code, frame: encodeViewerFrame(frame), isParents }
    for (const viewer of this.#requests.keys()) this.#send(viewer, this.#refusal.frame)
  }

  /** They are told that there is nothing yet by which the document could be shown. */
  refuseUnshown(code: 'FANFOLD_NO_DEFINITION' | 'FANFOLD_NO_VARIANT'): void {
    const message =
      code === 'FANFOLD_NO_VARIANT'
        ? `what ${this.#doc} is shown by is not here yet`
        : `${this.#doc} has no definition by which it can be shown`
    this.refuse(code, message, false)
  }

  /** What they were told is over: of the parent's, with this code, or whatever it was. */
  forgive(which: 'parents' | ErrorCode | 'all'): void {
    const refusal = this.#refusal
    if (refusal === undefined) return
    const isIt = which === 'parents' ? refusal.isParents : which === 'all' || which === refusal.code
    if (!isIt) return
    this.#refusal = undefined
    this.#tallied(this.#requests.size)
  }

  /** They are told the same small thing, and wait no more; returns who that is. */
  dismiss(frame: SmallFrame): ViewerId[] {
    const bytes = encodeViewerFrame(frame)
    const viewers = [...this.#requests.keys()]
    for (const viewer of viewers) this.#send(viewer, bytes)
    this.#tallied(-viewers.length)
    this.#requests.clear()
    this.#stale.clear()
    this.#early.clear()
    return viewers
  }

  #tallied(more: number): void {
    if (this.#refusal === undefined) this.#tally.count += more
  }

  #send(viewer: ViewerId, frame: Uint8Array): void {
    this.#turn.push({ kind: 'viewer-send', viewer, frame })
  }
}
