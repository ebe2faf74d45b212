/*
 * A view of a large document on its way to viewers: made by the worker, in pieces, once for all of a
 * cohort that need it. It stands where the cohort stood when it was asked for; what the cohort is sent
 * afterwards is kept for a while, to follow it.
 *
 * It holds its frames as long as it is kept for newcomers, or somebody waits for it or is sent it.
 */
import type { JsonObject } from '@fanfold/document'
import { decodeUtf8 } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeSnapshotFrame,
  encodeViewerFrame,
  type ViewerId,
} from '@fanfold/protocol'
import type { Cohort, Place } from './cohort.ts'
import type { CountedView, LargeViews } from './large-views.ts'
import type { MadeView } from './view-framing.ts'

/** What is kept of the frames after it; beyond, viewers are led on otherwise. */
const afterMax = { bytes: 4_194_304, frames: 1_000 }
/** One that nobody uses goes after so many sweeps: with one in five seconds, in a minute. */
const sweepsMax = 12

/** A view in pieces. */
export class LargeSnapshot implements CountedView {
  readonly doc: DocumentKey
  readonly cohort: Cohort
  /** Where who has it stands in the log. */
  readonly place: Place
  /** The last record that it shows. */
  readonly shownSeq: number
  readonly #views: LargeViews
  readonly #seq: number
  readonly #position: string
  readonly #isDense: boolean
  readonly #waiting = new Set<ViewerId>()
  readonly #sent = new Set<ViewerId>()
  #frames: readonly Uint8Array[] | undefined
  /** Of the frames; what they are likely to be before they are made. */
  #bytes: number
  #after: Uint8Array[] | undefined = []
  #afterBytes = 0
  #isForgotten = false
  #sweeps = 0

  constructor(options: {
    readonly doc: DocumentKey
    readonly cohort: Cohort
    readonly place: Place
    readonly shownSeq: number
    readonly isDense: boolean
    /** Where it is counted: there was room for `bytes`. */
    readonly views: LargeViews
    /** What it is likely to hold. */
    readonly bytes: number
  }) {
    const { doc, cohort, place, shownSeq, isDense, views, bytes } = options
    this.doc = doc
    this.cohort = cohort
    this.place = place
    this.shownSeq = shownSeq
    this.#views = views
    this.#bytes = bytes
    this.#seq = isDense ? cohort.seq : place.seq
    this.#position = cohort.position(place)
    this.#isDense = isDense
    this.#count()
  }

  /** The frames, shared by all that get it; undefined until it is made, and when it is gone. */
  get frames(): readonly Uint8Array[] | undefined {
    return this.#frames
  }

  /** The frames that lead from it to where the cohort stands; undefined when there are too many. */
  get after(): readonly Uint8Array[] | undefined {
    return this.#after
  }

  /** Viewers that wait for it to be made. */
  get waiting(): ReadonlySet<ViewerId> {
    return this.#waiting
  }

  /** True when there is nobody for whom it could be made. */
  get isGone(): boolean {
    return this.#isForgotten && !this.#isUsed
  }

  /** True while newcomers may get it. */
  get isKept(): boolean {
    return !this.#isForgotten && (this.#frames === undefined || this.#after !== undefined)
  }

  /** A viewer waits for it. */
  wait(viewer: ViewerId): void {
    this.#waiting.add(viewer)
    this.#sweeps = 0
    this.#count()
  }

  /** It is on its way to a viewer. */
  send(viewer: ViewerId): void {
    this.#waiting.delete(viewer)
    this.#sent.add(viewer)
    this.#sweeps = 0
    this.#count()
  }

  /** The viewer has it, or does not get it any more; may be called twice. */
  release(viewer: ViewerId): void {
    const isHeld = this.#waiting.delete(viewer) || this.#sent.delete(viewer)
    if (isHeld) this.#count()
  }

  /** The cohort was sent a frame. */
  follow(frame: Uint8Array): void {
    if (this.#after === undefined) return
    const isMuch =
      this.#afterBytes + frame.length > afterMax.bytes ||
      this.#after.length >= afterMax.frames ||
      !this.#views.extend(this, frame.length)
    if (isMuch) {
      this.end()
      return
    }
    this.#after.push(frame)
    this.#afterBytes += frame.length
    this.#count()
  }

  /** What the cohort is sent leads on from elsewhere. */
  end(): void {
    this.#after = undefined
    this.#afterBytes = 0
    this.#count()
  }

  /** It is for no newcomer any more. */
  forget(): void {
    this.#isForgotten = true
    this.end()
  }

  /** Some seconds have passed. */
  sweep(): void {
    if (this.#isUsed) this.#sweeps = 0
    this.#sweeps++
    if (this.#sweeps > sweepsMax) this.forget()
  }

  /** It is made; returns the bytes of its frames, and keeps none of them where there is no room. */
  fill(view: MadeView): number {
    const whole = wholeView(view.pieces)
    const frames = whole === undefined ? this.#inPieces(view) : [this.#whole(whole)]
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    if (this.#views.grow(this, bytes - this.#bytes)) {
      this.#frames = frames
      this.#bytes = bytes
      this.#count()
    } else {
      this.forget()
    }
    return bytes
  }

  get #isUsed(): boolean {
    return this.#waiting.size > 0 || this.#sent.size > 0
  }

  #count(): void {
    if (this.#isUsed || this.isKept) {
      this.#views.count(this, this.#bytes + this.#afterBytes, this.#isUsed)
      return
    }
    this.#isForgotten = true
    this.#frames = undefined
    this.#after = undefined
    this.#views.forget(this)
  }

  #whole(viewJson: string): Uint8Array {
    const { doc } = this
    const [seq, position, isDense] = [this.#seq, this.#position, this.#isDense]
    return encodeSnapshotFrame({ doc, epoch: this.place.epoch, seq, position, isDense, viewJson })
  }

  #inPieces({ pieces, frames }: MadeView): readonly Uint8Array[] {
    const { doc } = this
    const begin = encodeViewerFrame({
      type: 'snapshot-begin',
      doc,
      epoch: this.place.epoch,
      seq: this.#seq,
      ...(this.#isDense && { numbering: 'dense' }),
      pieces: pieces.length,
      bytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    })
    const end = encodeViewerFrame({ type: 'snapshot-end', doc, position: this.#position })
    return [begin, ...frames, end]
  }
}

/** The view as JSON, when it is the one pair of the one piece. */
function wholeView([piece, ...more]: readonly Uint8Array[]): string | undefined {
  if (piece === undefined || more.length > 0) return undefined
  const text = decodeUtf8(piece)
  const pairs = JSON.parse(text ?? '[]') as readonly (readonly [string, JsonObject])[]
  const [root, ...others] = pairs
  return root?.[0] === '' && others.length === 0 ? JSON.stringify(root[1]) : undefined
}
