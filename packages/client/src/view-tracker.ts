/*
 * The view of one document, as frames lead it from one seq to the next.
 *
 * Three places matter. `held` is what the application sees; it never goes back. `base` is what the next
 * delta of this connection applies to. `anchor` is the view that the last position belongs to: as
 * positions come only once a second, `held` is often ahead of it.
 *
 * While all is well, base is held. A resume starts at the anchor, so base goes back to the anchor's view
 * (views share their parts, keeping it costs next to nothing), the server's deltas lead it forward, and
 * the application sees nothing until base has reached held: deltas it has seen are not seen twice,
 * and one that spans held's seq still fits. A snapshot from an edge that is behind waits in the same way.
 *
 * A seq does not name a view: a viewer that moves, say to another view state, has two at one seq, and
 * held may be either. So where base reaches held's seq the views themselves are compared. And seqs tell
 * which of two views is older only within one count: that of the document's records, or with dense
 * numbering the one that a snapshot began. A snapshot that begins or ends such a count is taken whatever
 * its seq: it answers a position that the edge has checked, or an edge that was followed until then.
 *
 * The last position is kept whatever is asked for: an edge that cannot go on from it, as it belongs to
 * another view, sends a snapshot, but has seen from it how far the viewer was.
 */
import type { JsonValue, PatchOperation } from '@fanfold/document'
import type { ViewerFrame } from '@fanfold/protocol'
import type { Change } from './change.ts'
import { keepEqual } from './keep-equal.ts'
import { patchView } from './patch-view.ts'

/** A view and the place in the document's log that it shows. */
export type HeldView = {
  readonly epoch: number
  readonly seq: number
  readonly view: JsonValue
  /** What seq counts: 0 for the document's records, else the number of a dense count. */
  readonly count: number
}

/** What a frame led to. */
export type TrackerStep =
  /** The view is another one. */
  | { readonly kind: 'changed'; readonly change: Change }
  /** The application sees what it saw before. */
  | { readonly kind: 'unchanged' }
  /** The delta does not fit: nothing was applied, and the document is to be observed from scratch. */
  | { readonly kind: 'misfit'; readonly message: string }

type SnapshotFrame = Extract<ViewerFrame, { type: 'snapshot' }>
type DeltaFrame = Extract<ViewerFrame, { type: 'delta' }>

const unchanged: TrackerStep = { kind: 'unchanged' }

/** The view of one document, without I/O: frames go in, changes come out. */
export class ViewTracker {
  #held: HeldView | undefined
  #base: HeldView | undefined
  #anchor: { readonly at: HeldView; readonly position: string } | undefined
  #denseCounts = 0

  /** What the application sees; undefined before the first view. */
  get held(): HeldView | undefined {
    return this.#held
  }

  /** True when the next delta leads on from what the application sees. */
  get isFollowing(): boolean {
    return this.#base !== undefined && this.#base === this.#held
  }

  /** True for a delta that goes to another view: it keeps the place, or leaves a dense count. */
  isMove({ from, seq, position }: DeltaFrame): boolean {
    const isDense = this.#base !== undefined && this.#base.count > 0
    return position !== undefined && (isDense ? seq !== from + 1 : seq === from)
  }

  /** Begins on a new connection; returns the position to resume from, or none for a snapshot. */
  resume(): string | undefined {
    const at = this.#anchor?.at
    const held = this.#held
    const isAtHeld = held !== undefined && at?.view === held.view && !isBefore(at, held)
    this.#base = isAtHeld ? held : at
    return this.#anchor?.position
  }

  /** Begins from scratch: what comes before the next snapshot belongs to an earlier request. */
  restart(): void {
    this.#base = undefined
    this.#anchor = undefined
  }

  /** Takes the whole view; with `opened`, all but these containers shares with what is held already. */
  takeSnapshot(
    { epoch, seq, position, numbering, view }: SnapshotFrame,
    opened?: ReadonlySet<JsonValue>,
  ): TrackerStep {
    const count = numbering === 'dense' ? ++this.#denseCounts : 0
    return this.#advance({ epoch, seq, view: view as JsonValue, count }, position, opened)
  }

  /** Takes a step from one view to the next. */
  takeDelta(frame: DeltaFrame): TrackerStep {
    const base = this.#base
    if (base === undefined) return unchanged
    const { epoch, from, seq, patch, time, position } = frame
    if (seq <= base.seq && from < base.seq) return unchanged
    if (epoch < base.epoch) return misfit(`delta of epoch ${epoch}, view of epoch ${base.epoch}`)
    // A move may lead into another count, which may be at any number.
    if (from !== base.seq || (seq < from && base.count === 0)) {
      return misfit(`delta from ${from} to ${seq}, view at ${base.seq}`)
    }
    const view = patchView(base.view, patch)
    if (view === undefined) return misfit(`the patch from ${from} to ${seq} does not fit the view`)
    const next = { ...base, epoch, seq, view }
    if (!this.isFollowing) return this.#advance(next, position)
    this.#base = next
    this.#held = next
    if (position !== undefined) this.#anchor = { at: next, position }
    const change: Change = {
      kind: 'delta',
      epoch,
      from,
      seq,
      numbering: numberingOf(next),
      patch: patch as PatchOperation[],
      time,
    }
    return { kind: 'changed', change }
  }

  /** Goes on from `next`, and shows it, unless that would take the application back. */
  #advance(
    next: HeldView,
    position: string | undefined,
    opened?: ReadonlySet<JsonValue>,
  ): TrackerStep {
    const held = this.#held
    const isBehind = held !== undefined && isBefore(next, held)
    const view =
      held === undefined || isBehind ? next.view : keepEqual(held.view, next.view, opened)
    const base = { ...next, view }
    this.#base = base
    if (position !== undefined) this.#anchor = { at: base, position }
    if (isBehind) return unchanged
    this.#held = base
    if (held?.view === base.view && held.seq === base.seq) return unchanged
    return { kind: 'changed', change: snapshotChange(base, held?.seq ?? 0) }
  }
}

const numberingOf = ({ count }: HeldView): 'dense' | undefined => (count > 0 ? 'dense' : undefined)

/** The change that replaces the view at `from` by `held`. */
export const snapshotChange = (held: HeldView, from: number): Change => ({
  kind: 'snapshot',
  epoch: held.epoch,
  from,
  seq: held.seq,
  numbering: numberingOf(held),
  patch: [{ op: 'replace', path: '', value: held.view }],
  time: undefined,
})

/**
 * Whether `a` is surely older than `b`. An epoch that rose may come with a lower seq, when a log lost
 * its end; otherwise seq tells.
 */
const isBefore = (a: HeldView, b: HeldView): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.count === b.count && a.seq < b.seq)

const misfit = (message: string): TrackerStep => ({ kind: 'misfit', message })
