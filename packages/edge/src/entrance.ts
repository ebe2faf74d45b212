/*
 * How a viewer comes to observe a document: it is let in, or told why not, or it is early, and waits.
 */
import type { JsonObject } from '@fanfold/document'
import type { DocumentKey, ViewerId } from '@fanfold/protocol'
import { type Follower, isAhead } from '@fanfold/replication'
import type { Refusal } from './admission.ts'
import type { DocumentPort } from './document-port.ts'
import { ends, type ObserveRequest, refusalFrame } from './observe-request.ts'
import type { Observers } from './observers.ts'
import type { Showing } from './showing.ts'

/** Where viewers of one document come in. */
export class Entrance {
  readonly #doc: DocumentKey
  readonly #follower: Follower
  readonly #observers: Observers
  readonly #showing: Showing
  readonly #port: DocumentPort

  constructor(options: {
    readonly doc: DocumentKey
    readonly follower: Follower
    readonly observers: Observers
    readonly showing: Showing
    readonly port: DocumentPort
  }) {
    this.#doc = options.doc
    this.#follower = options.follower
    this.#observers = options.observers
    this.#showing = options.showing
    this.#port = options.port
  }

  /** No viewer is taken back: one that comes from an edge further on waits until this one is there. */
  isBehind(from: string | undefined): boolean {
    const point = from === undefined ? undefined : this.#showing.terms?.points.open(from)
    return point !== undefined && isAhead(point, this.#showing.at)
  }

  /** Why the viewer is not let in; true when it was and was told nothing, as nothing was due. */
  enter(viewer: ViewerId, request: ObserveRequest, state: JsonObject): Refusal | boolean {
    this.#port.joins.slice.spendViewer()
    return this.#observers.enter(viewer, request, state)
  }

  /** True for one that the document refuses for good as it was a while ago: it may be let in yet. */
  isEarly(entry: Refusal | boolean): boolean {
    if (typeof entry === 'boolean' || !ends.has(entry.code)) return false
    return this.#follower.upstream.isCatchingUp
  }

  /** Tells one that was not let in why. */
  answer(viewer: ViewerId, entry: Refusal | boolean): void {
    if (typeof entry === 'boolean') return
    const frame = refusalFrame(this.#doc, entry, () => this.#port.retryAfterMs())
    this.#port.turn.push({ kind: 'viewer-send', viewer, frame })
    this.#port.ended(this.#doc, viewer)
  }
}
