import { Chain } from '@fanfold/document'
import { encodeUtf8, type Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeRecord,
  type LogRecord,
  type Position,
  partTags,
  saltBytes,
} from '@fanfold/protocol'
import { sha256 } from './sha-256.ts'

const chain = new Chain(sha256)

/** What follows `after`: records of drawn number and sizes, no two batches alike. */
export function drawRecords(
  prng: Prng,
  options: { readonly doc: DocumentKey; readonly epoch: number; readonly after: Position },
): LogRecord[] {
  const { doc, epoch, after } = options
  const count = prng.chance(0.1) ? 1 + prng.below(24) : 1 + prng.below(4)
  const records: LogRecord[] = []
  let { seq, hash } = after
  for (let index = 0; index < count; index++) {
    seq++
    const bytes = encodeRecord({
      kind: seq === 1 ? 'create' : 'delta',
      key: doc,
      epoch,
      seq,
      timeMs: 1_731_931_200_000 + seq,
      trace: undefined,
      parts: [
        { tag: partTags.public, salt: prng.bytes(saltBytes), payload: drawPayload(prng, seq) },
      ],
    })
    const record = chain.seal(bytes, hash)
    records.push(record)
    hash = record.chainHash
  }
  return records
}

/** Mostly a few to a sector, now and then over several. */
function drawPayload(prng: Prng, seq: number): Uint8Array {
  const padding = prng.chance(0.85)
    ? prng.below(200)
    : prng.chance(0.85)
      ? 300 + prng.below(1_500)
      : 5_000
  return encodeUtf8(`[{"op":"replace","path":"/n","value":${seq}}]${' '.repeat(padding)}`)
}

/** After a record. */
export const positionOf = ({ epoch, seq, chainHash }: LogRecord): Position => ({
  epoch,
  seq,
  hash: chainHash,
})
