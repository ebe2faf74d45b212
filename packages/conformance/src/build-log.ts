/*
 * Logs as tests need them: records sealed in a chain, the same bytes for the same arguments.
 */
import { hash } from 'node:crypto'
import { Chain, encodeSnapshot } from '@fanfold/document'
import { assert, equalBytes, Prng, type Sha256, sha256Bytes } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeRecord,
  type LogRecord,
  type Position,
  saltBytes,
  traceBytes,
  zeroPosition,
} from '@fanfold/protocol'
import { type BuiltDefinition, LogScript } from './log-script.ts'

/** SHA-256 of the machine, for tests. */
export const sha256: Sha256 = (input, target, offset) => {
  const digest = hash('sha256', input, 'binary')
  for (let index = 0; index < sha256Bytes; index++) {
    target[offset + index] = digest.charCodeAt(index)
  }
}

/** Some records of a document; with `kind: 'log-append'` it is the effect that appends them. */
export type BuiltLog = {
  readonly doc: DocumentKey
  readonly epoch: number
  readonly after: Position
  readonly records: readonly LogRecord[]
  /** After the last of them. */
  readonly end: Position
}

/** What `buildLog` makes. */
export type BuildLogOptions = {
  readonly doc: DocumentKey
  /** Records, at least 1. */
  readonly count: number
  /** Epoch of all of them; 1 when not said. */
  readonly epoch?: number | undefined
  /** What they follow; the start of the log when not said. */
  readonly after?: Position | undefined
  /** Bytes of each record; as few as the smallest patch needs when not said. */
  readonly recordBytes?: number | undefined
  /** Whether each record has a trace id of its own; not when not said. */
  readonly isTraced?: boolean | undefined
  /**
   * Makes the log begin with a `definition` record, and then `create` at seq 2. The places with labels
   * must lie apart. Without, there is no such record.
   */
  readonly definition?: BuiltDefinition | undefined
  /** Whether each record has a part of the crowd and one for authorities only too; not when not said. */
  readonly isWhole?: boolean | undefined
  /** Other seeds give other histories of the same document. */
  readonly seed?: string | undefined
}

/**
 * A stretch of a log: `create` with the state `{"n": 0}` at its start, then deltas that set `n` to
 * the record's seq. With labels, `create` and each delta also set each labelled place to `labelledText`;
 * `*` stands for a member `any` there.
 */
export function buildLog(options: BuildLogOptions): BuiltLog {
  const { doc, count, epoch = 1, after = zeroPosition, recordBytes, seed = 'log' } = options
  const { isTraced = false, isWhole = false } = options
  assert(count >= 1, `a stretch of at least one record, got ${count}`)
  const chain = new Chain(sha256)
  const prng = new Prng(`${seed}/${doc}/${epoch}/${after.seq}`)
  const records: LogRecord[] = []
  let end = after
  const script = new LogScript(options.definition)
  for (let index = 0; index < count; index++) {
    const seq = end.seq + 1
    const [[firstTag, payload], ...labelled] = script.parts(seq, isWhole)
    const salt = prng.bytes(saltBytes)
    const trace = isTraced ? prng.bytes(traceBytes) : undefined
    const salted = labelled.map(([tag, payload]) => ({ tag, salt: prng.bytes(saltBytes), payload }))
    const encode = (payload: Uint8Array): Uint8Array =>
      encodeRecord({
        kind: script.kindOf(seq),
        key: doc,
        epoch,
        seq,
        timeMs: 1_731_931_200_000 + seq,
        trace,
        parts: [{ tag: firstTag, salt, payload }, ...salted],
      })
    const shortest = encode(payload)
    const padding = recordBytes === undefined ? 0 : recordBytes - shortest.length
    assert(padding >= 0, `a record of at least ${shortest.length} bytes, got ${recordBytes}`)
    const bytes = padding === 0 ? shortest : encode(padded(payload, padding))
    const record = chain.seal(bytes, end.hash)
    records.push(record)
    end = { epoch, seq, hash: record.chainHash }
  }
  return { doc, epoch, after, records, end }
}

/** A snapshot after the last record of a log. */
export const snapshotOf = (log: BuiltLog): ReturnType<typeof encodeSnapshot> =>
  encodeSnapshot({ at: log.end, state: { n: log.end.seq }, definition: undefined, sha256 })

/** True when these are the same records, byte for byte. */
export const areSame = (actual: readonly LogRecord[], expected: readonly LogRecord[]): boolean =>
  actual.length === expected.length &&
  actual.every((record, index) =>
    equalBytes(record.bytes, expected[index]?.bytes ?? new Uint8Array()),
  )

/** The same JSON with white space behind it. */
function padded(payload: Uint8Array, padding: number): Uint8Array {
  const bytes = new Uint8Array(payload.length + padding).fill(0x20)
  bytes.set(payload)
  return bytes
}
