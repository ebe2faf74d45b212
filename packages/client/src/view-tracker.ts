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
 */
import type { JsonValue, PatchOperation } from '@fanfold/document'
import type { ViewerFrame } from '@fanfold/protocol'
import type { Change } from './change.ts'
import { keepEqual } from './keep-equal.ts'
import { patchView } from './patch-view.ts'

/** A view and the place in the document's log that it shows. */
export type HeldView = { readonly epoch: number; readonly seq: number; readonly view: JsonValue }

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
  #anchor: (HeldView & { readonly position: string }) | undefined

  /** What the application sees; undefined before the first view. */
  get held(): HeldView | undefined {
    return this.#held
  }

  /** True when the next delta leads on from what the application sees. */
  get isFollowing(): boolean {
    return this.#base !== undefined && this.#base === this.#held
  }

  /** Begins on a new connection; returns the position to resume from, or none for a snapshot. */
  resume(): string | undefined {
    const anchor = this.#anchor
    const held = this.#held
    const isAtHeld = anchor?.seq === held?.seq && anchor?.epoch === held?.epoch
    this.#base = isAtHeld ? held : anchor
    return anchor?.position
  }

  /** Begins from scratch: what comes before the next snapshot belongs to an earlier request. */
  restart(): void {
    this.#base = undefined
    this.#anchor = undefined
  }

  /** Forgets the position: it belongs to a view that is not asked for any more. */
  forgetPosition(): void {
    this.#anchor = undefined
  }

  /** Takes the whole view. */
  takeSnapshot({ epoch, seq, position, view }: SnapshotFrame): TrackerStep {
    const held = this.#held
    const fresh = view as JsonValue
    const base = { epoch, seq, view: held === undefined ? fresh : keepEqual(held.view, fresh) }
    this.#base = base
    this.#anchor = { ...base, position }
    if (held === undefined || !isBefore(base, held)) return this.#replaceHeld(base)
    return unchanged
  }

  /** Takes a step from one view to the next. */
  takeDelta(frame: DeltaFrame): TrackerStep {
    const base = this.#base
    if (base === undefined) return unchanged
    const { epoch, from, seq, patch, position } = frame
    if (seq <= base.seq && from < base.seq) return unchanged
    if (epoch < base.epoch) return misfit(`delta of epoch ${epoch}, view of epoch ${base.epoch}`)
    if (from !== base.seq || seq < from) {
      return misfit(`delta from ${from} to ${seq}, view at ${base.seq}`)
    }
    const view = patchView(base.view, patch)
    if (view === undefined) return misfit(`the patch from ${from} to ${seq} does not fit the view`)
    const step = this.#advance({ epoch, seq, view }, frame)
    if (position !== undefined && this.#base !== undefined) {
      this.#anchor = { ...this.#base, position }
    }
    return step
  }

  #advance(next: HeldView, frame: DeltaFrame): TrackerStep {
    const wasFollowing = this.isFollowing
    const held = this.#held
    this.#base = next
    if (wasFollowing || held === undefined) {
      this.#held = next
      const { epoch, from, seq, patch, time } = frame
      return {
        kind: 'changed',
        change: { kind: 'delta', epoch, from, seq, patch: patch as PatchOperation[], time },
      }
    }
    if (isBefore(next, held)) return unchanged
    if (next.epoch === held.epoch && next.seq === held.seq) {
      // The same log led here twice: the views are equal, and the one the application has is kept.
      this.#base = held
      return unchanged
    }
    return this.#replaceHeld(next)
  }

  #replaceHeld(next: HeldView): TrackerStep {
    const held = this.#held
    this.#base = next
    this.#held = next
    if (held?.view === next.view && held.seq === next.seq) return unchanged
    return { kind: 'changed', change: snapshotChange(next, held?.seq ?? 0) }
  }
}

/** The change that replaces the view at `from` by `held`. */
export const snapshotChange = (held: HeldView, from: number): Change => ({
  kind: 'snapshot',
  epoch: held.epoch,
  from,
  seq: held.seq,
  patch: [{ op: 'replace', path: '', value: held.view }],
  time: undefined,
})

/** An epoch that rose may come with a lower seq, when a log lost its end; otherwise seq tells. */
const isBefore = (a: HeldView, b: HeldView): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)

const misfit = (message: string): TrackerStep => ({ kind: 'misfit', message })
