import type { EffectSink, Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  type LinkEffect,
  type LinkInput,
  ProtocolError,
} from '@fanfold/protocol'
import {
  type ChildLinks,
  type PresenceSums,
  type TreeChild,
  TreeLooks,
  type TreeTold,
} from '@fanfold/replication'
import type { AuthorityStanding } from './authority-standing.ts'
import type { DocumentsInMemory } from './documents-in-memory.ts'
import type { Owners } from './owners.ts'

/** The looks at trees that go through an authority: at the top of its own documents, by others to their owner. */
export function authorityLooks(options: {
  readonly documents: DocumentsInMemory
  readonly children: ChildLinks
  /** Edges below, as children count them. */
  readonly edges: PresenceSums
  readonly owners: Owners
  readonly standingOf: (doc: DocumentKey, now: Instant) => AuthorityStanding | undefined
}): TreeLooks {
  const { documents, children, edges, owners, standingOf } = options
  const childrenOf = (doc: DocumentKey): TreeChild[] => {
    const document = documents.get(doc)
    if (document?.hasChildren !== true) return []
    return [...document.downstream.children()].flatMap(({ link }) => {
      const peer = children.peerAt(link)
      return peer === undefined ? [] : [{ link, peer, edgesBelow: edges.ofChild(doc, link) }]
    })
  }
  const looks = new TreeLooks({
    role: 'authority',
    childrenOf,
    servedBy: () => undefined,
    above: doc => {
      const owner = owners.ownerOf(doc)
      if (owner === undefined || owners.elsewhere(doc) === undefined) return 'nobody'
      return looks.linkTo(owner) ?? 'nobody'
    },
    standingOf: (doc, now) => {
      const { refusal, ...standing } = standingOf(doc, now) ?? notInMemory
      return { ...standing, isLive: refusal === undefined && standing.epoch > 0, problem: refusal }
    },
  })
  return looks
}

/** Takes what happened on a link to another authority, on which there is nothing but looks; a bad frame closes it. */
export function receiveOfPeer(
  looks: TreeLooks,
  input: LinkInput,
  now: Instant,
  effects: EffectSink<LinkEffect | TreeTold>,
): void {
  if (input.kind !== 'link-frame') return
  const { link } = input
  try {
    const frame = decodeLinkFrame(input.frame)
    const isOfLook = frame?.kind === 'request-tree' || frame?.kind === 'tree'
    if (isOfLook) looks.receive(link, frame, now, effects)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    effects.push({ kind: 'link-close', link, code: error.code, message: error.message })
  }
}

/** Nobody reads a log to look at a tree. */
const notInMemory: AuthorityStanding = {
  epoch: 0,
  seq: 0,
  children: 0,
  viewers: 0,
  recentRecords: 0,
  recentBytes: 0,
  refusal: undefined,
}
