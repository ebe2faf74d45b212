import { sha256 } from '@fanfold/conformance'
import { encodeUtf8, toHex } from '@fanfold/kernel'
import type { SignedVariant } from '@fanfold/protocol'

/** A variant with this text, and its name. */
export function variantOf(text: string): {
  readonly name: string
  readonly variant: SignedVariant
} {
  const code = encodeUtf8(text)
  const hash = new Uint8Array(32)
  sha256(code, hash, 0)
  const variant = { hash, type: 'match', token: 'jwt', signature: new Uint8Array(64), code }
  return { name: toHex(hash), variant }
}
