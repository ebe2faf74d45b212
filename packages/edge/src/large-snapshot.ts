/*
 * A view of a large document on its way to viewers: made by the worker, in pieces, once for all of a
 * cohort that need it. It stands where the cohort stood when it was asked for; what the cohort is sent
 * afterwards is kept for a while, to follow it.
 */
import type { JsonObject } from '@fanfold/document'
import { decodeUtf8 } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeSnapshotFrame,
  encodeViewerFrame,
  encodeViewPieceFrame,
  type ViewerId,
} from '@fanfold/protocol'
import type { Cohort, Place } from './cohort.ts'

/** What is kept of the frames after it; beyond, viewers are led on otherwise. */
const afterMax = { bytes: 4_194_304, frames: 1_000 }

/** A view in pieces. */
export class LargeSnapshot {
  readonly cohort: Cohort
  /** Where who has it stands in the log. */
  readonly place: Place
  /** The last record that it shows. */
  readonly shownSeq: number
  /** Viewers that wait for it to be made. */
  readonly waiting: Set<ViewerId> = new Set()
  readonly #seq: number
  readonly #position: string
  readonly #isDense: boolean
  #frames: readonly Uint8Array[] | undefined
  #after: Uint8Array[] | undefined = []
  #afterBytes = 0

  constructor(options: {
    readonly cohort: Cohort
    readonly place: Place
    readonly shownSeq: number
    readonly isDense: boolean
  }) {
    const { cohort, place, shownSeq, isDense } = options
    this.cohort = cohort
    this.place = place
    this.shownSeq = shownSeq
    this.#seq = isDense ? cohort.seq : place.seq
    this.#position = cohort.position(place)
    this.#isDense = isDense
  }

  /** The frames, shared by all that get it; undefined until it is made. */
  get frames(): readonly Uint8Array[] | undefined {
    return this.#frames
  }

  /** The frames that lead from it to where the cohort stands; undefined when there are too many. */
  get after(): readonly Uint8Array[] | undefined {
    return this.#after
  }

  /** The cohort was sent a frame. */
  follow(frame: Uint8Array): void {
    if (this.#after === undefined) return
    this.#after.push(frame)
    this.#afterBytes += frame.length
    const isMuch = this.#afterBytes > afterMax.bytes || this.#after.length > afterMax.frames
    if (isMuch) this.end()
  }

  /** What the cohort is sent leads on from elsewhere. */
  end(): void {
    this.#after = undefined
    this.#afterBytes = 0
  }

  /** It is made; returns its bytes. */
  fill(doc: DocumentKey, pieces: readonly Uint8Array[]): number {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const whole = wholeView(pieces)
    this.#frames =
      whole === undefined ? this.#inPieces(doc, pieces, bytes) : [this.#whole(doc, whole)]
    return bytes
  }

  #whole(doc: DocumentKey, viewJson: string): Uint8Array {
    const [seq, position, isDense] = [this.#seq, this.#position, this.#isDense]
    return encodeSnapshotFrame({ doc, epoch: this.place.epoch, seq, position, isDense, viewJson })
  }

  #inPieces(doc: DocumentKey, pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
    const begin = encodeViewerFrame({
      type: 'snapshot-begin',
      doc,
      epoch: this.place.epoch,
      seq: this.#seq,
      ...(this.#isDense && { numbering: 'dense' }),
      pieces: pieces.length,
      bytes,
    })
    const end = encodeViewerFrame({ type: 'snapshot-end', doc, position: this.#position })
    return [begin, ...pieces.map((piece, at) => encodeViewPieceFrame(doc, at, piece)), end]
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
