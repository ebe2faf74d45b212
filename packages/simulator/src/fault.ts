/*
 * What goes wrong in a world, and when: data, drawn up front, so that it can be printed, kept in a
 * file, and made less, one fault at a time, until only what a failure takes is left.
 *
 * Every fault ends by itself or when the world heals: what comes after that is judged as if nothing
 * were amiss.
 */

/** What happens to a node. */
export type NodeFault =
  /** It is gone at this moment, and what it had in memory with it; it starts again after `forMs`. */
  | { readonly kind: 'crash'; readonly node: string; readonly atMs: number; readonly forMs: number }
  /** It tells those below it, goes in good order, and starts again after `forMs`. */
  | { readonly kind: 'drain'; readonly node: string; readonly atMs: number; readonly forMs: number }

/** Something that goes wrong: virtual ms after the world begins, with three decimals at most. */
export type Fault = NodeFault

/** Kinds of faults. */
export type FaultKind = Fault['kind']

/** A fault in a few words, for a line of a list. */
export function describeFault({ kind, atMs, ...rest }: Fault): string {
  const words = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  return `${atMs} ms ${kind}: ${words.join(', ')}`
}
