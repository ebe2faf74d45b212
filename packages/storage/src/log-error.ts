import type { LogRefusal } from '@fanfold/document'
import { AssertionError } from '@fanfold/kernel'

/** An outcome of the log that the authority is told: it becomes the refusal of the effect at hand. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogRefusal

  constructor(code: LogRefusal, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * The disk failed where nobody can know any more what it holds: a sync, or a write that did not fail
 * for want of room. The process ends, the records are read again by the next one.
 */
export class DiskFailure extends Error {
  override readonly name = 'DiskFailure'
  readonly code = 'FANFOLD_DISK_FAILED'
}

// Space, quota, a file size limit, and the tables of open files: all may pass.
const noRoomCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE'])

/** True when the system said that there is no room. */
export const isNoRoom = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && noRoomCodes.has(error.code)

/** True when the system said that there is no such name. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Refuses to serve a log that is damaged at a place. */
export function damaged(path: string, what: string): never {
  throw new LogError(
    'FANFOLD_LOG_DAMAGED',
    `${path}: ${what}; nothing was changed: restore the directory from a backup or a replica`,
  )
}

/** What an effect is refused with. */
export type Refusal = { readonly code: LogRefusal; readonly message: string }

/** @throws what is no outcome but the end of the process */
export function refusalOfWriting(error: unknown): Refusal {
  if (error instanceof LogError) return { code: error.code, message: error.message }
  if (isNoRoom(error)) return { code: 'FANFOLD_LOG_FULL', message: error.message }
  throw error
}

/**
 * As for writing; but a log that cannot be read has lost nothing that was not lost before. What the
 * system says of a read is of that read: damage is what was read and is not what it should be.
 *
 * @throws what is no outcome but the end of the process
 */
export function refusalOfReading(error: unknown): Refusal {
  if (error instanceof AssertionError || error instanceof DiskFailure) throw error
  if (error instanceof LogError || isNoRoom(error)) return refusalOfWriting(error)
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'FANFOLD_LOG_UNREADABLE', message: `the log cannot be read: ${message}` }
}
