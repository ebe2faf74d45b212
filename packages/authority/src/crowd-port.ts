import type { PresenceRule } from '@fanfold/definition'
import type { DocumentKey } from '@fanfold/protocol'
import type { Downward, LedgerEntry, Upward } from '@fanfold/reduction'
import type { FailedSum } from './crowd-change.ts'

/** What is to be put into the log of what a crowd says, and of its sessions. */
export type CrowdSaid = Upward & {
  /** Sessions that are counted no further. */
  readonly sealed: readonly number[]
  /** How many watch, where the document is to say so now. */
  readonly viewers: number | undefined
}

/** What a batch makes of it. */
export type CrowdJudged = {
  readonly said: CrowdSaid
  /** What the log is told; undefined for nothing. */
  readonly entry: LedgerEntry | undefined
  readonly failed: readonly FailedSum[]
  /** By what the document was told how many watch, if it was to be; undefined where its definition does not say so. */
  readonly presence: PresenceRule<unknown> | undefined
}

/** Who is told what became of what a document's crowd says. */
export type CrowdPort = {
  /** It is in the log, or is not to be: how far its sessions are. */
  answered(doc: DocumentKey, answer: Downward, judged: CrowdJudged): void
  /** Nothing came of it for now. */
  postponed(doc: DocumentKey): void
}
