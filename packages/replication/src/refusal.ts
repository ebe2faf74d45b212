import type { DocumentKey, ErrorCode, LinkFrame } from '@fanfold/protocol'

/** A `refused` frame. */
export const refusal = (
  doc: DocumentKey,
  code: ErrorCode,
  message: string,
  retryAfterMs: number,
): LinkFrame => ({ kind: 'refused', doc, code, message, retryAfterMs })
