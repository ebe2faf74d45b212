import type { ErrorCode, errorCodes } from '@fanfold/protocol'

/** Codes that the protocol's table marks as worth another attempt. */
type RetryCode = {
  [Code in ErrorCode]: (typeof errorCodes)[Code]['retry'] extends true ? Code : never
}[ErrorCode]

// The table itself, with its sentences, would be a tenth of the client: this is a copy of one column,
// which does not compile when it is not exactly the table's.
const retryCodes: Readonly<Record<RetryCode, true>> = {
  FANFOLD_TOO_MANY_FRAMES: true,
  FANFOLD_NO_TAIL: true,
  FANFOLD_NO_VARIANT: true,
  FANFOLD_RULE_FAILED: true,
  FANFOLD_BUSY: true,
  FANFOLD_LOG_FULL: true,
  FANFOLD_LOG_UNREADABLE: true,
  FANFOLD_LOG_UNREACHABLE: true,
  FANFOLD_LOG_LOST: true,
  FANFOLD_FENCED: true,
  FANFOLD_SET_ASIDE: true,
  FANFOLD_MOVED: true,
  FANFOLD_DRAINING: true,
  FANFOLD_NO_PARENT: true,
  FANFOLD_OVERLOADED: true,
  FANFOLD_QUOTA_EXCEEDED: true,
  FANFOLD_NO_AUTHORITY: true,
  FANFOLD_COORDINATOR_UNREACHABLE: true,
}

/** Whether the same request may succeed later without being changed. */
export const isRetryCode = (code: string): boolean => Object.hasOwn(retryCodes, code)
