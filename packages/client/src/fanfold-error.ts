import type { ErrorCode } from '@fanfold/protocol'

/** Codes of errors that arise in the client itself; all others come from the server, as they are. */
export type ClientErrorCode =
  /** An option of the client that is not what it must be. */
  | 'FANFOLD_BAD_OPTION'
  /** There is no WebSocket here, and none was passed. */
  | 'FANFOLD_NO_WEBSOCKET'
  /** The connection was closed, by this program or for good by the server. */
  | 'FANFOLD_CLOSED'
  /** The server ended the observation. */
  | 'FANFOLD_LEFT'
  /** The address that a document moved to does not answer. */
  | 'FANFOLD_UNREACHABLE'
  /** An attempt to connect failed; the next one follows. */
  | 'FANFOLD_CONNECTION_FAILED'
  /** A delta, or a piece of a snapshot, did not fit; the document is observed again. */
  | 'FANFOLD_GAP'
  /** A document did not come within the time that was given for it. */
  | 'FANFOLD_NO_ANSWER'
  /** More sockets than one connection may hold. */
  | 'FANFOLD_TOO_MANY_LINES'
  /** More sends, or more of their bytes, wait for their answers than may. */
  | 'FANFOLD_TOO_MANY_IN_FLIGHT'
  /** The deadline passed before the message could be sent; nothing was done. */
  | 'FANFOLD_NOT_SENT'
  /** The message was sent and not answered in time; it may be committed. */
  | 'FANFOLD_UNKNOWN_OUTCOME'

/** Where an error belongs to. */
export type FanfoldErrorOptions = {
  readonly doc?: string | undefined
  readonly cause?: unknown
}

/** What went wrong, with a stable code; the message is for people. */
export class FanfoldError extends Error {
  override readonly name: string = 'FanfoldError'
  readonly code: ErrorCode | ClientErrorCode
  /** The document it is about, when it is about one. */
  readonly doc: string | undefined

  constructor(
    code: ErrorCode | ClientErrorCode,
    message: string,
    options: FanfoldErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.doc = options.doc
  }
}

/**
 * There is no token, and there will be none: thrown by the application's `token()` it ends the
 * connection, where any other throw is tried again.
 */
export class Unauthorized extends FanfoldError {
  override readonly name = 'Unauthorized'

  constructor(message = 'no token', options: FanfoldErrorOptions = {}) {
    super('FANFOLD_UNAUTHORIZED', message, options)
  }
}
