/*
 * A snapshot that comes in pieces, beside the view that is shown: nothing is seen of it before all is
 * there. Each piece is a message of its own, so a browser does other things between two of them.
 *
 * What a piece brings is compared with what is shown when it comes, and the equal part of that is taken
 * in its place. The turn at the end then looks only into the containers that were too large for a piece.
 */
import type { JsonValue } from '@fanfold/document'
import type { ViewerFrame } from '@fanfold/protocol'
import { Draft } from './patch-view.ts'

type BeginFrame = Extract<ViewerFrame, { type: 'snapshot-begin' }>
type PieceFrame = Extract<ViewerFrame, { type: 'snapshot-piece' }>
type EndFrame = Extract<ViewerFrame, { type: 'snapshot-end' }>
type SnapshotFrame = Extract<ViewerFrame, { type: 'snapshot' }>

/** Characters of a piece's frame around its pairs, more than any key and index need. */
const frameLengthMax = 512
/** A view of more pairs shares no container that was opened: to compare those would take too long. */
const sharedPairsMax = 262_144

/** A snapshot under way. */
export class ViewAssembly {
  readonly #begin: BeginFrame
  readonly #draft = new Draft(undefined)
  #pieces = 0
  #pairs = 0
  #length = 0

  constructor(begin: BeginFrame) {
    this.#begin = begin
  }

  /** The containers that were not in one piece with all they hold, and are still to be compared. */
  get opened(): ReadonlySet<JsonValue> {
    return this.#pairs > sharedPairsMax ? new Set() : this.#draft.own
  }

  /**
   * Takes a piece of a frame of `length` characters; false when it is not the next one, does not fit,
   * or is more than was announced.
   */
  take({ index, pairs }: PieceFrame, length: number, shown: JsonValue | undefined): boolean {
    // No text has more characters than bytes.
    this.#length += length - frameLengthMax
    this.#pairs += pairs.length
    const isNext = index === this.#pieces++ && index < this.#begin.pieces
    return (
      isNext &&
      this.#length <= this.#begin.bytes &&
      pairs.every(pair => this.#draft.put(pair, shown))
    )
  }

  /** The whole, as the frame that it stands for; undefined when something is missing. */
  end({ position }: EndFrame): SnapshotFrame | undefined {
    const view = this.#draft.root
    if (view === undefined || this.#pieces !== this.#begin.pieces) return undefined
    return { ...this.#begin, type: 'snapshot', position, view }
  }
}
