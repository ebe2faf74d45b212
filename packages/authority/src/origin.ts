/*
 * Three texts, each UTF-8 behind its length in one byte: the subject, the id, the message's name.
 */
import { assert, decodeUtf8, encodeUtf8 } from '@fanfold/kernel'
import { ByteReader, ByteWriter, badFrame, ProtocolError } from '@fanfold/protocol'

/** Who sent the message behind a record: what the part that only authorities keep says. */
export type Origin = {
  /** The token's subject, at most 255 bytes; empty for the authority itself. */
  readonly by: string
  /** Idempotency id of 1 to 128 bytes, where the writer gave one. */
  readonly id: string | undefined
  /** Name of the message; undefined for a record that no message made. */
  readonly message: string | undefined
}

/** The part's payload. */
export function encodeOrigin(origin: Origin): Uint8Array {
  const writer = new ByteWriter(64)
  for (const text of [origin.by, origin.id ?? '', origin.message ?? '']) {
    const bytes = encodeUtf8(text)
    assert(bytes.length <= 0xff, `a text of an origin has at most 255 bytes, got ${bytes.length}`)
    writer.uint8(bytes.length).raw(bytes)
  }
  return writer.finish()
}

/** What the payload says, or `undefined` when it is not an origin. */
export function decodeOrigin(payload: Uint8Array): Origin | undefined {
  try {
    const reader = new ByteReader(payload)
    const by = readText(reader)
    const id = readText(reader)
    const message = readText(reader)
    if (reader.remaining > 0) return undefined
    return { by, id: id || undefined, message: message || undefined }
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function readText(reader: ByteReader): string {
  const bytes = reader.raw(reader.uint8())
  return decodeUtf8(bytes) ?? badFrame('a text is well-formed UTF-8')
}
