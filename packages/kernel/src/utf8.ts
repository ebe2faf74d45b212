// Both classes exist in Node and in every browser; a pure package has the types of neither.
declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}

const encoder = new TextEncoder()
// A byte order mark is part of the text: decoding and encoding again must give the same bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to this length a text is written here: a call of the encoder takes longer. */
const shortMax = 64
const asciiEnd = 0x80

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const { length } = text
  if (length > shortMax) return encoder.encode(text)
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code >= asciiEnd) return encoder.encode(text)
    bytes[index] = code
  }
  return bytes
}

/** The text of UTF-8 `bytes`, or `undefined` when they are not well-formed. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
