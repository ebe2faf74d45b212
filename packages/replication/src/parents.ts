import type { EffectSink } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
} from '@fanfold/protocol'

/** A parent is told of what was taken of snapshots when it is so many bytes. */
const takenBytesMax = 65_536

/** A parent that is connected. */
export type Parent = {
  readonly link: LinkId
  /** The node at the other end. */
  readonly node: string
  /** What it calls the documents that it serves. */
  readonly channels: Map<number, DocumentKey>
  /** Bytes of snapshots that were taken since it was told. */
  takenBytes: number
  /** True once it has said that it goes away. */
  isGoing: boolean
}

/** The parents that a node is connected to. */
export class Parents {
  /** In the order in which they opened. */
  readonly #parents: Parent[] = []
  #links: readonly LinkId[] = []

  /** Parents connected. */
  get count(): number {
    return this.#parents.length
  }

  /** True while one has said that it goes away. */
  get isOneGoing(): boolean {
    return this.#parents.some(({ isGoing }) => isGoing)
  }

  /** The links to them: to those that stay first, in the order in which they opened. */
  get links(): readonly LinkId[] {
    return this.#links
  }

  get(link: LinkId | undefined): Parent | undefined {
    return this.#parents.find(parent => parent.link === link)
  }

  /** The parent that is this node; of several links to it the one that opened last. */
  at(node: string): Parent | undefined {
    return this.#parents.findLast(parent => parent.node === node)
  }

  open(link: LinkId, node: string): Parent {
    const parent = { link, node, channels: new Map(), takenBytes: 0, isGoing: false }
    this.#parents.push(parent)
    this.#order()
    return parent
  }

  /** The parent has said that it goes away. */
  leaves(parent: Parent): void {
    parent.isGoing = true
    this.#order()
  }

  close(link: LinkId): void {
    const index = this.#parents.findIndex(parent => parent.link === link)
    if (index >= 0) this.#parents.splice(index, 1)
    this.#order()
  }

  #order(): void {
    const going = this.#parents.filter(({ isGoing }) => isGoing)
    const staying = this.#parents.filter(({ isGoing }) => !isGoing)
    this.#links = [...staying, ...going].map(({ link }) => link)
  }
}

/** The document that a frame of this parent is about. */
export function docOf(frame: LinkFrame, parent: Parent): DocumentKey | undefined {
  if ('doc' in frame) return frame.doc
  return 'channel' in frame ? parent.channels.get(frame.channel) : undefined
}

/** True for a frame of a replay, which goes on whether the document is joined or left. */
export const isOfReplay = ({ kind }: LinkFrame): boolean =>
  kind === 'replay' || kind === 'replay-ended'

/** True for a frame that counts as under way until it is taken. */
export const isOfSnapshot = ({ kind }: LinkFrame): boolean =>
  kind === 'snapshot-begin' || kind === 'snapshot-piece'

/** A frame of a snapshot was taken, wanted or not: the parent may send as much again. */
export function tellTaken(parent: Parent, bytes: number, effects: EffectSink<LinkEffect>): void {
  parent.takenBytes += bytes
  if (parent.takenBytes >= takenBytesMax) answerTaken(parent, 0, effects)
}

/** The parent is told what was taken until now, as it has asked by this number, or 0 when it has not. */
export function answerTaken(
  parent: Parent,
  answers: number,
  effects: EffectSink<LinkEffect>,
): void {
  const frame = encodeLinkFrame({ kind: 'pieces-taken', bytes: parent.takenBytes, answers })
  parent.takenBytes = 0
  effects.push({ kind: 'link-send', link: parent.link, frame })
}
