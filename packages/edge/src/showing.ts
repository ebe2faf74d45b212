import { assert } from '@fanfold/kernel'
import { zeroPosition } from '@fanfold/protocol'
import type { ByteAllowance } from './byte-allowance.ts'
import type { Place, Terms } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { DocumentCheck } from './document-check.ts'

/** What a document shows at the moment: by which definition, and how far. */
export class Showing {
  /** Undefined while nobody can be shown anything. */
  cohorts: Cohorts | undefined
  /** The last record that was shown. */
  at: Place = { ...zeroPosition, timeMs: 0 }
  /** Highest label that the edge has of the document. */
  ceiling = 0
  /** Whether what is shown does not lead to what is held: then it goes on by a snapshot. */
  isRestartDue = true
  /** Whether who may see what has to be looked at anew, with the next snapshots. */
  isChanged = false
  /** What viewers of its tenant may be sent; undefined where nothing bounds that. */
  allowance: ByteAllowance | undefined
  /** What is found out about it, while it is checked. */
  check: DocumentCheck | undefined

  /** The definition in force; undefined while nobody can be shown anything. */
  get terms(): Terms | undefined {
    return this.cohorts?.terms
  }

  /** The cohorts, where there is something to show. */
  get shown(): Cohorts {
    assert(this.cohorts !== undefined, 'there is a definition by which the document is shown')
    return this.cohorts
  }
}
