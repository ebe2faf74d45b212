import { plainCodec, snapshotCodecs } from '@fanfold/document'
import t from 'tap'
import { PiecePacker } from '../src/piece-packer.ts'
import { ToyCodec } from './toy-codec.ts'

const piece = new Uint8Array(1_000).fill(7)
const both = 0b11

t.test('a piece is packed once, for however many children', async t => {
  const codec = new ToyCodec()
  const packer = new PiecePacker(codec)
  t.equal(packer.isReadyFor(piece, both), false)
  const packed = packer.packedFor(piece, both)
  t.equal(packed.codec, snapshotCodecs.brotli)
  t.ok(packed.bytes.length < 100)
  t.equal(packer.packedFor(piece, 0b10), packed)
  t.equal(codec.packs, 1)
  t.equal(packer.isReadyFor(piece, both), true)
  t.same(packer.unpack(packed, piece.length), piece)
})

t.test('a child that cannot unpack it gets the piece as it is', async t => {
  const codec = new ToyCodec()
  const packer = new PiecePacker(codec)
  t.equal(packer.isReadyFor(piece, 0), true)
  t.same(packer.packedFor(piece, 0), { codec: 0, bytes: piece })
  t.equal(codec.packs, 0, 'not packed in vain')
  t.equal(packer.packedFor(piece, 0b01).bytes, piece, 'which unpacks another codec')
})

t.test('what came packed is passed on as it came', async t => {
  const codec = new ToyCodec()
  const packer = new PiecePacker(codec)
  const came = { codec: snapshotCodecs.brotli, bytes: Uint8Array.of(1) }
  packer.remember(piece, came)
  t.equal(packer.packedFor(piece, both), came)
  t.equal(packer.packedFor(piece, 0b01).bytes, piece)
  t.equal(packer.packedFor(piece.slice(), both).bytes.length, 8, 'another object is another piece')
  t.equal(codec.packs, 1)
})

t.test('what unpacks to another length is no piece', async t => {
  const packer = new PiecePacker(new ToyCodec())
  const packed = packer.packedFor(piece, both)
  t.equal(packer.unpack(packed, piece.length - 1), undefined)
  t.equal(packer.unpack(packed, piece.length + 1), undefined)
})

t.test('a node that packs nothing says so, and sends pieces as they are', async t => {
  const packer = new PiecePacker(plainCodec)
  t.equal(packer.codecs, 0)
  t.equal(new PiecePacker(new ToyCodec()).codecs, 0b10)
  t.same(packer.packedFor(piece, both), { codec: 0, bytes: piece })
  t.equal(packer.unpack({ codec: 0, bytes: piece }, piece.length), piece)
})
