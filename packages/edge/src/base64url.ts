const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const values = new Map([...digits].map((digit, value) => [digit, value]))

/** The base64url text (RFC 4648, section 5) of `bytes`, without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += digits[(held >> bits) & 0x3f]
    }
    held &= 0xff
  }
  return bits > 0 ? text + digits[(held << (6 - bits)) & 0x3f] : text
}

/** The bytes of a base64url text, or `undefined` when `encodeBase64Url` does not write it. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8))
  let count = 0
  let bits = 0
  let held = 0
  for (const digit of text) {
    const value = values.get(digit)
    if (value === undefined) return undefined
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[count++] = held >> bits
  }
  return encodeBase64Url(bytes) === text ? bytes : undefined
}
