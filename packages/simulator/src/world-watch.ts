import type { Instant } from '@fanfold/kernel'

/** Something that happens in a world, as it happens: what it names is not to be changed or kept long. */
export type WorldEvent =
  /** A machine takes an input. */
  | {
      readonly kind: 'input'
      readonly at: Instant
      readonly node: string
      readonly input: { readonly kind: string }
    }
  /** A machine wants something done. */
  | {
      readonly kind: 'effect'
      readonly at: Instant
      readonly node: string
      readonly effect: { readonly kind: string }
    }
  /** A viewer takes a frame, the bytes that its edge has sent. */
  | {
      readonly kind: 'viewer-frame'
      readonly at: Instant
      readonly viewer: string
      readonly frame: Uint8Array
    }
  /** A viewer asks its edge for something. */
  | {
      readonly kind: 'viewer-asks'
      readonly at: Instant
      readonly viewer: string
      readonly request: object
    }
  /** A viewer connects to an edge, or leaves it when there is none. */
  | {
      readonly kind: 'viewer-connects'
      readonly at: Instant
      readonly viewer: string
      readonly edge: string | undefined
    }

/** Who looks at all that happens in a world that is run to be looked at; it changes nothing there. */
export type WorldWatch = (event: WorldEvent) => void
