/*
 * One document of a store: what it knows of its log, and its effects that must come one after the other.
 */
import { assert, copyBytes } from '@fanfold/kernel'
import type { DocumentKey, Position } from '@fanfold/protocol'
import { RangeSize } from './log-entries.ts'
import { type LogKeys, logKeysOf } from './log-keys.ts'

/** A document that somebody uses; the store forgets it when it is closed and nothing waits. */
export class DocumentLog {
  readonly doc: DocumentKey
  /** How large its records are, as far as they were read. */
  readonly size: RangeSize = new RangeSize()
  readonly #prefix: string
  #position: Position | undefined
  #isAppending = false
  #waiting = 0
  #last: Promise<void> = Promise.resolve()

  constructor(prefix: string, doc: DocumentKey) {
    this.#prefix = prefix
    this.doc = doc
  }

  /** Made when they are needed: most documents wait for months. */
  get keys(): LogKeys {
    return logKeysOf(this.#prefix, this.doc)
  }

  /** After the last record that is durable, as far as this store was told; undefined while not open. */
  get position(): Position | undefined {
    return this.#position
  }

  /** True when nothing of it is of use any more. */
  get isIdle(): boolean {
    return this.#position === undefined && this.#waiting === 0
  }

  /** The log was read up to there, or appended to. */
  moveTo({ epoch, seq, hash }: Position): void {
    this.#position = { epoch, seq, hash: copyBytes(hash) }
  }

  /** The document is closed. */
  forget(): void {
    this.#position = undefined
  }

  /** Does some work behind what was begun before. */
  async behind<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting++
    const before = this.#last
    const result = (async () => {
      await before
      return await work()
    })()
    const done = (): void => {
      this.#waiting--
    }
    // Its failure is the caller's, and ends the process.
    this.#last = result.then(done, done)
    return await result
  }

  /** An append is in flight from here on. */
  beginAppend(): void {
    assert(!this.#isAppending, `one append of ${this.doc} is in flight at a time`)
    this.#isAppending = true
  }

  /** It is answered. */
  endAppend(): void {
    this.#isAppending = false
  }

  /** @throws AssertionError while an append is in flight */
  requireQuiet(): void {
    assert(!this.#isAppending, `no append of ${this.doc} is in flight at log-close`)
  }
}
