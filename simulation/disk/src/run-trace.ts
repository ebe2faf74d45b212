import { createHash } from 'node:crypto'

/** Events kept in words. */
const recentMax = 200

/** Everything that happened, as one hash, and the last of it in words. */
export class RunTrace {
  readonly #hash = createHash('sha256')
  readonly #recent: string[] = []

  add(atMicros: number, what: string): void {
    const line = `${atMicros} ${what}`
    this.#hash.update(`${line}\n`)
    this.#recent.push(line)
    if (this.#recent.length > recentMax) this.#recent.shift()
  }

  /** The last events, one line each. */
  get recent(): readonly string[] {
    return this.#recent
  }

  /** The hash of all events so far, in hexadecimal. */
  get hash(): string {
    return this.#hash.copy().digest('hex')
  }
}
