import type { DocumentKey, ViewerFrame } from '@fanfold/protocol'
import type { Cohort } from './cohort.ts'

/** Frames that hold nothing of a view. */
export type SmallFrame = Extract<ViewerFrame, { type: 'status' | 'refused' | 'left' }>

/** There is nothing to wait for: the document was deleted. */
export const deletedFrame = (doc: DocumentKey): SmallFrame => ({
  type: 'refused',
  doc,
  code: 'FANFOLD_DELETED',
  message: `${doc} was deleted`,
})

/** How it stands with what a cohort's viewers are shown: live, or since when it may be old, and why. */
export function statusFrame(options: {
  readonly doc: DocumentKey
  /** The wall's time, ms since 1970. */
  readonly nowMs: number
  /** How long the stream has been interrupted, ms; undefined while it is not. */
  readonly staleForMs: number | undefined
  /** Since when the wall has known that the variant cannot be had. */
  readonly missingSinceMs: number | undefined
  readonly cohort: Cohort | undefined
}): SmallFrame {
  const { doc, nowMs, staleForMs, missingSinceMs, cohort } = options
  const isFailed = cohort?.failure !== undefined
  if (missingSinceMs !== undefined) {
    const code = 'FANFOLD_NO_VARIANT'
    return { type: 'status', doc, status: 'stale', since: missingSinceMs, code }
  }
  if (isFailed) {
    const code = 'FANFOLD_RULE_FAILED'
    return { type: 'status', doc, status: 'stale', since: cohort.failedAt(nowMs), code }
  }
  const status = staleForMs === undefined ? 'live' : 'stale'
  return { type: 'status', doc, status, since: nowMs - (staleForMs ?? 0) }
}
