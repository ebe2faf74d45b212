import type { ErrorCode } from './error-code.ts'

/**
 * The peer broke the protocol.
 *
 * Thrown by decoders only, and caught once by the owner of the connection, which answers with `code`
 * and closes when the code says so.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The throw of a decoder that met a field which is not what it must be. */
export function badFrame(message: string): never {
  throw new ProtocolError('FANFOLD_BAD_FRAME', message)
}
