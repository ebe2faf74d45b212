/*
 * Views that the worker has made become frames: each piece is copied behind what says whose it is. That
 * is a hundred milliseconds' work for 50 MB, so it is done a slice in a turn, one view after the other;
 * who waits for a view waits for that as well.
 */
import { type DocumentKey, encodeViewPieceFrame } from '@fanfold/protocol'

/** Bytes of pieces that one slice copies: few milliseconds' worth, where memory is slow to come by. */
const sliceBytes = 1_048_576

/** A view as the worker has made it, and a frame of each piece. */
export type MadeView = {
  readonly pieces: readonly Uint8Array[]
  readonly frames: readonly Uint8Array[]
}

/** A view that is to have frames. */
export type UnframedView = {
  readonly doc: DocumentKey
  readonly pieces: readonly Uint8Array[]
  /** Called once, with the frames: at once for a view that one slice is enough for, when none is before it. */
  take(view: MadeView): void
}

/** The views of an edge that are about to have frames. */
export class ViewFraming {
  readonly #views: UnframedView[] = []
  /** Frames of the first one. */
  #frames: Uint8Array[] = []

  /** True when `tick` has something to do. */
  get isDue(): boolean {
    return this.#views.length > 0
  }

  /** The view has frames in its turn. */
  add(view: UnframedView): void {
    this.#views.push(view)
    if (this.#views.length === 1) this.tick()
  }

  /** Nobody is told of the document's views any more. */
  delete(doc: DocumentKey): void {
    if (this.#views[0]?.doc === doc) this.#frames = []
    const others = this.#views.filter(view => view.doc !== doc)
    this.#views.splice(0, this.#views.length, ...others)
  }

  /** Makes one slice of the first one's; the document whose view has all of them. */
  tick(): DocumentKey | undefined {
    const [view] = this.#views
    if (view === undefined) return undefined
    const { doc, pieces } = view
    const frames = this.#frames
    for (let bytes = 0; frames.length < pieces.length && bytes < sliceBytes; ) {
      const piece = pieces[frames.length] as Uint8Array
      frames.push(encodeViewPieceFrame(doc, frames.length, piece))
      bytes += piece.length
    }
    if (frames.length < pieces.length) return undefined
    this.#views.shift()
    this.#frames = []
    view.take({ pieces, frames })
    return doc
  }
}
