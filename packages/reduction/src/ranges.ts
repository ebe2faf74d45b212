/*
 * Which windows of which sessions something covers: the manifest of an aggregate. A range is of one session, has
 * its windows `after` (not it) to `upTo`, and the ranges of a manifest are in the order of their sessions.
 */
import { ByteReader, ByteWriter, badFrame } from '@fanfold/protocol'
import { crowdLimits } from './crowd-limits.ts'

/** Windows `after` + 1 to `upTo` of a session. */
export type Range = {
  /** From the log, 1 … 2⁵³ − 1; never used again. */
  readonly session: number
  readonly after: number
  readonly upTo: number
}

/** How far the authority has counted a session. */
export type Standing = {
  readonly session: number
  /**
   * `open`: it may go on after `upTo`. `sealed`: what is up to `upTo` is counted, and nothing more will be. `unknown`: what
   * was counted is not known any more, and nothing more will be.
   */
  readonly state: 'open' | 'sealed' | 'unknown'
  /** The last window that is counted; 0 for none, and where it is not known. */
  readonly upTo: number
}

const states = ['open', 'sealed', 'unknown'] as const

/** Ranges as a manifest has them: in the order of their sessions. */
export const sorted = (ranges: readonly Range[]): Range[] =>
  ranges.toSorted((a, b) => a.session - b.session)

export function writeRanges(writer: ByteWriter, ranges: readonly Range[]): void {
  writer.varint(ranges.length)
  let before = 0
  for (const { session, after, upTo } of ranges) {
    // Sessions that were begun together lie together: the step from one to the next is short.
    writer
      .varint(session - before)
      .varint(after)
      .varint(upTo - after)
    before = session
  }
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when they are not in order, not ranges, or too many */
export function readRanges(reader: ByteReader): Range[] {
  return readSessions(reader, session => {
    const after = reader.varint()
    const count = reader.varint()
    const upTo = after + count
    if (count === 0 || !Number.isSafeInteger(upTo)) badFrame('a range of at least one window')
    return { session, after, upTo }
  })
}

/** Standings as bytes. */
export function encodeStandings(standings: readonly Standing[]): Uint8Array {
  const writer = new ByteWriter(8 + standings.length * 8)
  writer.varint(standings.length)
  let before = 0
  for (const { session, state, upTo } of standings) {
    writer
      .varint(session - before)
      .uint8(states.indexOf(state))
      .varint(upTo)
    before = session
  }
  return writer.finish()
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when they are not in order, not standings, or too many */
export function decodeStandings(bytes: Uint8Array): Standing[] {
  const reader = new ByteReader(bytes)
  const standings = readSessions(reader, session => {
    const state = states[reader.uint8()] ?? badFrame('a state of a session')
    return { session, state, upTo: reader.varint() }
  })
  if (reader.remaining > 0) badFrame('standings end where their bytes do')
  return standings
}

function readSessions<Item>(reader: ByteReader, read: (session: number) => Item): Item[] {
  const count = reader.varint()
  if (count > crowdLimits.rangesMax) {
    badFrame(`at most ${crowdLimits.rangesMax} sessions, got ${count}`)
  }
  const items: Item[] = []
  let session = 0
  for (let at = 0; at < count; at++) {
    const step = reader.varint()
    session += step
    if (step === 0 || !Number.isSafeInteger(session)) badFrame('sessions in rising order')
    items.push(read(session))
  }
  return items
}
