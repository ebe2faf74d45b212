/*
 * One document of a store: what it knows of its log, and its effects that must come one after the other.
 */
import { assert, copyBytes } from '@fanfold/kernel'
import type { DocumentKey, LogRecord, Position } from '@fanfold/protocol'
import { RangeSize } from './log-entries.ts'
import { type LogKeys, logKeysOf } from './log-keys.ts'

/** A log that another store writes and this one follows: how far it was told, and whether it goes on. */
export class Following {
  /** After the last record that was told; undefined until the first of it was read. */
  position: Position | undefined
  /** It is closed: nothing more is told. */
  isOver = false
  /** It is to be opened, and is not looked at any more. */
  isTaken = false
  /** It was refused, which answers whatever is asked of it until it is closed. */
  isRefused = false
  /** What it lacks is being read. */
  isReading = false

  /** These were told. */
  toldTo(records: readonly LogRecord[]): void {
    const last = records.at(-1)
    if (last === undefined) return
    this.position = { epoch: last.epoch, seq: last.seq, hash: copyBytes(last.chainHash) }
  }
}

/** A document that somebody uses; the store forgets it when it is closed and nothing waits. */
export class DocumentLog {
  readonly doc: DocumentKey
  /** How large its records are, as far as they were read. */
  readonly size: RangeSize = new RangeSize()
  readonly #prefix: string
  #position: Position | undefined
  #following: Following | undefined
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
    return this.#position === undefined && this.#following === undefined && this.#waiting === 0
  }

  /** The log was read up to there, or appended to. */
  moveTo({ epoch, seq, hash }: Position): void {
    this.#position = { epoch, seq, hash: copyBytes(hash) }
  }

  /** The document is closed. */
  forget(): void {
    this.#position = undefined
    // It may be followed again already.
    if (this.#following?.isOver === true) this.#following = undefined
  }

  /** How the log is followed; undefined while it is not, and when that is over. */
  get followed(): Following | undefined {
    return this.#following?.isOver === true ? undefined : this.#following
  }

  /** The log is followed from here on. */
  follow(): Following {
    assert(this.followed === undefined, `${this.doc} is followed once until it is opened or closed`)
    this.#following = new Following()
    return this.#following
  }

  /** The log is opened: it is this store's to write, and followed no more. */
  endFollowing(): void {
    this.#following = undefined
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
