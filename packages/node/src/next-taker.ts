/*
 * Who of several processes takes the next connection. Connections last for hours, so they are dealt by how many
 * each process has and not in turn: one that has just taken the place of another gets the next ones, until all
 * have equally many again.
 */

/** A process that may take connections. */
export type Taker = {
  readonly isTaking: boolean
  /** Connections that it has, and those that are on their way to it. */
  readonly held: number
  /** Connections that it was given since it began. */
  readonly given: number
}

/** Who has fewest, and of those who was given fewest; undefined where nobody takes any. */
export function nextTaker<Someone extends Taker>(takers: Iterable<Someone>): Someone | undefined {
  let next: Someone | undefined
  for (const taker of takers) {
    if (!taker.isTaking) continue
    if (next === undefined || isBefore(taker, next)) next = taker
  }
  return next
}

const isBefore = (one: Taker, other: Taker): boolean =>
  one.held === other.held ? one.given < other.given : one.held < other.held
