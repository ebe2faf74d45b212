/*
 * What is said to reducers over HTTP: each request is a viewer of the edge for as long as it takes. It observes the
 * document, so that who may say something is who may observe; what it is shown goes nowhere.
 */
import type { EdgeInput } from '@fanfold/edge'
import { decodeUtf8, TokenBucket } from '@fanfold/kernel'
import type {
  DocumentKey,
  ErrorCode,
  Grants,
  ViewerEffect,
  ViewerFrame,
  ViewerId,
} from '@fanfold/protocol'

/** What is said. */
export type CrowdPost = {
  readonly grants: Grants
  readonly doc: DocumentKey
  readonly reducer: string
  readonly value: unknown
  /** Whether the answer is not to wait for what becomes of it. */
  readonly isAsync: boolean
}

/** How it ended; `accepted`: it is in the sums, and what becomes of it is not waited for. */
export type CrowdPostOutcome =
  | { readonly kind: 'counted' | 'unknown' | 'accepted' }
  | {
      readonly kind: 'rejected'
      readonly code: ErrorCode
      readonly message: string
      readonly retryAfterMs: number | undefined
    }

/** What the posts of one edge need of it. */
export type CrowdPostsOptions = {
  readonly submit: (input: EdgeInput) => void
  readonly nextViewer: () => ViewerId
  /** What one voice may say in a second, and at once. */
  readonly perSecondMax: number
  readonly burst: number
  /** A clock that never goes back. */
  readonly nowMs: () => number
  /** Until the answer: from then on nobody can tell. Default 10,000. */
  readonly waitMaxMs?: number | undefined
}

type Waiting = {
  readonly post: CrowdPost
  readonly settle: (outcome: CrowdPostOutcome) => void
  /** Whether it was said: before, the document is not there yet. */
  isSaid: boolean
}

/** Requests that wait for their answers; one more comes again. */
const postsMax = 1_000
/** Voices of which it is known how much they said; with more, the one that was heard first is forgotten. */
const voicesMax = 10_000
/** Frames that say how it ended are shorter. */
const answerBytesMax = 4_096

const waitMaxMsDefault = 10_000

/** The requests of one edge. */
export class CrowdPosts {
  readonly #options: CrowdPostsOptions
  readonly #waiting = new Map<ViewerId, Waiting>()
  readonly #voices = new Map<string, TokenBucket>()

  constructor(options: CrowdPostsOptions) {
    this.#options = options
  }

  /** Says something; resolves with how that ended. */
  say(post: CrowdPost): Promise<CrowdPostOutcome> {
    const wait = this.#refusal(post)
    if (wait !== undefined) return Promise.resolve(wait)
    const { submit, nextViewer, waitMaxMs = waitMaxMsDefault } = this.#options
    const viewer = nextViewer()
    return new Promise(resolve => {
      const late = setTimeout(() => this.#giveUp(viewer), waitMaxMs)
      const settle = (outcome: CrowdPostOutcome) => {
        if (!this.#waiting.delete(viewer)) return
        clearTimeout(late)
        submit({ kind: 'viewer-closed', viewer })
        resolve(outcome)
      }
      this.#waiting.set(viewer, { post, settle, isSaid: false })
      submit({ kind: 'viewer-opened', viewer, grants: post.grants })
      const { doc } = post
      const [from, viewState, maxRate] = [undefined, undefined, undefined]
      const request = { type: 'observe', doc, from, viewState, maxRate } as const
      submit({ kind: 'viewer-requested', viewer, request })
    })
  }

  /** Takes what the edge wants done with a viewer; false when that is none of a request. */
  perform(effect: ViewerEffect): boolean {
    if (!('viewer' in effect)) return false
    const { viewer } = effect
    const waiting = this.#waiting.get(viewer)
    if (waiting === undefined) return false
    if (effect.kind === 'cohort-enter' || effect.kind === 'viewer-transfer') {
      this.#say(viewer, waiting)
    } else if (effect.kind === 'viewer-send' && effect.frame.length <= answerBytesMax) {
      const frame: ViewerFrame = JSON.parse(decodeUtf8(effect.frame) ?? '{}')
      this.#hear(waiting, frame)
    }
    return true
  }

  /** The edge goes: nobody can tell any more. */
  close(): void {
    for (const viewer of [...this.#waiting.keys()]) this.#giveUp(viewer)
  }

  /** The viewer is let in. */
  #say(viewer: ViewerId, waiting: Waiting): void {
    if (waiting.isSaid) return
    waiting.isSaid = true
    const { doc, reducer, value, isAsync } = waiting.post
    const id = isAsync ? undefined : 1
    const request = { type: 'add', doc, reducer, value, id, stamp: undefined } as const
    this.#options.submit({ kind: 'viewer-requested', viewer, request })
    // What is not heard is rejected in the same step.
    if (isAsync) setImmediate(() => waiting.settle({ kind: 'accepted' }))
  }

  #hear({ isSaid, settle }: Waiting, frame: ViewerFrame): void {
    switch (frame.type) {
      case 'counted':
      case 'unknown':
        settle({ kind: frame.type })
        return
      case 'rejected':
        settle(rejected(frame.code, frame.message, frame.retryAfter))
        return
      case 'refused':
        if (!isSaid) settle(rejected(frame.code, frame.message, frame.retryAfter))
        return
      default:
    }
  }

  #giveUp(viewer: ViewerId): void {
    const waiting = this.#waiting.get(viewer)
    if (waiting === undefined) return
    const { isSaid, settle, post } = waiting
    const message = `${post.doc} did not come in time; nothing was done`
    settle(isSaid ? { kind: 'unknown' } : rejected('FANFOLD_BUSY', message, undefined))
  }

  /** Why nothing more is heard now, of this voice or at all. */
  #refusal({ grants }: CrowdPost): CrowdPostOutcome | undefined {
    if (this.#waiting.size >= postsMax) {
      return rejected('FANFOLD_OVERLOADED', `${postsMax} requests wait already`, undefined)
    }
    const { perSecondMax, burst, nowMs } = this.#options
    const now = nowMs()
    const voice = JSON.stringify([grants.tenant, grants.subject])
    const bucket = this.#voices.get(voice) ?? new TokenBucket({ perSecondMax, burst, nowMs: now })
    const [oldest] = this.#voices.keys()
    this.#voices.delete(voice)
    if (this.#voices.size >= voicesMax && oldest !== undefined) this.#voices.delete(oldest)
    this.#voices.set(voice, bucket)
    if (bucket.take(now)) return undefined
    const message = `a voice says at most ${perSecondMax} things a second`
    return rejected('FANFOLD_OVERLOADED', message, bucket.waitMs)
  }
}

const rejected = (
  code: ErrorCode,
  message: string,
  retryAfterMs: number | undefined,
): CrowdPostOutcome => ({ kind: 'rejected', code, message, retryAfterMs })
