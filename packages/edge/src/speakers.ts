import { TokenBucket } from '@fanfold/kernel'
import type { DocumentKey, ViewerId } from '@fanfold/protocol'
import type { FullEdgeLimits } from './edge-limits.ts'

type Speaker = {
  readonly bucket: TokenBucket
  /** Ids of which it was not told what became of them. */
  waiting: number
  /** Documents of which some of them may be. */
  readonly docs: Set<DocumentKey>
}

/** Why a viewer may say nothing now, and how long that lasts at least, ms; undefined where that is not known. */
export type NotNow = { readonly message: string; readonly retryAfter: number | undefined }

/** The viewers that have said something: how often they may, and how much they wait to hear of it. */
export class Speakers {
  readonly #limits: FullEdgeLimits
  readonly #speakers = new Map<ViewerId, Speaker>()
  #waiting = 0

  constructor(limits: FullEdgeLimits) {
    this.#limits = limits
  }

  /** Ids of all viewers that wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Why the viewer may not say something now, with an id or without; undefined when it may, which counts. */
  problemOf(viewer: ViewerId, hasId: boolean, nowMs: number): NotNow | undefined {
    const { bucket, waiting } = this.#of(viewer, nowMs)
    const { crowdMessagesPerViewerPerSecond, crowdIdsPerViewerMax, crowdIdsMax } = this.#limits
    if (!bucket.take(nowMs)) {
      const message = `a viewer says at most ${crowdMessagesPerViewerPerSecond} things a second`
      return { message, retryAfter: bucket.waitMs }
    }
    if (!hasId) return undefined
    if (waiting >= crowdIdsPerViewerMax) {
      return { message: `${waiting} ids of the viewer wait already`, retryAfter: undefined }
    }
    if (this.#waiting < crowdIdsMax) return undefined
    return { message: `${crowdIdsMax} ids wait here already`, retryAfter: undefined }
  }

  /** The viewer waits to hear what becomes of one thing more. */
  waits(viewer: ViewerId, doc: DocumentKey): void {
    const speaker = this.#speakers.get(viewer)
    if (speaker === undefined) return
    speaker.waiting++
    speaker.docs.add(doc)
    this.#waiting++
  }

  /** The viewer is told what became of so many; false when it is gone. */
  told(viewer: ViewerId, count: number): boolean {
    const speaker = this.#speakers.get(viewer)
    if (speaker === undefined) return false
    speaker.waiting -= count
    if (speaker.waiting === 0) speaker.docs.clear()
    this.#waiting -= count
    return true
  }

  /** The viewer is gone; the documents of which it waits to hear. */
  forget(viewer: ViewerId): Iterable<DocumentKey> {
    const speaker = this.#speakers.get(viewer)
    if (speaker === undefined) return []
    this.#speakers.delete(viewer)
    this.#waiting -= speaker.waiting
    return speaker.docs
  }

  #of(viewer: ViewerId, nowMs: number): Speaker {
    const known = this.#speakers.get(viewer)
    if (known !== undefined) return known
    const { crowdMessagesPerViewerPerSecond, crowdMessagesPerViewerBurst: burst } = this.#limits
    const bucket = new TokenBucket({ perSecondMax: crowdMessagesPerViewerPerSecond, burst, nowMs })
    const speaker = { bucket, waiting: 0, docs: new Set<DocumentKey>() }
    this.#speakers.set(viewer, speaker)
    return speaker
  }
}
