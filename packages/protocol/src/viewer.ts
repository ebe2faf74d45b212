import type { ErrorCode } from './error-code.ts'
import type { Grants } from './grants.ts'
import type { ViewerRequest } from './viewer-frame.ts'

/** A viewer's connection inside one process; never reused while the process lives. */
export type ViewerId = number & { readonly unit: 'viewer' }

/** The viewers of one document that receive the same bytes, inside one process. */
export type CohortId = number & { readonly unit: 'cohort' }

/** Names a transfer to a viewer, among all of the process; never used again. */
export type TransferId = number & { readonly unit: 'transfer' }

/**
 * A cohort that a viewer left by lagging, and where it stands: the mark of the last effect of that
 * cohort that it took, be it an enter, a move or a send. Undefined when it took none there: it lagged
 * when it was moved there from another cohort, so what it holds is the other's.
 */
export type DrainedCohort = { readonly cohort: CohortId; readonly mark: number | undefined }

/**
 * The viewer port, what happened: the rim has checked the token, limited frames and decoded requests.
 *
 * Lagging is the rim's to notice: a viewer whose socket holds more than its budget when a cohort's
 * frame goes out does not get that frame and leaves the cohort. Once the socket has drained,
 * `viewer-drained` names the cohorts it left and where it stands in each; the edge brings it up to date
 * from there and lets it enter again. Bytes that were written and that the viewer has not confirmed
 * count as held, wherever they are.
 */
export type ViewerInput =
  | { readonly kind: 'viewer-opened'; readonly viewer: ViewerId; readonly grants: Grants }
  /** The viewer has shown another token; what it may no longer observe ends. */
  | { readonly kind: 'viewer-renewed'; readonly viewer: ViewerId; readonly grants: Grants }
  | {
      readonly kind: 'viewer-requested'
      readonly viewer: ViewerId
      readonly request: Exclude<ViewerRequest, { type: 'authenticate' }>
    }
  | {
      readonly kind: 'viewer-drained'
      readonly viewer: ViewerId
      readonly cohorts: readonly DrainedCohort[]
    }
  /** The socket has taken the last frame of a transfer that was not ended. Never said from inside of the effect. */
  | {
      readonly kind: 'viewer-transferred'
      readonly viewer: ViewerId
      readonly transfer: TransferId
    }
  | { readonly kind: 'viewer-closed'; readonly viewer: ViewerId }

/**
 * Whether a frame may be compressed: it is shared by many, and none of it is kept from anybody who sees another part
 * of it. How well things compress that are not for the same eyes would tell the one of the other. Default false.
 */
export type MayCompress = boolean | undefined

/**
 * The viewer port, what to do. Frames are the bytes of one WebSocket text message.
 *
 * A fan-out is one effect per cohort: the rim owns the list of sockets, and a viewer that entered a
 * cohort receives every frame sent to it afterwards, in order with what is sent to it alone.
 */
export type ViewerEffect =
  | {
      readonly kind: 'viewer-send'
      readonly viewer: ViewerId
      readonly frame: Uint8Array
      readonly mayCompress?: MayCompress
    }
  | {
      readonly kind: 'viewer-close'
      readonly viewer: ViewerId
      readonly code: ErrorCode
      readonly message: string
    }
  /** `mark` is where the viewer stands with what it was sent alone. */
  | {
      readonly kind: 'cohort-enter'
      readonly cohort: CohortId
      readonly viewer: ViewerId
      readonly mark: number
    }
  | { readonly kind: 'cohort-exit'; readonly cohort: CohortId; readonly viewer: ViewerId }
  /**
   * The viewer goes from one cohort to another, or stays, by the frame that takes its view there, where
   * there is one. A viewer that lags, and so is not in `from`, gets no frame: it lags in `to`, and
   * `viewer-drained` names `to` once it has drained, also when it has drained already. Its mark in `to`
   * is undefined then; where `from` is `to`, it stays what it was.
   */
  | {
      readonly kind: 'cohort-move'
      readonly viewer: ViewerId
      readonly from: CohortId
      readonly to: CohortId
      readonly frame: Uint8Array | undefined
      /** Where it stands who took the move; what it stood at in `from` counts no more. */
      readonly mark: number
    }
  /** `mark` is where viewers stand that have the frame: the edge's own number, given back when they lag. */
  | {
      readonly kind: 'cohort-send'
      readonly cohort: CohortId
      readonly frame: Uint8Array
      readonly mark: number
      readonly mayCompress?: MayCompress
    }
  /**
   * Much for one viewer, as fast as it takes it: the frames in their order, each once the viewer holds
   * so little (or nothing) that it does not come to lag by it. What other effects send the viewer
   * meanwhile goes at once, between two frames; of the document that is transferred the edge sends it
   * nothing that depends on the order. Who lags in a cohort drains and is reported first. The array is
   * shared by many viewers: the rim keeps an index into it for each, and changes nothing. It goes with
   * the viewer.
   */
  | {
      readonly kind: 'viewer-transfer'
      readonly viewer: ViewerId
      readonly transfer: TransferId
      readonly frames: readonly Uint8Array[]
      readonly mayCompress?: MayCompress
    }
  /** The frames of the transfer that were not handed to the socket yet are not sent any more. */
  | {
      readonly kind: 'transfer-end'
      readonly viewer: ViewerId
      readonly transfer: TransferId
    }
  /**
   * A signal to all viewers of a cohort, or to one. Who lags gets the latest of each key after it has
   * drained and was brought up to date; a signal is never the reason why somebody lags.
   */
  | {
      readonly kind: 'cohort-signal'
      readonly cohort: CohortId
      readonly key: string
      readonly frame: Uint8Array
    }
  | {
      readonly kind: 'viewer-signal'
      readonly viewer: ViewerId
      readonly key: string
      readonly frame: Uint8Array
    }
  /** The signal of this key that still waits for the viewer is void: what it is about is over for it. */
  | { readonly kind: 'signal-end'; readonly viewer: ViewerId; readonly key: string }
