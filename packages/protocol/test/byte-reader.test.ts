import fc from 'fast-check'
import t from 'tap'
import { ByteReader, readUint32, readUint53 } from '../src/byte-reader.ts'
import { ByteWriter } from '../src/byte-writer.ts'

const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

await t.test('fields are read in order, big-endian', async t => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0, 2, 0x68, 0x69, 9, 9))
  t.equal(reader.uint8(), 1)
  t.equal(reader.uint16(), 0x0203)
  t.equal(reader.uint32(), 0x04050607)
  t.equal(reader.text(2), 'hi')
  t.equal(reader.offset, 11)
  t.equal(reader.remaining, 2)
  t.same(reader.rest(), Uint8Array.of(9, 9))
  t.equal(reader.remaining, 0)
  t.same(reader.rest(), new Uint8Array(0), 'at the end the rest is empty')
})

await t.test(
  'every field that ends where the bytes do is read, one byte less is an error',
  async t => {
    const fields: Record<string, [number, (reader: ByteReader) => unknown]> = {
      'one byte': [1, reader => reader.uint8()],
      'two bytes': [2, reader => reader.uint16()],
      'four bytes': [4, reader => reader.uint32()],
      'eight bytes': [8, reader => reader.uint53()],
      'raw bytes': [5, reader => reader.raw(5)],
      'a text of none': [2, reader => reader.text(10)],
    }
    for (const [name, [length, read]] of Object.entries(fields)) {
      t.doesNotThrow(() => read(new ByteReader(new Uint8Array(length))), name)
      t.throws(() => read(new ByteReader(new Uint8Array(length - 1))), badFrame, name)
      const inTheMiddle = new ByteReader(new Uint8Array(length + 2), 3)
      t.throws(() => read(inTheMiddle), badFrame, `${name} from an offset`)
    }
  },
)

await t.test('integers of four bytes have no sign', async t => {
  t.equal(readUint32(Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0), 0xffff_ffff)
  t.equal(readUint32(Uint8Array.of(0, 0x80, 0, 0, 0), 1), 0x8000_0000)
})

await t.test('2^53 - 1 is the largest integer of eight bytes, one more is refused', async t => {
  const largest = Uint8Array.of(0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
  t.equal(readUint53(largest, 0), Number.MAX_SAFE_INTEGER)
  const oneMore = Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)
  t.equal(readUint53(oneMore, 0), undefined)
  t.throws(() => new ByteReader(oneMore).uint53(), badFrame)
})

await t.test('a text of the largest length is read, one byte over it is refused', async t => {
  const bytes = Uint8Array.of(0, 4, 0xf0, 0x9f, 0x8f, 0x81)
  t.equal(new ByteReader(bytes).text(4), '🏁')
  t.throws(() => new ByteReader(bytes).text(3), { ...badFrame, message: /at most 3 bytes, got 4/ })
})

await t.test('a text that is not UTF-8 is refused', async t => {
  t.throws(() => new ByteReader(Uint8Array.of(0, 1, 0xff)).text(10), badFrame)
})

await t.test('no bytes make a reader throw anything else', async t => {
  const reads = fc.constantFrom<(reader: ByteReader) => unknown>(
    reader => reader.uint8(),
    reader => reader.uint16(),
    reader => reader.uint32(),
    reader => reader.uint53(),
    reader => reader.text(20),
    reader => reader.raw(3),
    reader => reader.rest(),
  )
  const property = fc.property(fc.uint8Array(), fc.array(reads), (bytes, reads) => {
    const reader = new ByteReader(bytes)
    for (const read of reads) {
      try {
        read(reader)
      } catch (error) {
        return error instanceof Error && error.name === 'ProtocolError'
      }
    }
    return reader.offset <= bytes.length
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('an integer in as few bytes as it takes has one form, up to 2^53 - 1', async t => {
  const cases: [number, number[]][] = [
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [300, [0xac, 2]],
    [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ]
  for (const [value, bytes] of cases) {
    t.equal(new ByteReader(Uint8Array.from(bytes)).varint(), value)
    t.same(new ByteWriter().varint(value).finish(), Uint8Array.from(bytes))
  }
  const refused = [
    [],
    [0x80],
    [0x80, 0],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
    [...new Array(200).fill(0x80), 1],
  ]
  for (const bytes of refused) {
    t.throws(() => new ByteReader(Uint8Array.from(bytes)).varint(), badFrame)
  }
  t.throws(() => new ByteWriter().varint(-1), /0 to 2\^53 - 1/)
  t.throws(() => new ByteWriter().varint(0.5), /0 to 2\^53 - 1/)
})
