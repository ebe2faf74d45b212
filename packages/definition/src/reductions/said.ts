/* A value of a message as it was said, kept as it is: its JSON text, within a bound. */
import { canonicalJson, type JsonValue } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import { type ByteReader, type ByteWriter, badFrame } from '@fanfold/protocol'

/** The JSON text of a value that is kept. */
export type SaidText = string

/** @throws RangeError when its JSON has more than `bytesMax` bytes of UTF-8 */
export function saidText(value: unknown, bytesMax: number): SaidText {
  // What the schema of a message lets through came as JSON.
  const text = canonicalJson(value as JsonValue)
  if (text.length <= bytesMax && encodeUtf8(text).length <= bytesMax) return text
  throw new RangeError(`a value of at most ${bytesMax} bytes of JSON`)
}

/** The value again. */
export const saidValue = <Value>(text: SaidText): Value => JSON.parse(text) as Value

/** The text behind its length. */
export function writeSaid(writer: ByteWriter, text: SaidText): void {
  writer.text(text)
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when it is no JSON of at most `bytesMax` bytes */
export function readSaid(reader: ByteReader, bytesMax: number): SaidText {
  const text = reader.text(bytesMax)
  try {
    if (canonicalJson(JSON.parse(text) as JsonValue) === text) return text
  } catch {
    // Told below, as for another text of the same value.
  }
  return badFrame('what was said is canonical JSON')
}
