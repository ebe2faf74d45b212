/* A viewer's connection to an edge: what each end is told, and who looks on. */
import type { CohortId, Grants, ViewerId, ViewerRequest } from '@fanfold/protocol'

/** The viewer's end of a connection; each call is an event of its own. */
export type ViewerSocket = {
  opened(): void
  /** Takes the bytes of one text frame, and what the watch said when the frame went out. */
  received(frame: Uint8Array, note: unknown): void
  /** The edge has closed the connection. */
  closed(reason: string): void
  /** The edge has closed the connection: the token is not good, or not any more. */
  unauthorized(reason: string): void
  /** The connection is no more, or never came to be, for none of the edge's reasons. */
  lost(reason: string): void
}

/** What a viewer can do with its connection. */
export type ViewerConnection = { send(text: string): void; close(): void }

/** What a viewer sends. */
export type Upward =
  | { readonly kind: 'open'; readonly grants: Grants }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'close' }

/** What it is sent. */
export type Downward =
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly note: unknown }
  | { readonly kind: 'close'; readonly reason: string; readonly how: keyof Ends }

/** The ways in which a connection ends, as the viewer is told. */
export type Ends = Pick<ViewerSocket, 'closed' | 'unauthorized' | 'lost'>

/** Who may look at what goes through a rim, before it goes. */
export type RimWatch = {
  viewerOpens(viewer: ViewerId, grants: Grants): void
  /** A viewer has another token from now on; whether it has not got all that it was to have before. */
  viewerRenews(viewer: ViewerId, grants: Grants, isBehind: boolean): void
  viewerAsks(viewer: ViewerId, request: ViewerRequest): void
  viewerCloses(viewer: ViewerId): void
  /** A frame goes out to one viewer, for itself or as one of a cohort; returns a note for its socket. */
  frameGoes(viewer: ViewerId, frame: Uint8Array, cohort: CohortId | undefined): unknown
  /** The edge is about to hear that a viewer is to be led on: it has drained, or has a large view. */
  viewerIsBehind(viewer: ViewerId): void
  /** A frame leads a viewer on that has drained. */
  viewerIsLedOn(frame: Uint8Array): void
  /** A viewer enters the cohort, or leaves it for another, and goes on from where it is. */
  cohortMoves(cohort: CohortId): void
  /** The process is gone, maybe amid its work. */
  processEnds(): void
}
