import type { Instant } from '@fanfold/kernel'
import type { ErrorCode } from '@fanfold/protocol'
import type { AuthorityDocument } from './authority-document.ts'

/** How far a document is at its authority. */
export type AuthorityStanding = {
  readonly epoch: number
  readonly seq: number
  /** Streams to nodes below. */
  readonly children: number
  /** Viewers, as the nodes below count them. */
  readonly viewers: number
  /** Records that were committed in the last `recentMs`, and their bytes. */
  readonly recentRecords: number
  readonly recentBytes: number
  /** Why it is not served. */
  readonly refusal: ErrorCode | undefined
}

/** What is to be said of a document with so many viewers. */
export function standingOf(
  document: AuthorityDocument,
  viewers: number,
  now: Instant,
): AuthorityStanding {
  const { epoch, seq } = document.position
  const children = document.hasChildren ? document.downstream.count : 0
  const recent = document.recentAt(now)
  return { epoch, seq, children, viewers, ...recent, refusal: document.refusal?.code }
}
