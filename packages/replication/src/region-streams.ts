/*
 * A region has each document once from its authority, by one of its proxies. More is a sign that nodes see each other
 * differently, or that some cannot reach others: it costs links, and is told.
 */
import type { DocumentKey, PeerIdentity } from '@fanfold/protocol'

/** A child, and the documents that it follows. */
type Child = {
  readonly peer: Pick<PeerIdentity, 'region' | 'roles'>
  readonly docs: { readonly size: number; [Symbol.iterator](): Iterator<DocumentKey> }
}

/** Streams of a document to nodes of a region, beyond the first one, in regions of which a proxy is a child. */
export function regionStreamsExtra(children: Iterable<Child>): number {
  const byRegion = new Map<string, Child[]>()
  for (const child of children) {
    const { region } = child.peer
    const others = byRegion.get(region)
    if (others === undefined) byRegion.set(region, [child])
    else others.push(child)
  }
  let extra = 0
  for (const within of byRegion.values()) {
    // Where nobody stands between them and this node, edges have their documents from here.
    if (!within.some(({ peer }) => peer.roles.includes('proxy'))) continue
    const docs = new Set<DocumentKey>()
    let streams = 0
    for (const child of within) {
      streams += child.docs.size
      for (const doc of child.docs) docs.add(doc)
    }
    extra += streams - docs.size
  }
  return extra
}
