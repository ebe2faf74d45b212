import type { DocumentKey } from '@fanfold/protocol'
import type { WriteProblem } from './write-problem.ts'

/**
 * Whose documents are, for an authority that is one of several. What it says may change with
 * `owners-changed`, and a stall may begin at any time. It is asked for each write, join and batch: its
 * answers are to be at hand.
 */
export type Owners = {
  /** Why the document is not served here now; undefined when it is this authority's. */
  elsewhere(doc: DocumentKey): WriteProblem | undefined
  /** The authority whose the document is; undefined while that is not known, or it is this one's in any case. */
  ownerOf(doc: DocumentKey): string | undefined
  /** The authority that stands by for a document of this one, to take it over; undefined where none does. */
  standbyOf(doc: DocumentKey): string | undefined
  /** True where this authority stands by for the document of another. */
  isStandby(doc: DocumentKey): boolean
  /** True while another authority stands by for anything. */
  readonly hasStandbys: boolean
  /**
   * Why nothing may be written now, although documents are this authority's; undefined when something may.
   * What is on its way to the log goes on, and nothing more is begun.
   */
  readonly stall: WriteProblem | undefined
}

/** All documents are this authority's. */
export const soleOwner: Owners = {
  elsewhere: () => undefined,
  ownerOf: () => undefined,
  standbyOf: () => undefined,
  isStandby: () => false,
  hasStandbys: false,
  stall: undefined,
}

/** Why nothing of the document may be written here now; undefined when it may. */
export const unwritable = (owners: Owners, doc: DocumentKey): WriteProblem | undefined =>
  owners.elsewhere(doc) ?? owners.stall
