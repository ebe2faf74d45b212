import type { LogRefusal } from '@fanfold/document'

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

/** Refuses to serve a log that is damaged at a place. */
export function damaged(path: string, what: string): never {
  throw new LogError(
    'FANFOLD_LOG_DAMAGED',
    `${path}: ${what}; nothing was changed: restore the directory from a backup or a replica`,
  )
}
