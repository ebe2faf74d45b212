/*
 * Everything that happened in a world, as one hash: two runs did the same exactly when their hashes
 * are equal.
 *
 * Events are written into a block; a full block is hashed together with the hash before it. The last
 * events are kept in words beside it, for whoever must explain a failure. Nearly all texts are ASCII and go
 * into the block character by character: an event is short, and there are many.
 */
import { encodeUtf8, type Instant, type Sha256, sha256Bytes, toHex } from '@fanfold/kernel'

const blockBytes = 65_536
/** Events kept in words. */
const recentMax = 200
const zero = 0x30
const asciiEnd = 0x80

/** The record of one run. */
export class Trace {
  readonly #sha256: Sha256
  /** The hash so far, and behind it what it does not cover yet. */
  readonly #block = new Uint8Array(blockBytes)
  #length = sha256Bytes
  /** Event n is at n modulo `recentMax`. */
  readonly #recent: { at: Instant; who: string; what: string }[] = []
  #events = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Adds an event: `what` happened to `who`, with these bytes. */
  add(at: Instant, who: string, what: string, bytes?: Uint8Array): void {
    this.#writeNumber(at)
    this.#writeText(' ')
    this.#writeText(who)
    this.#writeText(' ')
    this.#writeText(what)
    this.#writeText(' ')
    this.#writeNumber(bytes?.length ?? 0)
    this.#writeText('\n')
    if (bytes !== undefined) this.#write(bytes)
    const slot = this.#recent[this.#events++ % recentMax]
    if (slot === undefined) {
      this.#recent.push({ at, who, what })
      return
    }
    slot.at = at
    slot.who = who
    slot.what = what
  }

  /** The hash of all events so far, in hexadecimal. */
  hash(): string {
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(this.#block.subarray(0, this.#length), digest, 0)
    return toHex(digest)
  }

  /** The last events, one line each. */
  recent(): string[] {
    const oldest = this.#events < recentMax ? 0 : this.#events % recentMax
    return [...this.#recent.slice(oldest), ...this.#recent.slice(0, oldest)].map(
      ({ at, who, what }) => `${at} ${who}: ${what}`,
    )
  }

  #writeNumber(value: number): void {
    if (value < 10) {
      this.#writeByte(zero + value)
      return
    }
    this.#writeNumber(Math.floor(value / 10))
    this.#writeByte(zero + (value % 10))
  }

  #writeText(text: string): void {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code >= asciiEnd) {
        this.#write(encodeUtf8(text.slice(index)))
        return
      }
      this.#writeByte(code)
    }
  }

  #writeByte(byte: number): void {
    this.#block[this.#length++] = byte
    if (this.#length === blockBytes) this.#fold()
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length < blockBytes - this.#length) {
      this.#block.set(bytes, this.#length)
      this.#length += bytes.length
      return
    }
    for (let offset = 0; offset < bytes.length; ) {
      const end = Math.min(bytes.length, offset + blockBytes - this.#length)
      this.#block.set(bytes.subarray(offset, end), this.#length)
      this.#length += end - offset
      offset = end
      if (this.#length === blockBytes) this.#fold()
    }
  }

  #fold(): void {
    this.#sha256(this.#block, this.#block, 0)
    this.#length = sha256Bytes
  }
}
