/* What happens to the place where the members of a fleet meet. */

/** A fault of that place, or of the ways there. */
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

const kinds: ReadonlySet<string> = new Set<FleetFault['kind']>([
  'coordinator-away',
  'coordinator-emptied',
])

/** Whether a fault is one of these. */
export const isFleetFault = (fault: { readonly kind: string }): fault is FleetFault =>
  kinds.has(fault.kind)
