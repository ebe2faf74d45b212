/** How an error code ends a WebSocket: with which close code and which text. */
import { type CloseReason, closeCodes, type ErrorCode, meaningOf } from '@fanfold/protocol'

/** Bytes of UTF-8 that a close frame's text may have (RFC 6455, 5.5 and 5.5.1). */
const closeTextBytesMax = 123

/** The row of the close table for a connection that ends because of `code`. */
export function closeReasonFor(code: ErrorCode): CloseReason {
  const meaning = meaningOf(code)
  if (meaning.close !== undefined) return closeCodes[meaning.close]
  if (code === 'FANFOLD_MOVED') return closeCodes.moved
  if (code === 'FANFOLD_FORBIDDEN') return closeCodes.forbidden
  return meaning.retry ? closeCodes.overloaded : closeCodes['bad-frame']
}

/** `text`, cut between code points so that it fits in a close frame. */
export function closeText(text: string): string {
  if (Buffer.byteLength(text) <= closeTextBytesMax) return text
  let cut = ''
  let bytes = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > closeTextBytesMax) break
    cut += character
  }
  return cut
}

/** The name of a close code in the table, or `lost` for any other: a broken connection has none. */
export function closeNameOf(code: number): string {
  for (const [name, reason] of Object.entries(closeCodes)) {
    if (reason.code === code) return name
  }
  return code === 1009 ? 'frame-too-large' : 'lost'
}

/** Counts of what connections ended with, by name: close names, error codes, and a few of our own. */
export class CloseCounts {
  readonly #counts = new Map<string, number>()

  /** One more connection that ended by `name`, which must come from a table and not from a peer. */
  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** A copy. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
