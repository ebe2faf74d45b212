/*
 * The authority's memory of what it has counted of each edge, part of the document's log: a record that says
 * "windows 4 to 6 of session 17" says it together with the change that their sum has made, so that both are
 * there or neither is. An aggregate counts when it begins for each of its sessions where the ledger stands; else
 * nothing of it does, and who sent it is told where that is.
 */
import { ByteReader, ByteWriter, badFrame } from '@fanfold/protocol'
import { crowdLimits } from './crowd-limits.ts'
import { type Range, readRanges, type Standing, writeRanges } from './ranges.ts'

/** What a record says of sessions. */
export type LedgerEntry = {
  /** These sessions are begun. */
  readonly opened: readonly number[]
  /** These are counted no further. */
  readonly sealed: readonly number[]
  /** These windows are counted. */
  readonly counted: readonly Range[]
}

/** The sessions of one document. */
export class Ledger {
  /** The last window that is counted, by session. */
  readonly #open = new Map<number, number>()
  /** The same of those that are sealed, in the order in which they were. */
  readonly #sealed = new Map<number, number>()

  /** Sessions that may go on. */
  get openCount(): number {
    return this.#open.size
  }

  /** Sessions that may go on, in the order in which they were begun. */
  get open(): IterableIterator<number> {
    return this.#open.keys()
  }

  /** Whether it was begun and may go on. */
  isOpen(session: number): boolean {
    return this.#open.has(session)
  }

  /** Whether this can be counted now, all of it. */
  takes(ranges: readonly Range[]): boolean {
    return ranges.every(({ session, after }) => this.#open.get(session) === after)
  }

  /** How many of so many more sessions can be begun. */
  roomFor(count: number): number {
    return Math.min(count, crowdLimits.sessionsMax - this.#open.size)
  }

  /** How far each of these sessions is. */
  standingsOf(sessions: readonly number[]): Standing[] {
    return sessions.map(session => this.#standingOf(session))
  }

  /** Whether it was begun, as far as that is remembered. */
  knows(session: number): boolean {
    return this.#open.has(session) || this.#sealed.has(session)
  }

  /**
   * What a record says is so from now on.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when it does not follow from what was so
   */
  enter({ opened, sealed, counted }: LedgerEntry): void {
    if (this.roomFor(opened.length) < opened.length)
      badFrame('no more sessions than there is room for')
    if (!this.takes(counted)) badFrame('windows that follow those that are counted')
    if (!sealed.every(session => this.isOpen(session))) badFrame('sessions that are open')
    for (const session of opened) {
      if (session === 0 || this.knows(session)) badFrame('a session that was not begun before')
      this.#open.set(session, 0)
    }
    for (const { session, upTo } of counted) this.#open.set(session, upTo)
    for (const session of sealed) {
      this.#sealed.set(session, this.#open.get(session) ?? 0)
      this.#open.delete(session)
    }
    for (const session of this.#sealed.keys()) {
      if (this.#sealed.size <= crowdLimits.sealedMax) break
      this.#sealed.delete(session)
    }
  }

  /** All of it, for a snapshot. */
  encode(): Uint8Array {
    const writer = new ByteWriter(64 + this.#open.size * 10)
    for (const sessions of [this.#open, this.#sealed]) {
      writer.varint(sessions.size)
      for (const [session, upTo] of sessions) writer.varint(session).varint(upTo)
    }
    return writer.finish()
  }

  /** @throws ProtocolError `FANFOLD_BAD_FRAME` when it is none */
  static decode(bytes: Uint8Array): Ledger {
    const reader = new ByteReader(bytes)
    const ledger = new Ledger()
    const bounds = [crowdLimits.sessionsMax, crowdLimits.sealedMax]
    for (const [at, sessions] of [ledger.#open, ledger.#sealed].entries()) {
      const count = reader.varint()
      if (count > (bounds[at] ?? 0)) badFrame(`no more sessions than ${bounds[at]}, got ${count}`)
      for (let left = count; left > 0; left--) {
        const session = reader.varint()
        if (session === 0 || ledger.knows(session)) badFrame('sessions, each once')
        sessions.set(session, reader.varint())
      }
    }
    if (reader.remaining > 0) badFrame('a ledger ends where its bytes do')
    return ledger
  }

  #standingOf(session: number): Standing {
    const open = this.#open.get(session)
    if (open !== undefined) return { session, state: 'open', upTo: open }
    const sealed = this.#sealed.get(session)
    if (sealed !== undefined) return { session, state: 'sealed', upTo: sealed }
    return { session, state: 'unknown', upTo: 0 }
  }
}

/** What a record says, as its part for the crowd. */
export function encodeEntry({ opened, sealed, counted }: LedgerEntry): Uint8Array {
  const writer = new ByteWriter(64)
  for (const sessions of [opened, sealed]) {
    writer.varint(sessions.length)
    for (const session of sessions) writer.varint(session)
  }
  writeRanges(writer, counted)
  return writer.finish()
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when it is none */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  const reader = new ByteReader(bytes)
  const opened = readSessions(reader, crowdLimits.askedMax)
  const sealed = readSessions(reader, crowdLimits.rangesMax)
  const counted = readRanges(reader)
  if (reader.remaining > 0) badFrame('an entry ends where its bytes do')
  return { opened, sealed, counted }
}

function readSessions(reader: ByteReader, max: number): number[] {
  const count = reader.varint()
  if (count > max) badFrame(`at most ${max} sessions, got ${count}`)
  return Array.from({ length: count }, () => reader.varint())
}
