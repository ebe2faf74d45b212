/*
 * Frames between a writer and an authority: JSON texts on /v1/write, and the bodies of the HTTP
 * routes that say the same.
 */
import { encodeUtf8 } from '@fanfold/kernel'
import type { DocumentKey } from './document-key.ts'
import type { ErrorCode } from './error-code.ts'
import { limits } from './limits.ts'
import { badFrame } from './protocol-error.ts'
import { checkFrameBytes, keyField, parseObject, textField, unknownType } from './viewer-frame.ts'

/** What a writer asks for. */
export type WriterRequest =
  | { readonly type: 'authenticate'; readonly token: string }
  | {
      readonly type: 'send'
      readonly doc: DocumentKey
      readonly message: string
      readonly value: unknown
      /** Idempotency key; without one the message may commit twice when sent twice. */
      readonly id: string | undefined
    }

/** What the authority answers, in the order in which it decides, not of the requests. */
export type WriterFrame =
  | {
      readonly type: 'committed'
      readonly doc: string
      readonly id?: string
      readonly epoch: number
      readonly seq: number
    }
  | {
      readonly type: 'rejected'
      readonly doc: string
      readonly id?: string
      readonly code: ErrorCode
      readonly message: string
    }
  | { readonly type: 'moved'; readonly doc: string; readonly id?: string; readonly to: string }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }

/**
 * The request in a writer's text frame.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`, `FANFOLD_BAD_KEY`, `FANFOLD_FRAME_TOO_LARGE`
 */
export function decodeWriterRequest(text: string): WriterRequest {
  checkFrameBytes(text, limits.writeFrameBytesMax.value)
  const fields = parseObject(text)
  switch (fields['type']) {
    case 'authenticate':
      return { type: 'authenticate', token: textField(fields, 'token') }
    case 'send':
      return {
        type: 'send',
        doc: keyField(fields),
        message: textField(fields, 'message'),
        value: fields['value'],
        id: fields['id'] === undefined ? undefined : idempotencyId(fields['id']),
      }
    default:
      return unknownType(fields['type'])
  }
}

/**
 * An idempotency id from outside.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME` when it is not a well-formed text of 1 to 128 bytes
 */
export function idempotencyId(value: unknown): string {
  if (typeof value !== 'string' || value.length === 0) return badFrame('id is a text, not empty')
  // In a log it would be another text, and the same id after a restart another id.
  if (/\p{Surrogate}/u.test(value)) return badFrame('id is a well-formed text')
  const bytes = encodeUtf8(value).length
  return bytes <= limits.idempotencyIdBytesMax.value
    ? value
    : badFrame(`id is a text of at most ${limits.idempotencyIdBytesMax.value} bytes, got ${bytes}`)
}

/** The text of a frame to a writer. */
export const encodeWriterFrame = (frame: WriterFrame): string => JSON.stringify(frame)
