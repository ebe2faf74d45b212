import type { ErrorCode } from './error-code.ts'

/** A link's name inside one process; never reused while the process lives. */
export type LinkId = number & { readonly unit: 'link' }

/** Who is at the other end of a link: taken from its token, never from its word. */
export type PeerIdentity = {
  readonly node: string
  readonly incarnation: string
  readonly region: string
  readonly roles: readonly string[]
  /** Highest tag of a part that may cross the link towards the peer, 0 … 255. */
  readonly ceiling: number
}

/**
 * The link port, what happened: inputs of every machine that has links.
 *
 * A link carries frames whole and in order until it closes; a frame that was sent before the close
 * may be lost, and nothing arrives after `link-closed`. A link is opened by whoever drives the
 * machine: for the role that listens, `dialled` is false.
 */
export type LinkInput =
  | {
      readonly kind: 'link-opened'
      readonly link: LinkId
      readonly peer: PeerIdentity
      readonly dialled: boolean
    }
  | { readonly kind: 'link-frame'; readonly link: LinkId; readonly frame: Uint8Array }
  /** The link holds more unsent bytes than its limit: nothing more until `link-drained`. */
  | { readonly kind: 'link-congested'; readonly link: LinkId }
  | { readonly kind: 'link-drained'; readonly link: LinkId }
  | { readonly kind: 'link-closed'; readonly link: LinkId; readonly reason: string }

/** The link port, what to do. A frame's bytes belong to the driver from then on. */
export type LinkEffect =
  | { readonly kind: 'link-send'; readonly link: LinkId; readonly frame: Uint8Array }
  /**
   * Sends a signal, at once while the link is not congested. On one that is it waits for `link-drained`
   * in a bounded lane of its own: a later signal with the same key takes its place, and where too many
   * wait the one that waits longest is dropped.
   */
  | {
      readonly kind: 'link-signal'
      readonly link: LinkId
      readonly key: string
      readonly frame: Uint8Array
    }
  | {
      readonly kind: 'link-close'
      readonly link: LinkId
      readonly code: ErrorCode
      readonly message: string
    }
