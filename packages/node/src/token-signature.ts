/*
 * Signatures of tokens, verified at once.
 *
 * When thousands of viewers come back, each with a token, handing every signature to another thread and
 * waiting for it costs many times what a shared secret's takes here.
 */
import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'

/**
 * The payload of a compact token, as it was encoded, when it is signed with `key` by one of
 * `algorithms`; undefined for every other token, also for one that needs a closer look.
 */
export function signedPayload(
  token: string,
  key: KeyObject,
  algorithms: readonly string[],
): string | undefined {
  const parts = token.split('.')
  const [head, payload, signature] = parts
  if (parts.length !== 3 || head === undefined || payload === undefined) return undefined
  if (signature === undefined || !isPlainHead(head, algorithms)) return undefined
  const bytes = Buffer.from(signature, 'base64url')
  // One way of writing a signature: what else decodes to these bytes is not taken.
  if (bytes.toString('base64url') !== signature) return undefined
  const isSigned = isSignature(bytes, Buffer.from(`${head}.${payload}`), key)
  return isSigned ? payload : undefined
}

/** True for a header that names one of the algorithms and asks for nothing special. */
function isPlainHead(head: string, algorithms: readonly string[]): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString())
    if (typeof header !== 'object' || header === null || 'crit' in header) return false
    return 'alg' in header && algorithms.some(algorithm => algorithm === header.alg)
  } catch {
    return false
  }
}

function isSignature(bytes: Buffer, signed: Buffer, key: KeyObject): boolean {
  if (key.type !== 'secret') return verify(null, signed, key, bytes)
  const expected = createHmac('sha256', key).update(signed).digest()
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}
