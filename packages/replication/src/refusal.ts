import type { DocumentKey, ErrorCode, LinkFrame } from '@fanfold/protocol'

/** A `refused` frame. */
export const refusal = (
  doc: DocumentKey,
  code: ErrorCode,
  message: string,
  retryAfterMs: number,
): Extract<LinkFrame, { kind: 'refused' }> => ({
  kind: 'refused',
  doc,
  code,
  message,
  retryAfterMs,
})
