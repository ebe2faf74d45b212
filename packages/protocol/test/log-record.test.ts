import fc from 'fast-check'
import t from 'tap'
import { limits } from '../src/limits.ts'
import {
  encodeRecord,
  LogRecord,
  partTags,
  projectRecord,
  recordChainOffset,
  recordKeyOffsets,
  recordKinds,
  tagOf,
} from '../src/log-record.ts'
import { anyRecordFields, part, recordFields } from './arbitraries.ts'

const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }
const keyBytes = Buffer.from('acme/match/final')
/** Where the key and the parts begin in a record of `recordFields()`, which has a trace id. */
const keyOffset = 68
const partsOffset = keyOffset + keyBytes.length

/** The bytes of a record of two parts, changed by hand. */
function changed(change: (bytes: Buffer) => void): Uint8Array {
  const parts = [part(0, '[]'), part(255, '{"id":"c1-17"}')]
  const bytes = Buffer.from(encodeRecord(recordFields({ parts })))
  change(bytes)
  return bytes
}

/** The first of those parts alone, over a rest. */
const projected = (): Uint8Array =>
  projectRecord(LogRecord.decode(changed(() => {})), 0, new Uint8Array(32).fill(9))

await t.test('a record gives back what went in', async t => {
  const property = fc.property(anyRecordFields, fields => {
    const record = LogRecord.decode(encodeRecord(fields))
    const parts = record.parts()
    return (
      record.kind === fields.kind &&
      Buffer.from(record.keyBytes).toString() === fields.key &&
      record.isOf(Buffer.from(fields.key)) &&
      record.epoch === fields.epoch &&
      record.seq === fields.seq &&
      record.timeMs === fields.timeMs &&
      Buffer.compare(record.trace, fields.trace ?? new Uint8Array(16)) === 0 &&
      record.partCount === fields.parts.length &&
      record.chainHash.every(byte => byte === 0) &&
      record.rest.every(byte => byte === 0) &&
      fields.parts.every(({ tag, salt, payload }, index) => {
        const bytes = parts[index] ?? new Uint8Array(0)
        return (
          tagOf(bytes) === tag &&
          Buffer.compare(bytes.subarray(0, 16), salt) === 0 &&
          Buffer.compare(record.payload(tag) ?? salt, payload) === 0
        )
      })
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a payload may hold every byte value, the line feed among them', async t => {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value)
  const record = LogRecord.decode(encodeRecord(recordFields({ parts: [part(0, all)] })))
  t.same(new Uint8Array(record.payload(0) ?? []), all)
  const property = fc.property(fc.uint8Array({ maxLength: 2000 }), payload => {
    const record = LogRecord.decode(encodeRecord(recordFields({ parts: [part(0, payload)] })))
    return Buffer.compare(record.payload(0) ?? new Uint8Array(1), payload) === 0
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a tag the record does not have has no payload', async t => {
  const record = LogRecord.decode(encodeRecord(recordFields()))
  t.equal(record.payload(partTags.authority), undefined)
  t.same(Buffer.from(record.payload(partTags.public) ?? []).toString(), '[]')
})

await t.test('a record is of its own document only', async t => {
  const record = LogRecord.decode(encodeRecord(recordFields()))
  t.ok(record.isOf(keyBytes))
  t.notOk(record.isOf(Buffer.from('acme/match/finam')))
  t.notOk(record.isOf(Buffer.from('acme/match/fina')))
  t.notOk(record.isOf(Buffer.from('acme/match/finals')))
})

await t.test('the header runs from the version to the end of the key', async t => {
  const bytes = encodeRecord(recordFields())
  t.same(LogRecord.decode(bytes).header, bytes.subarray(33, partsOffset))
  t.equal(recordChainOffset, 1)
})

await t.test('without a trace id of its own a record is known by its chain hash', async t => {
  const bytes = encodeRecord(recordFields({ trace: undefined }))
  const chainHash = Uint8Array.from({ length: 32 }, (_, index) => index + 1)
  bytes.set(chainHash, recordChainOffset)
  t.same(LogRecord.decode(bytes).trace, chainHash.subarray(0, 16))
  const traced = encodeRecord(recordFields())
  traced.set(chainHash, recordChainOffset)
  t.same(LogRecord.decode(traced).trace, recordFields().trace)
  t.equal(traced.length - bytes.length, 16)
})

await t.test('the key stands at one of the places said', async t => {
  for (const [index, trace] of [undefined, new Uint8Array(16).fill(1)].entries()) {
    const bytes = encodeRecord(recordFields({ trace }))
    t.equal(Buffer.from(bytes).indexOf(keyBytes), recordKeyOffsets[index])
    const below = projectRecord(LogRecord.decode(bytes), 0, new Uint8Array(32).fill(9))
    t.equal(Buffer.from(below).indexOf(keyBytes), recordKeyOffsets[index + 2])
  }
})

await t.test('each malformed shape is refused', async t => {
  const shapes: Record<string, Uint8Array> = {
    'nothing at all': new Uint8Array(0),
    'a header without a key': changed(bytes => bytes.fill(0, 35, 36)).subarray(0, keyOffset),
    'a key of no bytes': changed(bytes => bytes.fill(0, 35, 36)),
    'a header cut in its seq': changed(() => {}).subarray(0, 45),
    'a header cut in its seq, with a rest': projected().subarray(0, 77),
    'a rest of zeros': projectRecord(LogRecord.decode(changed(() => {})), 0, new Uint8Array(32)),
    'a rest that was not flagged': changed(bytes => bytes.fill(0x12, 0, 1)),
    'a flag that is not known': changed(bytes => bytes.fill(0x22, 0, 1)),
    'another flag that is not known': changed(bytes => bytes.fill(0x82, 0, 1)),
    'a header cut in its key': changed(() => {}).subarray(0, partsOffset - 1),
    'a key longer than the record': changed(bytes => bytes.fill(255, 35, 36)),
    'another version': changed(bytes => bytes.fill(2, 33, 34)),
    'kind 0': changed(bytes => bytes.fill(0x80, 34, 35)),
    'kind 7': changed(bytes => bytes.fill(0x87, 34, 35)),
    'seq 0': changed(bytes => bytes.fill(0, 40, 46)),
    'one part less than said': changed(bytes => bytes.fill(3, 0, 1)),
    'one part more than said': changed(bytes => bytes.fill(1, 0, 1)),
    'a part cut in its length': changed(() => {}).subarray(0, partsOffset + 2),
    'a part cut in its head': changed(() => {}).subarray(0, partsOffset + 20),
    'a part cut in its payload': changed(() => {}).subarray(0, -1),
    'a part longer than the record': changed(bytes => bytes.writeUInt32BE(4000, partsOffset)),
    'a part of 2^32 - 1 bytes': changed(bytes => bytes.writeUInt32BE(0xffff_ffff, partsOffset)),
    'a part without a tag': changed(bytes => bytes.writeUInt32BE(16, partsOffset)),
    'a part of no bytes': changed(bytes => bytes.writeUInt32BE(0, partsOffset)),
    'tags out of order': encodeRecord(recordFields({ parts: [part(1, 'a'), part(0, 'b')] })),
    'a tag twice': encodeRecord(recordFields({ parts: [part(1, 'a'), part(1, 'b')] })),
    'one byte behind the last part': Buffer.concat([changed(() => {}), Buffer.of(0)]),
  }
  for (const [name, bytes] of Object.entries(shapes)) {
    t.throws(() => LogRecord.decode(bytes), badFrame, name)
  }
  t.doesNotThrow(() => LogRecord.decode(changed(() => {})), 'unchanged it is a record')
})

await t.test('a record of fifteen parts is taken, of sixteen not', async t => {
  const parts = (count: number) => Array.from({ length: count }, (_, tag) => part(tag, ''))
  t.equal(
    LogRecord.decode(encodeRecord(recordFields({ parts: parts(15) }))).parts().length,
    limits.partsPerRecordMax.value,
  )
  t.throws(() => encodeRecord(recordFields({ parts: parts(16) })), { name: 'AssertionError' })
})

await t.test('a record of the largest size is taken, of one byte more not', async t => {
  const room =
    limits.recordBytesMax.value - encodeRecord(recordFields({ parts: [part(0, '')] })).length
  const sized = (bytes: number) =>
    encodeRecord(recordFields({ parts: [part(0, new Uint8Array(bytes))] }))
  t.equal(LogRecord.decode(sized(room)).bytes.length, limits.recordBytesMax.value)
  t.throws(() => LogRecord.decode(sized(room + 1)), badFrame)
})

await t.test('a record without parts is one', async t => {
  t.same(LogRecord.decode(encodeRecord(recordFields({ parts: [] }))).parts(), [])
})

await t.test(
  'projecting keeps the header and the parts up to the ceiling, byte for byte',
  async t => {
    const rest = new Uint8Array(32).fill(9)
    const property = fc.property(anyRecordFields, fc.nat({ max: 255 }), (fields, ceiling) => {
      const record = LogRecord.decode(encodeRecord(fields))
      const projected = LogRecord.decode(projectRecord(record, ceiling, rest))
      const kept = record.parts().filter(bytes => tagOf(bytes) <= ceiling)
      return (
        Buffer.compare(projected.header, record.header) === 0 &&
        Buffer.compare(projected.chainHash, record.chainHash) === 0 &&
        Buffer.compare(projected.rest, rest) === 0 &&
        projected.parts().length === kept.length &&
        projected.parts().every((bytes, at) => Buffer.compare(bytes, kept[at] ?? rest) === 0)
      )
    })
    t.doesNotThrow(() => fc.assert(property))
  },
)

await t.test('how many bytes a projected record has is known before it is made', async t => {
  const rest = new Uint8Array(32).fill(9)
  const property = fc.property(
    anyRecordFields,
    fc.nat({ max: 255 }),
    fc.nat({ max: 255 }),
    (fields, high, low) => {
      const record = LogRecord.decode(encodeRecord(fields))
      const project = (one: LogRecord, ceiling: number): LogRecord =>
        one.parts().some(part => tagOf(part) > ceiling)
          ? LogRecord.decode(projectRecord(one, ceiling, rest))
          : one
      const once = project(record, high)
      return (
        record.bytesUpTo(high) === once.bytes.length &&
        once.bytesUpTo(low) === project(once, low).bytes.length
      )
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('what an encoder is given must fit the fields', async t => {
  const wrong = [
    recordFields({ trace: new Uint8Array(15) }),
    recordFields({ seq: 0 }),
    recordFields({ seq: 2 ** 48 }),
    recordFields({ timeMs: 2 ** 48 }),
    recordFields({ timeMs: 1.5 }),
    recordFields({ epoch: -1 }),
    recordFields({ parts: [{ ...part(0, ''), salt: new Uint8Array(15) }] }),
  ]
  for (const fields of wrong) t.throws(() => encodeRecord(fields), { name: 'AssertionError' })
})

await t.test('every kind has a number of its own', async t => {
  const numbers = Object.values(recordKinds)
  t.equal(new Set(numbers).size, numbers.length)
})

await t.test('random and mutated bytes are a record or a protocol error, nothing else', async t => {
  const random = fc.uint8Array({ maxLength: 300 })
  const mutated = fc
    .tuple(
      anyRecordFields,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat({ max: 30 }),
    )
    .map(([fields, changes, cut]) => {
      const bytes = encodeRecord(fields)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes.subarray(0, bytes.length - cut)
    })
  const property = fc.property(fc.oneof(random, mutated), bytes => {
    try {
      const record = LogRecord.decode(bytes)
      // What decodes is whole: its parts are as many as it says, and lie inside.
      return (
        record.parts().length === record.partCount &&
        record.timeMs >= 0 &&
        record.kind !== undefined
      )
    } catch (error) {
      return error instanceof Error && error.name === 'ProtocolError'
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
})
