/*
 * A position as a viewer carries it: where in the log its view stands, and which view that is, sealed.
 *
 *   plain     epoch (4) · seq (6) · first 16 bytes of the chain hash · tag (16) · salt (0 or 8)
 *   siv       first 16 bytes of SHA-256(viewKey ‖ 2 ‖ plain)
 *   keystream SHA-256(viewKey ‖ 0 ‖ siv) ‖ SHA-256(viewKey ‖ 1 ‖ siv)
 *   text      "2." base64url(siv ‖ plain xor keystream)
 *
 * The key comes with the document's definition: every edge of the fleet opens what another has sealed,
 * and no viewer reads a seq in it or makes one up. Sealing is deterministic, so that the frames of a
 * cohort are the same bytes for all. Where numbers are dense, each cohort has a salt of its own: two
 * positions that a viewer collects differ whether or not something hidden went by in between.
 * What does not open is as if no position had been given.
 */
import { canonicalJson, type JsonValue } from '@fanfold/document'
import {
  assert,
  concatBytes,
  encodeUtf8,
  equalBytes,
  fromHex,
  type Sha256,
  sha256Bytes,
} from '@fanfold/kernel'
import { ByteReader, type Position, type ResumePoint, writeUint32 } from '@fanfold/protocol'
import { decodeBase64Url, encodeBase64Url } from './base64url.ts'

/** A position that was opened. */
export type OpenedPoint = ResumePoint & {
  /** Which view it belongs to: of equal views at all edges the same. */
  readonly tag: Uint8Array
}

const prefix = '2.'
const sivBytes = 16
const hashPrefixBytes = 16
const tagBytes = 16
const plainBytes = 4 + 6 + hashPrefixBytes + tagBytes
/** Bytes of the salt, where there is one. */
export const pointSaltBytes = 8
const textLengths = [0, pointSaltBytes].map(
  salt => prefix.length + Math.ceil(((sivBytes + plainBytes + salt) * 4) / 3),
)

const noSalt = new Uint8Array(0)

/** What a hash under the key is for. */
const purpose = { keystream: [0, 1], siv: 2, tag: 3 } as const

/** Seals and opens the positions of one document. */
export class ResumePoints {
  readonly #sha256: Sha256
  readonly #key: Uint8Array
  /** The text opened last: many who come back at once hold the same one, and it is asked for twice. */
  #last: { readonly text: string; readonly point: OpenedPoint | undefined } | undefined

  /** @param viewKey the document's, in hexadecimal digits */
  constructor(sha256: Sha256, viewKey: string) {
    const key = fromHex(viewKey)
    assert(key !== undefined, 'a view key is hexadecimal digits')
    this.#sha256 = sha256
    this.#key = key
  }

  /** Names a view: of this variant, for this audience, with this view state. */
  tag(variant: string, audience: JsonValue, viewState: JsonValue | undefined): Uint8Array {
    const view = viewState === undefined ? [variant, audience] : [variant, audience, viewState]
    return this.#hash(purpose.tag, encodeUtf8(canonicalJson(view))).slice(0, tagBytes)
  }

  /** The text for a viewer whose view `tag` stands at `at`. */
  seal(at: Position, tag: Uint8Array, salt: Uint8Array = noSalt): string {
    const plain = new Uint8Array(plainBytes + salt.length)
    writeUint32(plain, 0, at.epoch)
    const high = Math.floor(at.seq / 0x1_0000_0000)
    plain[4] = high >>> 8
    plain[5] = high
    writeUint32(plain, 6, at.seq % 0x1_0000_0000)
    plain.set(at.hash.subarray(0, hashPrefixBytes), 10)
    plain.set(tag, 10 + hashPrefixBytes)
    plain.set(salt, plainBytes)
    const siv = this.#siv(plain)
    return prefix + encodeBase64Url(concatBytes([siv, this.#mask(plain, siv)]))
  }

  /** What a text says, or `undefined` when no edge has sealed it for this document. */
  open(text: string): OpenedPoint | undefined {
    if (!textLengths.includes(text.length) || !text.startsWith(prefix)) return undefined
    if (this.#last?.text !== text) this.#last = { text, point: this.#open(text) }
    return this.#last.point
  }

  #open(text: string): OpenedPoint | undefined {
    const bytes = decodeBase64Url(text.slice(prefix.length))
    if (bytes === undefined) return undefined
    const siv = bytes.subarray(0, sivBytes)
    const plain = this.#mask(bytes.subarray(sivBytes), siv)
    if (!equalBytes(this.#siv(plain), siv)) return undefined
    const reader = new ByteReader(plain)
    const epoch = reader.uint32()
    const seq = reader.uint16() * 0x1_0000_0000 + reader.uint32()
    return { epoch, seq, hashPrefix: reader.raw(hashPrefixBytes), tag: reader.raw(tagBytes) }
  }

  #siv(plain: Uint8Array): Uint8Array {
    return this.#hash(purpose.siv, plain).subarray(0, sivBytes)
  }

  #mask(bytes: Uint8Array, siv: Uint8Array): Uint8Array {
    const keystream = concatBytes(purpose.keystream.map(block => this.#hash(block, siv)))
    return bytes.map((byte, index) => byte ^ (keystream[index] as number))
  }

  #hash(what: number, bytes: Uint8Array): Uint8Array {
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(concatBytes([this.#key, Uint8Array.of(what), bytes]), digest, 0)
    return digest
  }
}
