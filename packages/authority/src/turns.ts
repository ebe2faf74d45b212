import { after, type Instant, milliseconds } from '@fanfold/kernel'

/** What says whether it is somebody's turn, and whose it is then: one has it in `everyMs`. */
export function turns(everyMs: number, now: () => Instant): () => boolean {
  let next = 0 as Instant
  return () => {
    if (now() < next) return false
    next = after(now(), milliseconds(everyMs))
    return true
  }
}
