import type { EffectSink, Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type LinkEffect,
  type LinkId,
  type Position,
} from '@fanfold/protocol'

/** A child's request for the log of a document. */
export type ReplayRequest = {
  readonly link: LinkId
  /** What the child calls the replay. */
  readonly replay: number
  /** Highest tag the child may be sent; from its token. */
  readonly ceiling: number
  readonly have: Position | undefined
  /** Bytes of records the child takes. */
  readonly credit: number
  /** Whether the link holds more unsent bytes than it should, at the moment of asking. */
  readonly isCongested: () => boolean
}

/** What answers children that ask for logs: by reading them, or by asking its own parent. */
export interface Replays {
  /** A child asks; each request is answered, the last time with `replay-ended`. */
  request(doc: DocumentKey, request: ReplayRequest, effects: EffectSink<LinkEffect>): void
  /** The child takes so many bytes more. */
  credit(link: LinkId, replay: number, bytes: number): void
  /** The child does not want it any more. */
  leave(link: LinkId, replay: number): void
  /** The link is gone. */
  close(link: LinkId): void
  /** The link takes frames again. */
  drained(link: LinkId): void
  /** True when `sendNext` is to be called in the next turn. */
  readonly hasMore: boolean
  /** Sends the next of what is at hand, and no more than one frame. */
  sendNext(effects: EffectSink<LinkEffect>): void
  /** Ends what has not moved for long: to be called every `safetyEvery` while there are any. */
  letGo(effects: EffectSink<LinkEffect>): void
}

/** Looks between which next to nothing moved, after which a replay is let go: half a minute's. */
export const idleLooksMax = 6

/** Replays of one link, of those that there may be at a time: the rest is for other children. */
export const linkShare = (replaysMax: number): number => Math.ceil(replaysMax / 2)

/** How a replay ended: whole, cut short, because the child left, or before it began; a metric label. */
export type ReplayOutcome = 'complete' | 'failed' | 'left' | 'refused'

/** Why a replay ends before the end of the log. */
export type ReplayProblem = {
  readonly code: ErrorCode
  readonly message: string
  /** 0 when it is not said. */
  readonly retryAfterMs?: number | undefined
}

/** The last frame of a replay. */
export function replayEnded(
  link: LinkId,
  replay: number,
  problem: ReplayProblem | undefined,
): LinkEffect {
  const frame = encodeLinkFrame({
    kind: 'replay-ended',
    replay,
    code: problem?.code,
    message: problem?.message ?? '',
    retryAfterMs: problem?.retryAfterMs ?? 0,
  })
  return { kind: 'link-send', link, frame }
}

/** A wait of at least `ms` and less than twice that, so that many that were refused do not come back together. */
export const jittered = (ms: number, prng: Prng): number => Math.floor(ms * (1 + prng.fraction()))
