import fc from 'fast-check'
import t from 'tap'
import { decodeLinkFrame } from '../src/decode-link-frame.ts'
import { limits } from '../src/limits.ts'
import {
  encodeLinkFrame,
  encodeRecordsFrame,
  encodeReplayFrame,
  linkFrameTypes,
  optionalFrameTypeMin,
} from '../src/link-frame.ts'
import { encodeRecord, type LogRecord } from '../src/log-record.ts'
import { anyRecord, linkFrames, part, recordFields } from './arbitraries.ts'

await t.test('every type has a number of its own, and each kind is tested', async t => {
  const numbers = Object.values(linkFrameTypes)
  t.equal(new Set(numbers).size, numbers.length)
  t.ok(numbers.every(number => number > 0 && number < 256))
  t.same(Object.keys(linkFrames).sort(), Object.keys(linkFrameTypes).sort())
})

await t.test(
  'only what concerns variants, signals, checks, lost pieces, places, trees and crowds may be ignored',
  async t => {
    const optional = Object.entries(linkFrameTypes)
      .filter(([, number]) => number >= optionalFrameTypeMin)
      .map(([kind]) => kind)
    t.same(optional, [
      'request-variant',
      'variant',
      'no-variant',
      'signal',
      'request-state-hash',
      'state-hash',
      'request-taken',
      'redirect',
      'path',
      'request-tree',
      'tree',
      'crowd',
      'crowd-answer',
    ])
  },
)

await t.test('the largest record fits into a frame of its own, live or replayed', async t => {
  const empty = encodeRecord(recordFields({ parts: [part(0, '')] })).length
  const payload = new Uint8Array(limits.recordBytesMax.value - empty)
  const bytes = encodeRecord(recordFields({ parts: [part(0, payload)] }))
  for (const frame of [encodeRecordsFrame(1, [bytes]), encodeReplayFrame(1, 239, [bytes])]) {
    t.match(decodeLinkFrame(frame), { records: { length: 1 } })
  }
})

/** True when a frame carries exactly these records, byte for byte. */
const carries = (frame: Uint8Array, records: readonly LogRecord[]): boolean => {
  const decoded = decodeLinkFrame(frame)
  return (
    (decoded?.kind === 'records' || decoded?.kind === 'replay') &&
    decoded.records.length === records.length &&
    decoded.records.every(
      (record, at) => Buffer.compare(record.bytes, records[at]?.bytes ?? new Uint8Array(0)) === 0,
    )
  )
}

await t.test('records travel as the bytes they are, live or replayed', async t => {
  const property = fc.property(fc.array(anyRecord, { maxLength: 8 }), records => {
    const bytes = records.map(record => record.bytes)
    return (
      carries(encodeRecordsFrame(9, bytes), records) &&
      carries(encodeReplayFrame(1, 3, bytes), records)
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a long message is cut to what its receiver takes', async t => {
  for (const letter of ['x', 'é', '€', '🏁']) {
    const bytes = encodeLinkFrame({
      kind: 'ended',
      channel: 1,
      code: 'FANFOLD_DELETED',
      message: letter.repeat(5000),
    })
    const frame = decodeLinkFrame(bytes)
    t.ok(frame?.kind === 'ended' && frame.message.length >= 200, letter)
    const ended = encodeLinkFrame({
      kind: 'replay-ended',
      replay: 1,
      code: 'FANFOLD_LOG_DAMAGED',
      message: letter.repeat(5000),
      retryAfterMs: 0,
    })
    t.match(decodeLinkFrame(ended), { code: 'FANFOLD_LOG_DAMAGED' }, letter)
  }
})
