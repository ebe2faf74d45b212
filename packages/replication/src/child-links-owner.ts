import type { Instant } from '@fanfold/kernel'
import type { DocumentKey, LinkFrame, LinkId, SignalKind } from '@fanfold/protocol'
import type { JoinRequest } from './child-stream.ts'
import type { Downstream } from './downstream.ts'
import type { Replays } from './replays.ts'
import type { TreeFrame } from './tree-looks.ts'

/** A child says what the crowd below it says. */
export type CrowdFrame = Extract<LinkFrame, { kind: 'crowd' }>

/** What a role with children does with their requests. */
export type ChildLinksOwner = {
  /** A child asks for a document; the role must answer, at once or as soon as it can. */
  join(doc: DocumentKey, request: JoinRequest): void
  /** The children of a document, if the role serves it. */
  downstream(doc: DocumentKey): Downstream | undefined
  /** A child has left the document, by request or because its link closed. */
  left(doc: DocumentKey, link: LinkId): void
  /** Sends children the next of the document, if the role serves it, and says `hasMore` if it has. */
  flush(doc: DocumentKey): void
  /** A child asks for an edge variant; the role answers with `answerVariant`, now or when it can. */
  variant(hash: Uint8Array, link: LinkId): void
  /** A child says how it is with a document that it has asked for. */
  signal(link: LinkId, signal: SignalKind, doc: DocumentKey, value: number): void
  /** Another authority has the document in use, up to this seq; without it, nobody is told that here. */
  readonly inUse?: ((link: LinkId, doc: DocumentKey, seq: number) => void) | undefined
  /** The instant of what is under way; without it, how quick links are is not known. */
  readonly now?: (() => Instant) | undefined
  /** What answers children that ask for logs; without it they are told that there are none. */
  readonly replays?: Replays | undefined
  /** A child asks, or answers, about the tree of a document; without it, it is told that there is no answer. */
  readonly tree?: ((link: LinkId, frame: TreeFrame) => void) | undefined
  /**
   * A child says what the crowd below it says of a document that it has joined; without it, nothing comes of that.
   *
   * @throws ProtocolError when that is nothing that a child says
   */
  readonly crowd?: ((link: LinkId, frame: CrowdFrame) => void) | undefined
}
