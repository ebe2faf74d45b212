import type { ErrorCode } from '@fanfold/protocol'

/** Codes of errors that arise in the client itself; all others come from the server, as they are. */
export const clientErrorCodes = {
  FANFOLD_BAD_OPTION: 'an option of the client that is not what it must be',
  FANFOLD_NO_WEBSOCKET: 'there is no WebSocket here, and none was passed',
  FANFOLD_CLOSED: 'the connection was closed, by this program or for good by the server',
  FANFOLD_LEFT: 'the server ended the observation',
  FANFOLD_UNREACHABLE: 'the address that a document moved to does not answer',
  FANFOLD_CONNECTION_FAILED: 'an attempt to connect failed; the next one follows',
  FANFOLD_GAP: 'a delta did not fit the view; the document is observed again',
  FANFOLD_NO_ANSWER: 'a document did not come within the time that was given for it',
  FANFOLD_TOO_MANY_LINES: 'more sockets than one connection may hold',
  FANFOLD_TOO_MANY_IN_FLIGHT: 'more sends, or more of their bytes, wait for their answers than may',
  FANFOLD_NOT_SENT: 'the deadline passed before the message could be sent; nothing was done',
  FANFOLD_UNKNOWN_OUTCOME: 'the message was sent and not answered in time; it may be committed',
} as const

/** A code of the client itself. */
export type ClientErrorCode = keyof typeof clientErrorCodes

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
