/*
 * What tests of one hop are made of: records in a chain, instants, links, frames out of effects.
 */
import { buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type Snapshot } from '@fanfold/document'
import { type Instant, instant, milliseconds } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  LogRecord,
  type Position,
  parseDocumentKey,
} from '@fanfold/protocol'
import type { RecordRing, RingLimits } from '../src/record-ring.ts'

/** The document of the tests. */
export const doc: DocumentKey = parseDocumentKey('acme/match/final')

/** So many milliseconds after the start. */
export const at = (ms: number): Instant => instant(Math.round(ms * 1_000))

/** A link of the test. */
export const link = (number: number): LinkId => number as LinkId

/** Bounds that no test reaches unless it says so. */
export const ringLimits = (limits: Partial<RingLimits> = {}): RingLimits => ({
  recordsMax: 1_000,
  bytesMax: 1_000_000,
  ageMax: milliseconds(60_000),
  ...limits,
})

/** The records of a log with this many, from the first. */
export const recordsOf = (count: number, seed?: string): readonly LogRecord[] =>
  buildLog({ doc, count, seed }).records

/** The position after a record; before the first one without. */
export const after = (record: LogRecord | undefined): Position =>
  record === undefined
    ? { epoch: 0, seq: 0, hash: new Uint8Array(32) }
    : { epoch: record.epoch, seq: record.seq, hash: record.chainHash }

/** After the last record of a ring. */
export function headOf(ring: RecordRing): Position {
  const last = ring.get(ring.lastSeq)
  return last === undefined ? ring.base : after(last)
}

/** A snapshot at `position` whose state takes about so many bytes, in pieces where it must. */
export const snapshotAt = (position: Position, bytes = 0): Snapshot => {
  const rows: { [row: string]: string } = {}
  for (let row = 0; row * 1_000 < bytes; row++) rows[`r${row}`] = 'x'.repeat(990)
  return encodeSnapshot({
    at: position,
    state: { n: position.seq, rows },
    definition: undefined,
    sha256,
  })
}

/** The frames sent to a link, or to all. */
export const framesOf = (effects: readonly LinkEffect[], to?: LinkId): LinkFrame[] =>
  bytesOf(effects, to).flatMap(bytes => decodeLinkFrame(bytes) ?? [])

/** The same as bytes. */
export const bytesOf = (effects: readonly LinkEffect[], to?: LinkId): Uint8Array[] =>
  effects.flatMap(effect =>
    effect.kind === 'link-send' && (to === undefined || effect.link === to) ? [effect.frame] : [],
  )

/** The signals sent to a link, or to all, with their keys. */
export const signalsOf = (
  effects: readonly LinkEffect[],
  to?: LinkId,
): { readonly key: string; readonly frame: LinkFrame | undefined }[] =>
  effects.flatMap(effect =>
    effect.kind === 'link-signal' && (to === undefined || effect.link === to)
      ? [{ key: effect.key, frame: decodeLinkFrame(effect.frame) }]
      : [],
  )

/** The seqs of all records in frames, in order. */
export const seqsOf = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame => (frame.kind === 'records' ? frame.records.map(({ seq }) => seq) : []))

/** The record with one bit turned over. */
export function damaged(record: LogRecord, bit: number): LogRecord {
  const bytes = record.bytes.slice()
  const index = Math.floor(bit / 8)
  bytes[index] = (bytes[index] ?? 0) ^ (1 << (bit % 8))
  return LogRecord.decode(bytes)
}
