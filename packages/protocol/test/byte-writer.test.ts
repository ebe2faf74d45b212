import fc from 'fast-check'
import t from 'tap'
import { ByteReader, readUint48 } from '../src/byte-reader.ts'
import { ByteWriter, writeUint32, writeUint48, writeUint53 } from '../src/byte-writer.ts'

await t.test('what is written is read', async t => {
  const fields = fc.record({
    uint8: fc.nat({ max: 0xff }),
    uint16: fc.nat({ max: 0xffff }),
    uint32: fc.nat({ max: 0xffff_ffff }),
    uint53: fc.maxSafeNat(),
    varint: fc.maxSafeNat(),
    float64: fc.double(),
    text: fc.string({ unit: 'grapheme', maxLength: 500 }),
    raw: fc.uint8Array(),
    sizeHint: fc.nat({ max: 300 }),
  })
  const property = fc.property(fields, fields => {
    const writer = new ByteWriter(fields.sizeHint)
    writer.uint8(fields.uint8).uint16(fields.uint16).uint32(fields.uint32).uint53(fields.uint53)
    const bytes = writer
      .text(fields.text)
      .varint(fields.varint)
      .float64(fields.float64)
      .raw(fields.raw)
      .finish()
    const reader = new ByteReader(bytes)
    return (
      reader.uint8() === fields.uint8 &&
      reader.uint16() === fields.uint16 &&
      reader.uint32() === fields.uint32 &&
      reader.uint53() === fields.uint53 &&
      reader.text(0xffff) === fields.text &&
      reader.varint() === fields.varint &&
      Object.is(reader.float64(), fields.float64) &&
      Buffer.compare(reader.rest(), fields.raw) === 0
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a byte written at the moment the writer grows is not lost', async t => {
  const writer = new ByteWriter(1)
  for (let value = 0; value < 256; value++) writer.uint8(value)
  t.same(
    writer.finish(),
    Uint8Array.from({ length: 256 }, (_, value) => value),
  )
})

await t.test('the largest integers fit, one more is our own bug', async t => {
  const bytes = new Uint8Array(8)
  t.doesNotThrow(() => new ByteWriter().uint8(0xff))
  t.throws(() => new ByteWriter().uint8(0x100), { name: 'AssertionError' })
  t.doesNotThrow(() => new ByteWriter().uint16(0xffff))
  t.throws(() => new ByteWriter().uint16(0x1_0000), { name: 'AssertionError' })
  t.doesNotThrow(() => writeUint32(bytes, 0, 0xffff_ffff))
  t.throws(() => writeUint32(bytes, 0, 0x1_0000_0000), { name: 'AssertionError' })
  t.doesNotThrow(() => writeUint53(bytes, 0, Number.MAX_SAFE_INTEGER))
  for (const value of [2 ** 53, -1, 0.5, Number.NaN]) {
    t.throws(() => writeUint53(bytes, 0, value), { name: 'AssertionError' }, `${value}`)
  }
  for (const value of [0, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
    writeUint48(bytes, 1, value)
    t.equal(readUint48(bytes, 1), value)
  }
  for (const value of [2 ** 48, -1, 0.5, Number.NaN]) {
    t.throws(() => writeUint48(bytes, 1, value), { name: 'AssertionError' }, `${value}`)
  }
})

await t.test('a text of 65,535 bytes fits behind its length, one of 65,536 does not', async t => {
  t.equal(new ByteWriter().text('x'.repeat(0xffff)).finish().length, 2 + 0xffff)
  t.throws(() => new ByteWriter().text('x'.repeat(0x1_0000)), { name: 'AssertionError' })
})
