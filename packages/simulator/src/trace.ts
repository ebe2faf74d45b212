/*
 * Everything that happened in a world, as one hash: two runs did the same exactly when their hashes
 * are equal.
 *
 * Events are written into a block; a full block is hashed together with the hash before it. The last
 * events are kept in words beside it, for whoever must explain a failure.
 */
import {
  assert,
  BoundedQueue,
  encodeUtf8,
  type Instant,
  type Sha256,
  sha256Bytes,
  toHex,
} from '@fanfold/kernel'

const blockBytes = 65_536
/** Events kept in words. */
const recentMax = 200

/** The record of one run. */
export class Trace {
  readonly #sha256: Sha256
  /** The hash so far, and behind it what it does not cover yet. */
  readonly #block = new Uint8Array(blockBytes)
  #length = sha256Bytes
  readonly #recent = new BoundedQueue<{ at: Instant; who: string; what: string }>(recentMax)

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Adds an event: `what` happened to `who`, with these bytes. */
  add(at: Instant, who: string, what: string, bytes?: Uint8Array): void {
    this.#write(encodeUtf8(`${at} ${who} ${what} ${bytes?.length ?? 0}\n`))
    if (bytes !== undefined) this.#write(bytes)
    if (this.#recent.count === recentMax) this.#recent.shift()
    assert(this.#recent.push({ at, who, what }), 'there is room for one event')
  }

  /** The hash of all events so far, in hexadecimal. */
  hash(): string {
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(this.#block.subarray(0, this.#length), digest, 0)
    return toHex(digest)
  }

  /** The last events, one line each. */
  recent(): string[] {
    const lines: string[] = []
    for (let index = 0; index < this.#recent.count; index++) {
      const event = this.#recent.at(index)
      if (event !== undefined) lines.push(`${event.at} ${event.who}: ${event.what}`)
    }
    return lines
  }

  #write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      const end = Math.min(bytes.length, offset + blockBytes - this.#length)
      this.#block.set(bytes.subarray(offset, end), this.#length)
      this.#length += end - offset
      offset = end
      if (this.#length === blockBytes) {
        this.#sha256(this.#block, this.#block, 0)
        this.#length = sha256Bytes
      }
    }
  }
}
