import type { PatchOperation } from '@fanfold/document'

/** A step from one view to the next, as `for await (const change of …)` gives it. */
export type Change = {
  /**
   * `delta`: the patch leads from the view at `from` to the view at `seq`. `snapshot`: what lies
   * between is not known, and the patch replaces the whole view.
   */
  readonly kind: 'delta' | 'snapshot'
  readonly epoch: number
  /**
   * The seq of the view before; 0 when there was none. The same as `seq` where the viewer moved to
   * another view of the same place.
   */
  readonly from: number
  readonly seq: number
  /** `dense` where seqs count what the view was sent: only deltas adjoin, and seqs may begin anew. */
  readonly numbering?: 'dense' | undefined
  /** Operations of RFC 6902. They share their values with the views: read them only. */
  readonly patch: readonly PatchOperation[]
  /** When the authority committed it, ms since 1970; unknown for a snapshot. */
  readonly time: number | undefined
}
