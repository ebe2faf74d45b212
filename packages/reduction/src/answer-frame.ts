import { type DocumentKey, encodeLinkFrame } from '@fanfold/protocol'
import type { ChildAnswer } from './combiner.ts'
import { encodeStandings } from './ranges.ts'

/** The frame that tells a child what became of what it said, and how long it is to wait before the next, ms. */
export function encodeCrowdAnswer(
  doc: DocumentKey,
  { number, answer }: ChildAnswer<unknown>,
  waitMs: number,
): Uint8Array {
  const { sessions, standings } = answer
  return encodeLinkFrame({
    kind: 'crowd-answer',
    doc,
    number,
    waitMs,
    sessions,
    standings: standings.length === 0 ? new Uint8Array(0) : encodeStandings(standings),
  })
}
