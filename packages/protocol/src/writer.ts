import type { DocumentKey } from './document-key.ts'
import type { ErrorCode } from './error-code.ts'

/** A request that waits for its answer, inside one process; never reused while the process lives. */
export type RequestId = number & { readonly unit: 'request' }

/** What a writer wants done with a document. */
export type WriteAction =
  | { readonly type: 'send'; readonly message: string; readonly value: unknown }
  /** Creates the document by its definition; refused when it exists. */
  | { readonly type: 'create' }
  | { readonly type: 'delete' }

/** The writer port, what happened: the rim has checked the token and decoded the request. */
export type WriterInput = {
  readonly kind: 'write'
  readonly request: RequestId
  readonly doc: DocumentKey
  readonly action: WriteAction
  /** Idempotency key within (document, subject); undefined for none. */
  readonly id: string | undefined
  readonly subject: string
  readonly claims: Readonly<Record<string, unknown>>
  /** Whether the token allows that a first message creates the document. */
  readonly mayCreate: boolean
  /** The wall's time at the door, ms since 1970. */
  readonly timeMs: number
  /** Size of the frame or body it came in; without one it counts as nothing. */
  readonly bytes?: number | undefined
  /** Trace id of 16 bytes, where the request came with one. */
  readonly trace: Uint8Array | undefined
}

/** How a write ended. */
export type WriteAnswer =
  /** Durable, at this place of the log; the same for each time the same id is sent. */
  | { readonly kind: 'committed'; readonly epoch: number; readonly seq: number }
  | { readonly kind: 'rejected'; readonly code: ErrorCode; readonly message: string }

/** The writer port, what to do: each request is answered exactly once. */
export type WriterEffect = {
  readonly kind: 'write-answered'
  readonly request: RequestId
  readonly answer: WriteAnswer
}
