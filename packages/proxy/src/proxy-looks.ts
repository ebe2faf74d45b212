import type { EffectSink, Instant } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import {
  aboveIn,
  type ChildLinks,
  type Following,
  type FollowingEffect,
  ownStanding,
  type TreeChild,
  TreeLooks,
} from '@fanfold/replication'
import type { DocumentTrees } from './document-trees.ts'
import type { ProxyDocument } from './proxy-document.ts'
import type { ProxyPresence } from './proxy-presence.ts'

/** The looks at trees that go through a proxy. */
export function proxyLooks(options: {
  readonly following: Following
  readonly documents: ReadonlyMap<DocumentKey, ProxyDocument>
  readonly presence: ProxyPresence
  readonly children: ChildLinks
  /** Undefined where nodes are not sent on. */
  readonly trees: DocumentTrees | undefined
  /** What is below is of the same node: it is told as the one edge that they are together. */
  readonly isFront: boolean
  /** The instant of the input or the tick in hand, and where its effects go. */
  readonly turn: () => { readonly now: Instant; readonly effects: EffectSink<FollowingEffect> }
}): TreeLooks {
  const { following, documents, presence, children, trees, isFront, turn } = options
  const childrenOf = (doc: DocumentKey): TreeChild[] => {
    const found: TreeChild[] = []
    if (isFront) return found
    for (const { link } of documents.get(doc)?.downstream.children() ?? []) {
      const peer = children.peerAt(link)
      if (peer === undefined) continue
      found.push({ link, peer, edgesBelow: trees?.edgesBelow(doc, link) ?? 0 })
    }
    return found
  }
  return new TreeLooks({
    role: isFront ? 'edge' : 'proxy',
    ...aboveIn(following, turn),
    childrenOf,
    standingOf: (doc, now) =>
      ownStanding(following.standingOf(doc, now), {
        viewers: presence.of(doc),
        children: childrenOf(doc).length,
      }),
  })
}
