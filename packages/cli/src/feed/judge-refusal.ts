import { FanfoldError } from '@fanfold/client'
import { isErrorCode, meaningOf } from '@fanfold/protocol'
import type { SendVerdict } from './ordered-sender.ts'

/** The line's own fault: no other line is refused for it. */
const lineCodes: ReadonlySet<string> = new Set([
  'FANFOLD_INVALID_VALUE',
  'FANFOLD_BAD_FRAME',
  'FANFOLD_FRAME_TOO_LARGE',
  'FANFOLD_HANDLER_FAILED',
  'FANFOLD_NOT_JSON',
  'FANFOLD_FORBIDDEN_KEY',
  'FANFOLD_TOO_DEEP',
  'FANFOLD_TOO_LARGE',
])

/** What the refusal of a line means for it and for the lines behind it. */
export function judgeRefusal(error: unknown): SendVerdict {
  if (!(error instanceof FanfoldError)) return 'fatal'
  if (lineCodes.has(error.code)) return 'refused'
  return isErrorCode(error.code) && meaningOf(error.code).retry ? 'later' : 'fatal'
}
