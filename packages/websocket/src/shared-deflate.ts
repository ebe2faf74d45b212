/*
 * Compression once: what goes to many is deflated once, for all who negotiated it, whoever is first.
 *
 * Each message is compressed for itself (no context takeover), so that the same bytes serve everybody, however
 * long each has been here. What a payload shrinks to is kept with it, as long as somebody holds that:
 * newcomers are sent what the cohort was sent before.
 */
import { constants, deflateRawSync } from 'node:zlib'

/** Payloads of fewer bytes gain nothing worth the work. */
const payloadBytesMin = 192
/** Longer ones hold the loop up for too long: this many take some 3 ms. */
const payloadBytesMax = 1_048_576
/** What does not shrink to so much of its size is sent as it is: readers would inflate it for nothing. */
const worthwhileShare = 0.9
/** Higher levels take up to three times as long for a few per cent. */
const level = 3
/** What a flush ends with; who inflates puts it back (RFC 7692, 7.2.1). */
const flushTrailerBytes = 4

/** What was deflated so far, each payload once. */
export type DeflateStats = {
  /** Bytes before. */
  readonly plainBytes: number
  /** Bytes that went out in their place. */
  readonly deflatedBytes: number
}

/** Payloads, and what they were deflated to. */
export class SharedDeflate {
  /** `undefined` where it does not pay. */
  readonly #deflated = new WeakMap<Uint8Array, Buffer | undefined>()
  #plainBytes = 0
  #deflatedBytes = 0

  /** What to send in place of the payload, as a compressed message; undefined where it had better go as it is. */
  of(payload: Uint8Array): Buffer | undefined {
    const { length } = payload
    if (length < payloadBytesMin || length > payloadBytesMax) return undefined
    if (this.#deflated.has(payload)) return this.#deflated.get(payload)
    const bytes = deflateMessage(payload)
    const deflated = bytes.length <= worthwhileShare * length ? bytes : undefined
    this.#deflated.set(payload, deflated)
    this.#plainBytes += length
    this.#deflatedBytes += deflated?.length ?? length
    return deflated
  }

  /** Numbers for metrics. */
  stats(): DeflateStats {
    return { plainBytes: this.#plainBytes, deflatedBytes: this.#deflatedBytes }
  }
}

function deflateMessage(payload: Uint8Array): Buffer {
  const bytes = deflateRawSync(payload, { level, finishFlush: constants.Z_SYNC_FLUSH })
  return bytes.subarray(0, bytes.length - flushTrailerBytes)
}
