import type { CohortId, TransferId } from '@fanfold/protocol'
import type { Cohort } from './cohort.ts'
import type { LargeSnapshot } from './large-snapshot.ts'

/** Where an observer is, as the rim has it. */
export type Seat =
  /** Among those who get what the cohort is sent, or lagging there. */
  | { readonly kind: 'in'; readonly cohort: Cohort }
  /**
   * Beside a paced cohort: it came between two of its deltas, and enters with the next one. It stands
   * at this seq of the log; undefined where that counts for nothing.
   */
  | { readonly kind: 'beside'; readonly cohort: Cohort; readonly seq: number | undefined }
  /** Sent a large snapshot, after which it enters the cohort; the rim has it in none. */
  | {
      readonly kind: 'transfer'
      readonly cohort: Cohort
      readonly snapshot: LargeSnapshot
      /** Undefined until there is something to send. */
      readonly transfer: TransferId | undefined
      /** How many of the frames after the snapshot are sent with it. */
      readonly led: number
      /** Where in the log who has all that is sent stands. */
      readonly seq: number
    }

/** The rim's name for where the observer sits; undefined for nowhere. */
export function seatId({ kind, cohort }: Seat): CohortId | undefined {
  if (kind === 'transfer') return undefined
  return kind === 'in' ? cohort.id : cohort.besideId
}

/** How a viewer gets a view: by a frame, in pieces, or not at all while it fails. */
export type Way = Uint8Array | 'pieces' | undefined
