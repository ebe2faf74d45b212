/*
 * What goes wrong in a world, and when: data, drawn up front, so that it can be printed, kept in a
 * file, and made less, one fault at a time, until only what a failure takes is left.
 *
 * Every fault ends by itself or when the world heals: what comes after that is judged as if nothing
 * were amiss.
 */

import type { FleetFault } from './fleet-fault.ts'
import type { NodeFault } from './node-fault.ts'

/**
 * What happens to connections between nodes, or between edges and viewers. `from` and `to` are names of
 * nodes, `viewer-7` for one of the viewers, `*` for everyone.
 */
export type LinkFault =
  /** Nothing moves that way, nothing is lost, and it all goes on later, as TCP does. */
  | (Way & { readonly kind: 'cut'; readonly atMs: number; readonly forMs: number })
  /** Connections between the two break at some byte in each direction; each end hears when it does. */
  | (Way & { readonly kind: 'sever'; readonly atMs: number })
  /** Connections between the two carry nothing any more, and nobody is told; new ones work. */
  | (Way & { readonly kind: 'silence'; readonly atMs: number })
  /** What is sent that way takes so much longer. */
  | (Way & {
      readonly kind: 'delay'
      readonly atMs: number
      readonly forMs: number
      readonly byMs: number
    })
  /** That way is no faster than this. */
  | (Way & {
      readonly kind: 'slow-link'
      readonly atMs: number
      readonly forMs: number
      readonly bytesPerSecond: number
    })
  /** Whoever dials the node is refused. */
  | {
      readonly kind: 'refuse'
      readonly node: string
      readonly atMs: number
      readonly forMs: number
    }
  /** Whoever dials the node gets no answer. */
  | {
      readonly kind: 'black-hole'
      readonly node: string
      readonly atMs: number
      readonly forMs: number
    }

type Way = { readonly from: string; readonly to: string }

/** Something that goes wrong: virtual ms after the world begins, with three decimals at most. */
export type Fault = NodeFault | LinkFault | FleetFault

/** Kinds of faults. */
export type FaultKind = Fault['kind']

/** Faults of connections. */
export const linkFaultKinds: ReadonlySet<FaultKind> = new Set([
  'cut',
  'sever',
  'silence',
  'delay',
  'slow-link',
  'refuse',
  'black-hole',
])

/** Whether a fault is one of connections. */
export const isLinkFault = (fault: Fault): fault is LinkFault => linkFaultKinds.has(fault.kind)

/** When it is over, ms; for one that happens once, when it happens. */
export const endOfMs = (fault: Fault): number => fault.atMs + ('forMs' in fault ? fault.forMs : 0)

/** A fault in a few words, for a line of a list. */
export function describeFault({ kind, atMs, ...rest }: Fault): string {
  const words = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  return `${atMs} ms ${kind}: ${words.join(', ')}`
}
