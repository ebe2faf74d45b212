import type { LogRefusal } from '@fanfold/document'
import type { DiskHealth } from './disk-health.ts'

/** What an effect of a log store is refused with. */
export type Refused = { readonly code: LogRefusal; readonly message: string }

/** The disk fails a read. */
export const unreadable: Refused = {
  code: 'FANFOLD_LOG_UNREADABLE',
  message: 'the disk fails to read',
}

/** The machine that has the log is away. */
export const unreachableNow: Refused = {
  code: 'FANFOLD_LOG_UNREACHABLE',
  message: 'who has the log does not answer',
}

/** There is no room. */
export const outOf = (message: string): Refused => ({ code: 'FANFOLD_LOG_FULL', message })

/** No file can be opened, where that is so. */
export const noFile = (health: DiskHealth | undefined): Refused | undefined =>
  health?.isOutOfFiles === true ? outOf('too many open files') : undefined

/** What was durable is not in the log any more. */
export const lost = (message: string): Refused => ({ code: 'FANFOLD_LOG_LOST', message })

/** Somebody else may append, or appended. */
export const fenced = (message: string): Refused => ({ code: 'FANFOLD_FENCED', message })
