/*
 * Markers: texts of 16 bytes that occur nowhere else, and every form in which one may be hidden in
 * bytes. Whoever finds none of the forms has not been sent the text, nor its unsalted digest.
 */
import { createHash, randomBytes } from 'node:crypto'

/** Bytes of a marker. */
export const markerBytes = 16

/** A new marker: digits and letters. */
export const newMarker = (): string => randomBytes(8).toString('hex')

/** The forms of `marker` that are found in `bytes`, by name. */
export function formsFound(bytes: Buffer, marker: string): string[] {
  return [...formsOf(marker)].filter(([, form]) => bytes.includes(form)).map(([name]) => name)
}

/** Every form of a marker, by name. */
export function formsOf(marker: string): Map<string, Buffer> {
  if (Buffer.byteLength(marker) !== markerBytes) {
    throw new Error(`a marker has ${markerBytes} bytes, got ${marker}`)
  }
  const forms = new Map(encodings('text', Buffer.from(marker)))
  for (const digit of ['lower', 'upper'] as const) {
    forms.set(`text, escaped, ${digit}`, Buffer.from(escaped(marker, digit)))
  }
  for (const algorithm of ['sha256', 'sha1', 'md5']) {
    for (const [name, text] of [
      ['text', marker],
      ['JSON', JSON.stringify(marker)],
    ] as const) {
      const digest = createHash(algorithm).update(text).digest()
      for (const [form, bytes] of encodings(`${algorithm} of ${name}`, digest)) {
        forms.set(form, bytes)
      }
    }
  }
  return forms
}

function* encodings(name: string, bytes: Buffer): Generator<[string, Buffer]> {
  yield [name, bytes]
  yield [`${name}, hex`, Buffer.from(bytes.toString('hex'))]
  yield [`${name}, HEX`, Buffer.from(bytes.toString('hex').toUpperCase())]
  for (const encoding of ['base64', 'base64url'] as const) {
    for (const offset of [0, 1, 2]) {
      yield [`${name}, ${encoding} at ${offset}`, Buffer.from(aligned(bytes, encoding, offset))]
    }
  }
}

/** What base64 makes of `bytes` with `offset` bytes in front, without what depends on neighbours. */
function aligned(bytes: Buffer, encoding: 'base64' | 'base64url', offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(encoding)
  const begin = Math.ceil((offset * 8) / 6)
  const end = Math.floor(((offset + bytes.length) * 8) / 6)
  return text.slice(begin, end)
}

function escaped(text: string, digits: 'lower' | 'upper'): string {
  const hex = (code: number): string => {
    const four = code.toString(16).padStart(4, '0')
    return digits === 'lower' ? four : four.toUpperCase()
  }
  return [...text].map(char => `\\u${hex(char.charCodeAt(0))}`).join('')
}
