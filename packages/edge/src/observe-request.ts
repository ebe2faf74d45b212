/*
 * What viewers ask of a document, why they are refused, and what the document asks for to serve them.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'
import type { Duration } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeViewerFrame,
  type Grants,
  type TransferId,
  type ViewerId,
} from '@fanfold/protocol'
import type { Refusal } from './admission.ts'
import type { Cohort } from './cohort.ts'
import type { LargeViews } from './large-views.ts'
import type { Seat, Way } from './seat.ts'
import type { Turn } from './turn.ts'

/** What observers ask of the document and the edge that they are of. */
export type ObserversPort = {
  readonly turn: Turn
  /** The wall's time, ms since 1970. */
  wallClockMs(): number
  /** What the viewer's token says now; undefined for a viewer that is gone. */
  grantsOf(viewer: ViewerId): Grants | undefined
  /** How it stands with what a cohort is shown. */
  statusFrame(cohort: Cohort): Uint8Array
  /** The viewer was told that it observes no more. */
  ended(viewer: ViewerId): void
  /**
   * The viewer cannot be shown the document as it was a while ago, and waits for what is to come of it; false
   * when there is no more.
   */
  waitsOn(viewer: ViewerId, request: ObserveRequest): boolean
  /** The state, when viewers can be shown it. */
  shownState(): JsonObject | undefined
  /** The large views of the edge. */
  readonly largeViews: LargeViews
  /** A number for a transfer that was never used before. */
  nextTransfer(): TransferId
  /** Text of a variant; undefined when it is not at hand. */
  variantCode(hash: string): Uint8Array | undefined
  /** When a viewer that cannot be served now may ask again, ms. */
  retryAfterMs(): number
}

/** What a viewer asks for. */
export type ObserveRequest = {
  readonly from: string | undefined
  readonly viewState: JsonValue | undefined
  /** The shortest time between two deltas; undefined for a viewer that wants all. */
  readonly pace: Duration | undefined
}

/** A viewer that is shown something. */
export type Observer = {
  seat: Seat
  viewState: JsonValue | undefined
  readonly pace: Duration | undefined
}

/** How a viewer gets from one cohort to another; `isKnown` when it sees what its cohort does. */
export type WayBetween = (from: Cohort, to: Cohort, isKnown: boolean) => Way

/** Viewers that can be shown nothing any more, with what they asked for. */
export type Turned = ReadonlyMap<ViewerId, ObserveRequest>

/** Everybody can be shown something. */
export const nobody: Turned = new Map()

/** Codes of what a viewer may not be shown any more, whatever it asks for. */
export const ends: ReadonlySet<ErrorCode> = new Set([
  'FANFOLD_FORBIDDEN',
  'FANFOLD_ABOVE_CEILING',
  'FANFOLD_RULE_FAILED',
])

/** A large view that cannot be made now. */
export const noView: Refusal = {
  ok: false,
  code: 'FANFOLD_OVERLOADED',
  message: 'what you may see is large, and cannot be written out now',
}

/** One that its rules do not let be made. */
export const brokenView: Refusal = {
  ok: false,
  code: 'FANFOLD_RULE_FAILED',
  message: 'the definition could not decide what you may see',
}

/** The frame that refuses a viewer; where there is no room now, with when it may ask again. */
export function refusalFrame(
  doc: DocumentKey,
  { code, message }: { readonly code: ErrorCode; readonly message: string },
  retryAfterMs: () => number,
): Uint8Array {
  const again = code === 'FANFOLD_OVERLOADED' ? { retryAfter: retryAfterMs() } : {}
  return encodeViewerFrame({ type: 'refused', doc, code, message, ...again })
}
