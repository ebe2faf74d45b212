/*
 * A log of a document as tests need one: records sealed in a chain, each from the state it makes.
 */
import { createHash } from 'node:crypto'
import { encodeUtf8, Prng, type Sha256 } from '@fanfold/kernel'
import {
  encodeRecord,
  type LogRecord,
  type Position,
  parseDocumentKey,
  partTags,
  type RecordKind,
  type RecordPart,
  zeroPosition,
} from '@fanfold/protocol'
import { Chain } from '../src/chain.ts'

/** SHA-256 by Node. */
export const sha256: Sha256 = (input, target, offset) => {
  target.set(createHash('sha256').update(input).digest(), offset)
}

/** The position after a record. */
export const positionOf = (record: LogRecord): Position => ({
  epoch: record.epoch,
  seq: record.seq,
  hash: record.chainHash,
})

/** Appends records to a log, each after the one before. */
export class LogBuilder {
  readonly records: LogRecord[] = []
  readonly #prng = new Prng('salts')
  readonly #chain = new Chain(sha256)

  /** After the last record. */
  get position(): Position {
    const last = this.records.at(-1)
    return last === undefined ? zeroPosition : positionOf(last)
  }

  /** Adds a record with a public part, and an authority part beside it. */
  add(kind: RecordKind, payload: unknown): LogRecord {
    return this.addParts(kind, [
      this.part(partTags.public, JSON.stringify(payload)),
      this.part(partTags.authority, '{"id":"c1-17"}'),
    ])
  }

  /** Adds a record with these parts. */
  addParts(kind: RecordKind, parts: readonly RecordPart[]): LogRecord {
    const bytes = encodeRecord({
      kind,
      key: parseDocumentKey('acme/match/final'),
      epoch: 3,
      seq: this.position.seq + 1,
      timeMs: 1_731_931_200_000 + this.records.length,
      trace: kind === 'create' ? this.#prng.bytes(16) : undefined,
      parts,
    })
    const record = this.#chain.seal(bytes, this.position.hash)
    this.records.push(record)
    return record
  }

  /** A part with a fresh salt. */
  part(tag: number, payload: string): RecordPart {
    return { tag, salt: this.#prng.bytes(16), payload: encodeUtf8(payload) }
  }
}
