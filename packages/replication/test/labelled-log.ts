/*
 * A log with parts above the public one: labels 1 and 2, the crowd's and the authority's, each with a
 * text that is easy to find among bytes.
 */
import { buildLog, sha256 } from '@fanfold/conformance'
import { Chain, encodeSnapshot, Replica, type Snapshot } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import {
  encodeRecord,
  type LogRecord,
  type Position,
  partTags,
  saltBytes,
  tagOf,
  zeroHash,
} from '@fanfold/protocol'
import { doc } from './build-stream.ts'

/** Texts of parts above the labels. */
export const crowdText = 'crowd manifest'
export const authorityText = 'only authorities'

/** A log whose records have all kinds of parts, with a snapshot at its end. */
export type LabelledLog = {
  readonly records: readonly LogRecord[]
  readonly snapshot: Snapshot
  readonly end: Position
}

/** The log of the tests: a definition, `create`, and deltas. */
export const labelled: LabelledLog = labelledLog(40)

function labelledLog(count: number): LabelledLog {
  const built = buildLog({
    doc,
    count,
    definition: {
      variant: 'ab'.repeat(32),
      viewKey: 'cd'.repeat(16),
      labels: [
        { pattern: '/odds', label: 1 },
        { pattern: '/roles/*', label: 2 },
      ],
    },
  })
  const chain = new Chain(sha256)
  const replica = new Replica(sha256)
  const records: LogRecord[] = []
  let end: Position = { epoch: 0, seq: 0, hash: zeroHash }
  for (const record of built.records) {
    const sealed = chain.seal(withMore(record), end.hash)
    records.push(sealed)
    replica.append(sealed)
    end = { epoch: sealed.epoch, seq: sealed.seq, hash: sealed.chainHash }
  }
  const extra = { ids: authorityText }
  const state = replica.state()
  const { definition } = replica
  const snapshot = encodeSnapshot({ at: end, state, definition, extra, sha256 })
  return { records, snapshot, end }
}

/** The same record with a part of the crowd and one of the authority behind its own. */
function withMore(record: LogRecord): Uint8Array {
  const salt = new Uint8Array(saltBytes).fill(7)
  const own = record.parts().map(part => ({
    tag: tagOf(part),
    salt: part.slice(0, saltBytes),
    payload: part.slice(saltBytes + 1),
  }))
  return encodeRecord({
    kind: record.kind,
    key: doc,
    epoch: record.epoch,
    seq: record.seq,
    timeMs: record.timeMs,
    trace: undefined,
    parts: [
      ...own,
      { tag: partTags.crowd, salt, payload: encodeUtf8(crowdText) },
      { tag: partTags.authority, salt, payload: encodeUtf8(authorityText) },
    ],
  })
}
