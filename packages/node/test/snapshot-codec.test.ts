import { randomBytes } from 'node:crypto'
import { brotliCompressSync, deflateRawSync } from 'node:zlib'
import { canUnpack, encodeViewPieces, snapshotCodecs } from '@fanfold/document'
import { limits } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { snapshotCodec } from '../src/snapshot-codec.ts'

const { deflate, brotli, none } = snapshotCodecs

/** A piece as documents have them. */
const piece = encodeViewPieces({
  rows: Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`row-${index}`, { price: index / 7, open: true }]),
  ),
})[0] as Uint8Array

t.test('a piece comes back as it was, packed smaller', async t => {
  const packed = snapshotCodec.pack(piece)
  t.equal(packed.codec, brotli)
  t.ok(packed.bytes.length < piece.length / 2)
  t.equal(packed.bytes.buffer.byteLength, packed.bytes.length, 'and nothing is kept beside it')
  t.same(Buffer.from(snapshotCodec.unpack(packed, piece.length) ?? []), Buffer.from(piece))
})

t.test('every codec of the protocol is understood', async t => {
  t.equal(snapshotCodec.codecs, 3)
  const packings = [
    { codec: none, bytes: piece },
    { codec: deflate, bytes: deflateRawSync(piece) },
    { codec: brotli, bytes: brotliCompressSync(piece) },
  ]
  for (const packed of packings) {
    t.ok(canUnpack(snapshotCodec.codecs, packed))
    t.same(Buffer.from(snapshotCodec.unpack(packed, piece.length) ?? []), Buffer.from(piece))
  }
})

t.test('what does not get smaller stays as it is', async t => {
  const noise = randomBytes(10_000)
  t.same(snapshotCodec.pack(noise), { codec: none, bytes: noise })
  const one = Uint8Array.of(0x5b)
  t.equal(snapshotCodec.pack(one).bytes, one)
})

t.test('any bytes come back', async t => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: limits.snapshotPieceBytesMax.value })
  const property = fc.property(bytes, bytes => {
    const back = snapshotCodec.unpack(snapshotCodec.pack(bytes), bytes.length)
    return back !== undefined && Buffer.compare(back, bytes) === 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})

t.test('more or fewer bytes than were said are no piece', async t => {
  for (const bytes of [snapshotCodec.pack(piece).bytes, deflateRawSync(piece), piece]) {
    const codec = bytes === piece ? none : bytes.length === deflateRawSync(piece).length ? 1 : 2
    for (const length of [piece.length - 1, piece.length + 1, 0, 1]) {
      t.equal(snapshotCodec.unpack({ codec, bytes }, length), undefined, `${codec}, ${length}`)
    }
  }
})

t.test('a bomb is not unpacked beyond what was said', async t => {
  const bomb = Buffer.alloc(100_000_000)
  for (const [codec, bytes] of [
    [deflate, deflateRawSync(bomb)],
    [brotli, brotliCompressSync(bomb)],
  ] as const) {
    const before = process.memoryUsage().arrayBuffers
    t.equal(snapshotCodec.unpack({ codec, bytes }, 65_536), undefined)
    t.ok(process.memoryUsage().arrayBuffers - before < 4_000_000)
  }
})

t.test('a piece that was cut short is none', async t => {
  const packings = [snapshotCodec.pack(piece), { codec: deflate, bytes: deflateRawSync(piece) }]
  for (const { codec, bytes } of packings) {
    for (const length of [0, 1, bytes.length >> 1, bytes.length - 1]) {
      const cut = { codec, bytes: bytes.subarray(0, length) }
      t.equal(snapshotCodec.unpack(cut, piece.length), undefined, `${codec}, ${length}`)
    }
  }
})

t.test('a codec of a later version, or the wrong one, gives nothing', async t => {
  const { bytes } = snapshotCodec.pack(piece)
  for (const codec of [3, 17, 255, deflate]) {
    t.equal(snapshotCodec.unpack({ codec, bytes }, piece.length), undefined, `${codec}`)
  }
  t.equal(snapshotCodec.unpack({ codec: brotli, bytes: piece }, piece.length), undefined)
})

t.test(
  'damaged and random bytes give a piece of that length or nothing, and never throw',
  async t => {
    const packings = [snapshotCodec.pack(piece).bytes, new Uint8Array(deflateRawSync(piece))]
    const flipped = fc.tuple(
      fc.constantFrom(...packings),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
    )
    const damaged = flipped.map(([bytes, at, bits]) =>
      bytes.with(at % bytes.length, (bytes[at % bytes.length] as number) ^ bits),
    )
    const property = fc.property(
      fc.oneof(damaged, fc.uint8Array()),
      fc.constantFrom(deflate, brotli),
      (bytes, codec) => {
        const unpacked = snapshotCodec.unpack({ codec, bytes }, piece.length)
        return unpacked === undefined || unpacked.length === piece.length
      },
    )
    t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }))
  },
)
