/*
 * Signals: what holds now and is worth nothing later. They are in no log, a joiner gets none that were
 * sent before, and no state depends on one: each is dropped before a delta waits for it.
 */

/**
 * Kinds of signals between nodes, by their number on the wire. What each one counts:
 *
 * - `head`: down, the seq of the parent's last record, a while after it: a child that has not got it asks.
 * - `presence`: up, viewers of the document at the child and below it.
 * - `lag`: up, how far behind the commit the child has the document, ms.
 * - `hand-over`: down, of the whole link: the parent goes away in so many ms; be elsewhere by then.
 * - `children`: up, nodes that have the document from the child.
 * - `edges`: up, edges that have the document below the child, through all tiers.
 * - `dissolve`: down, nothing: the child is to send those who have the document from it to this parent.
 * - `in-use`: from the authority of a document to the one that stands by for it, the seq of the last record.
 */
export const signalKinds = {
  head: 1,
  presence: 2,
  lag: 3,
  'hand-over': 4,
  children: 5,
  edges: 6,
  dissolve: 7,
  'in-use': 8,
} as const

/** A kind of signal between nodes. */
export type SignalKind = keyof typeof signalKinds

/** True for the numbers of this version. */
export const isSignalNumber = (kind: number): kind is (typeof signalKinds)[SignalKind] =>
  kind >= 1 && kind <= 8

/** The kind with this number. */
export function signalKindOf(kind: (typeof signalKinds)[SignalKind]): SignalKind {
  switch (kind) {
    case 1:
      return 'head'
    case 2:
      return 'presence'
    case 3:
      return 'lag'
    case 4:
      return 'hand-over'
    case 5:
      return 'children'
    case 6:
      return 'edges'
    case 7:
      return 'dissolve'
    case 8:
      return 'in-use'
  }
}
