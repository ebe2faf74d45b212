import type { EffectSink } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type PeerIdentity,
  ProtocolError,
} from '@fanfold/protocol'
import type { Downstream, JoinRequest } from './downstream.ts'

/** What a role with children does with their requests. */
export type ChildLinksOwner = {
  /** A child asks for a document; the role must answer, at once or as soon as it can. */
  join(doc: DocumentKey, request: JoinRequest): void
  /** The children of a document, if the role serves it. */
  downstream(doc: DocumentKey): Downstream | undefined
  /** A child has left the document, by request or because its link closed. */
  left(doc: DocumentKey, link: LinkId): void
  /** A child can take more of the document than a moment ago. */
  ready(doc: DocumentKey): void
}

type ChildLink = {
  readonly peer: PeerIdentity
  /** Documents the child has asked for and not left. */
  readonly docs: Set<DocumentKey>
  isCongested: boolean
}

/** Documents that one child may ask for on one link. */
export const documentsPerLinkMax = 1_000_000

/** The links of a node's children: finds the document that each frame is about. */
export class ChildLinks {
  readonly #links = new Map<LinkId, ChildLink>()
  readonly #owner: ChildLinksOwner
  readonly #channels: Map<number, DocumentKey>

  /** @param channels which document each channel of this node is; kept by the role */
  constructor(owner: ChildLinksOwner, channels: Map<number, DocumentKey>) {
    this.#owner = owner
    this.#channels = channels
  }

  /** Links of children that are open. */
  get count(): number {
    return this.#links.size
  }

  /** Streams of documents to children, over all links. */
  get streamCount(): number {
    let count = 0
    for (const { docs } of this.#links.values()) count += docs.size
    return count
  }

  /** True for a link of a child. */
  has(link: LinkId): boolean {
    return this.#links.has(link)
  }

  opened(link: LinkId, peer: PeerIdentity): void {
    this.#links.set(link, { peer, docs: new Set(), isCongested: false })
  }

  closed(link: LinkId): void {
    const child = this.#links.get(link)
    if (child === undefined) return
    this.#links.delete(link)
    for (const doc of child.docs) this.#leave(doc, link)
  }

  /** The link's unsent bytes went over or under their limit. */
  setCongested(link: LinkId, isCongested: boolean): void {
    const child = this.#links.get(link)
    if (child === undefined) return
    child.isCongested = isCongested
    for (const doc of child.docs) {
      this.#owner.downstream(doc)?.setCongested(link, isCongested)
      if (!isCongested) this.#owner.ready(doc)
    }
  }

  /** Takes a frame's bytes from a child; a bad one closes the link. */
  receive(link: LinkId, bytes: Uint8Array, effects: EffectSink<LinkEffect>): void {
    const child = this.#links.get(link)
    if (child === undefined) return
    try {
      const frame = decodeLinkFrame(bytes)
      if (frame !== undefined) this.#route(link, child, frame, effects)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      effects.push({ kind: 'link-close', link, code: error.code, message: error.message })
    }
  }

  #route(link: LinkId, child: ChildLink, frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
    switch (frame.kind) {
      case 'join':
        if (child.docs.size >= documentsPerLinkMax && !child.docs.has(frame.doc)) {
          throw new ProtocolError(
            'FANFOLD_OVERLOADED',
            `${documentsPerLinkMax} documents on a link`,
          )
        }
        child.docs.add(frame.doc)
        this.#owner.join(frame.doc, {
          link,
          ceiling: child.peer.ceiling,
          have: frame.have,
          credit: frame.credit,
          // The link may drain while the join waits for its answer.
          get isCongested() {
            return child.isCongested
          },
        })
        return
      case 'leave':
        if (child.docs.delete(frame.doc)) this.#leave(frame.doc, link)
        return
      case 'credit': {
        const doc = this.#channels.get(frame.channel)
        if (doc === undefined) return
        this.#owner.downstream(doc)?.credit(link, frame.bytes)
        this.#owner.ready(doc)
        return
      }
      case 'request-pieces': {
        const doc = this.#channels.get(frame.channel)
        if (doc !== undefined) this.#owner.downstream(doc)?.resend(link, frame.indexes, effects)
        return
      }
      case 'ping':
        return
      default:
        throw new ProtocolError('FANFOLD_BAD_FRAME', `a child does not send ${frame.kind}`)
    }
  }

  #leave(doc: DocumentKey, link: LinkId): void {
    this.#owner.downstream(doc)?.leave(link)
    this.#owner.left(doc, link)
  }
}
