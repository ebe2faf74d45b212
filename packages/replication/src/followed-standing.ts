import { between, type Instant } from '@fanfold/kernel'
import type { Followed } from './followed.ts'

/** Where a followed document is had from, and how far. */
export type FollowedStanding = {
  readonly epoch: number
  readonly seq: number
  /** The node that serves it; undefined while none does. */
  readonly parent: string | undefined
  /** Records come as the parent gets them. */
  readonly isLive: boolean
  /** How long what is held may have been old, ms; undefined while it is fresh. */
  readonly staleForMs: number | undefined
  /** How long after its commit the last record came, ms; undefined where that is not known. */
  readonly lagMs: number | undefined
  /** Records that came in the last `recentMs`, and their bytes. */
  readonly recentRecords: number
  readonly recentBytes: number
}

/** What is to be said of a document that is followed, and served by this node. */
export function standingOf(
  followed: Followed,
  parent: string | undefined,
  now: Instant,
): FollowedStanding {
  const { follower, staleSince, lagMs } = followed
  const { epoch, seq } = follower.upstream.position
  const { isLive } = follower.upstream
  const staleForMs =
    staleSince === undefined ? undefined : Math.floor(between(staleSince, now) / 1_000)
  return { epoch, seq, parent, isLive, staleForMs, lagMs, ...followed.recentAt(now) }
}
