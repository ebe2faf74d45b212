import type { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { limits } from './limits.ts'
import { badFrame } from './protocol-error.ts'

/**
 * An edge variant of a definition as it travels: its text, and who vouches for it.
 *
 * The signature is an authority's, over what `variantSigningBytes` gives; `token` is that
 * authority's link token, which the fleet signed. Both are empty where no link leaves the process.
 */
export type SignedVariant = {
  /** SHA-256 of `code`: the variant's name. */
  readonly hash: Uint8Array
  /** Type of the documents it is for. */
  readonly type: string
  readonly token: string
  readonly signature: Uint8Array
  /** A CommonJS module as UTF-8. */
  readonly code: Uint8Array
}

/** What an authority signs of a variant: a prefix of its own, the type and the hash. */
export const variantSigningBytes = (type: string, hash: Uint8Array): Uint8Array =>
  new ByteWriter().text('fanfold variant').text(type).raw(hash).finish()

const signatureBytesMax = 128

/** Appends a variant, to the end of a frame. */
export function writeVariant(writer: ByteWriter, variant: SignedVariant): ByteWriter {
  const { hash, type, token, signature, code } = variant
  writer.raw(hash).text(type).text(token)
  return writer.uint16(signature.length).raw(signature).raw(code)
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` */
export function readVariant(reader: ByteReader): SignedVariant {
  const hash = reader.raw(32)
  const type = reader.text(limits.keyBytesMax.value)
  const token = reader.text(limits.helloTextBytesMax.value)
  const signature = readSignature(reader)
  const { value: bytesMax } = limits.variantBytesMax
  if (reader.remaining > bytesMax) {
    badFrame(`a variant of at most ${bytesMax} bytes, got ${reader.remaining}`)
  }
  return { hash, type, token, signature, code: reader.rest() }
}

/** A signature behind its length. */
export function readSignature(reader: ByteReader): Uint8Array {
  const length = reader.uint16()
  if (length > signatureBytesMax) badFrame(`a signature of at most ${signatureBytesMax} bytes`)
  return reader.raw(length)
}
