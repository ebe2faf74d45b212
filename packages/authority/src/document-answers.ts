import type { LogInput } from '@fanfold/document'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type WriterInput,
} from '@fanfold/protocol'
import { type JoinRequest, refusal } from '@fanfold/replication'
import type { AuthorityEffect, AuthorityFact } from './authority-effect.ts'
import type { AuthorityLimits } from './authority-limits.ts'
import type { Batch } from './batch.ts'
import type { WriteProblem } from './write-problem.ts'

/** When a child that is refused for now may ask again, ms. */
export const retryAfterMs = 1_000
/** The same where the document is another's, ms: who is asked next has heard of that in a moment. */
const movedRetryAfterMs = 100

/** Tells a writer that what it wanted did not happen. */
export function reject(
  input: WriterInput,
  code: ErrorCode,
  message: string,
  effects: AuthorityEffect[],
): void {
  const answer = { kind: 'rejected', code, message } as const
  effects.push({ kind: 'write-answered', request: input.request, answer })
}

/** Why a document that is not in memory cannot come there now. */
export const noRoom = ({ documentsMax }: AuthorityLimits): WriteProblem => ({
  code: 'FANFOLD_OVERLOADED',
  message: `the authority has its ${documentsMax} documents in memory`,
})

/** What is to be known of a log, as a fact. */
export const logFact = (
  event: 'log-behind' | 'log-full',
  doc: DocumentKey,
  message: string,
): AuthorityEffect => ({ kind: 'fact', fact: { event, doc, message } })

/** What was committed, as a fact. */
export const committedFact = (doc: DocumentKey, { epoch, records }: Batch): AuthorityFact => ({
  event: 'committed',
  doc,
  epoch,
  records,
})

/** What became of a snapshot for the log, as a fact. */
export function snapshotFact(
  input: Extract<LogInput, { kind: 'log-snapshot-kept' | 'log-snapshot-refused' }>,
): AuthorityFact {
  if (input.kind === 'log-snapshot-kept') {
    return { event: 'snapshot-kept', doc: input.doc, seq: input.seq }
  }
  const { doc, code, message } = input
  return { event: 'snapshot-refused', doc, code, message }
}

/** Why somebody gets nothing, and when to ask again if that is of any use. */
export type RefusalReason = WriteProblem & { readonly retryAfterMs?: number }

/** Why somebody gets nothing for now. */
export const refusalForNow = (problem: WriteProblem): RefusalReason => ({
  ...problem,
  retryAfterMs: problem.code === 'FANFOLD_MOVED' ? movedRetryAfterMs : retryAfterMs,
})

/** Tells a child that it does not get the document, and when it may ask again. */
export function refuseJoin(
  doc: DocumentKey,
  { link }: JoinRequest,
  reason: RefusalReason,
  effects: AuthorityEffect[],
): void {
  const { code, message, retryAfterMs = 0 } = reason
  effects.push({
    kind: 'link-send',
    link,
    frame: encodeLinkFrame(refusal(doc, code, message, retryAfterMs)),
  })
  effects.push({ kind: 'fact', fact: { event: 'join-answered', doc, answer: 'refused' } })
}
