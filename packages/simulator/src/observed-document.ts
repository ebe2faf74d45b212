/*
 * One document as a viewer has it: its view, led from frame to frame by the client's
 * rules, and compared with the log at each step.
 *
 * Three places matter. `base` is what the next delta applies to; `shown` is how far the application
 * has seen, which never goes back; `anchor` is the view that the last position belongs to. A resume
 * starts at the anchor, so base may be behind shown for a while: then nothing is shown.
 */
import { isJsonObject, type PatchOperation } from '@fanfold/document'
import type { DocumentKey, ViewerFrame } from '@fanfold/protocol'
import { SeenView } from './seen-view.ts'

/** What a frame led to. */
export type Step =
  | { readonly kind: 'taken' }
  /** The frame does not fit: nothing was applied, and the document is to be observed from scratch. */
  | { readonly kind: 'misfit'; readonly message: string }
  /** The frame fits and leads to what the log does not say. */
  | { readonly kind: 'wrong'; readonly message: string }

/** Why a view is not what the log makes for the viewer at a place; undefined when it is. */
export type Judge = (place: Place, view: SeenView) => string | undefined

/** Seqs that a viewer saw without a gap: a snapshot at `from`, deltas up to `to`. */
export type SeenRange = { readonly from: number; to: number }

/** A place of the log. */
export type Place = { readonly epoch: number; readonly seq: number }
type View = Place & { readonly view: SeenView }
type SnapshotFrame = Extract<ViewerFrame, { type: 'snapshot' }>
type DeltaFrame = Extract<ViewerFrame, { type: 'delta' }>

/** Ranges that are remembered; older ones are forgotten. */
const rangesMax = 64

const taken: Step = { kind: 'taken' }

/** One document at one viewer. */
export class ObservedDocument {
  readonly doc: DocumentKey
  #base: View | undefined
  #shown: Place | undefined
  #anchor: (View & { readonly position: string }) | undefined
  readonly #ranges: SeenRange[] = []
  #snapshots = 0
  #deltas = 0
  #repeats = 0

  constructor(doc: DocumentKey) {
    this.doc = doc
  }

  /** The view that the next delta applies to. */
  get view(): SeenView | undefined {
    return this.#base?.view
  }

  /** How far the application has seen; it never goes back. */
  get shownSeq(): number {
    return this.#shown?.seq ?? 0
  }

  /** The stretches it saw, each without a gap, the last one last. */
  get ranges(): readonly SeenRange[] {
    return this.#ranges
  }

  /** Frames taken; `repeats` are snapshots of what the application had seen already. */
  get counts(): { readonly snapshots: number; readonly deltas: number; readonly repeats: number } {
    return { snapshots: this.#snapshots, deltas: this.#deltas, repeats: this.#repeats }
  }

  /** Begins on a new connection; returns the position to resume from, or none for a snapshot. */
  resume(): string | undefined {
    const anchor = this.#anchor
    this.#base = undefined
    if (anchor === undefined) return undefined
    this.#base = anchor
    this.#ranges.push({ from: anchor.seq, to: anchor.seq })
    return anchor.position
  }

  /** Begins from scratch. */
  restart(): void {
    this.#base = undefined
    this.#anchor = undefined
  }

  /** Takes the whole view. */
  takeSnapshot(frame: SnapshotFrame, judge: Judge): Step {
    const { epoch, seq, position, view } = frame
    if (!isJsonObject(view)) return { kind: 'misfit', message: 'a view that is not an object' }
    this.#snapshots++
    const base: View = { epoch, seq, view: SeenView.of(view) }
    this.#base = base
    if (this.#shown !== undefined && isBefore(base, this.#shown)) this.#repeats++
    this.#ranges.push({ from: seq, to: seq })
    if (this.#ranges.length > rangesMax) this.#ranges.shift()
    return this.#arrive(base, position, judge)
  }

  /** Takes a step from one view to the next, or to another view of the same place. */
  takeDelta(frame: DeltaFrame, judge: Judge): Step {
    const base = this.#base
    const { epoch, from, seq, patch, position } = frame
    if (base === undefined) return misfit(`delta from ${from} to ${seq} before any view`)
    if (from !== base.seq || seq < from || epoch < base.epoch) {
      return misfit(`delta from ${from} to ${epoch}:${seq}, view at ${base.epoch}:${base.seq}`)
    }
    this.#deltas++
    const view = base.view.step(patch as readonly PatchOperation[])
    if (view === undefined) return misfit(`the patch from ${from} to ${seq} does not apply`)
    const next: View = { epoch, seq, view }
    this.#base = next
    const range = this.#ranges.at(-1)
    if (range !== undefined) range.to = seq
    return this.#arrive(next, position, judge)
  }

  #arrive(next: View, position: string | undefined, judge: Judge): Step {
    if (position !== undefined) this.#anchor = { ...next, position }
    if (this.#shown === undefined || isBefore(this.#shown, next)) {
      this.#shown = { epoch: next.epoch, seq: next.seq }
    }
    const difference = judge(next, next.view)
    if (difference === undefined) return taken
    return { kind: 'wrong', message: `view at ${next.seq}: ${difference}` }
  }
}

const isBefore = (a: Place, b: Place): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)

const misfit = (message: string): Step => ({ kind: 'misfit', message })
