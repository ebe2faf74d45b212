/* What happens to the place where the members of a fleet meet, and to the one that has their logs. */

/** A fault of those places, or of the ways there. */
export type FleetFault =
  /** A node cannot reach it, or none can where that is `*`. */
  | {
      readonly kind: 'coordinator-away'
      readonly node: string
      readonly atMs: number
      readonly forMs: number
    }
  /** It forgets everything, as a server does that is emptied. */
  | { readonly kind: 'coordinator-emptied'; readonly atMs: number }
  /**
   * The logs are what they were so long ago, as where a copy takes over that had not heard of the rest: what was
   * acknowledged since is gone.
   */
  | { readonly kind: 'logs-fallen-back'; readonly atMs: number; readonly byMs: number }

/** One of the place where members meet. */
export type MeetingFault = Exclude<FleetFault, { readonly kind: 'logs-fallen-back' }>

const kinds: ReadonlySet<string> = new Set<FleetFault['kind']>([
  'coordinator-away',
  'coordinator-emptied',
  'logs-fallen-back',
])

/** Whether a fault is one of these. */
export const isFleetFault = (fault: { readonly kind: string }): fault is FleetFault =>
  kinds.has(fault.kind)
