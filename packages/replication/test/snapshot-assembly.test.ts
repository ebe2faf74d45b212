import { sha256 } from '@fanfold/conformance'
import { type PackedPiece, plainCodec, type SnapshotCodec } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { PiecePacker } from '../src/piece-packer.ts'
import { SnapshotAssembly, snapshotBytes } from '../src/snapshot-assembly.ts'
import { after, recordsOf, snapshotAt } from './build-stream.ts'
import { ToyCodec } from './toy-codec.ts'

const snapshot = snapshotAt(after(recordsOf(3)[2]), 300_000)
const packer = new PiecePacker(plainCodec)
const begin = (): SnapshotAssembly => new SnapshotAssembly(snapshot.manifest, sha256, packer)
const bad = new Uint8Array(10)
const plain = (bytes: Uint8Array): PackedPiece => ({ codec: 0, bytes })

t.test('the snapshot is there once each piece has come, in whatever order', async t => {
  t.ok(snapshot.pieces.length > 4)
  const indexes = snapshot.pieces.map((_, index) => index)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.shuffledSubarray(indexes, { minLength: indexes.length }), order => {
        const assembly = begin()
        for (const index of order) {
          if (assembly.snapshot !== undefined) return false
          const piece = snapshot.pieces[index]
          if (piece === undefined || assembly.take(index, plain(piece)) !== 'good') return false
        }
        return assembly.snapshot?.pieces.every((piece, index) => piece === snapshot.pieces[index])
      }),
    ),
  )
})

t.test('a snapshot without pieces is complete from the start', async t => {
  const { at } = snapshot.manifest
  t.same(new SnapshotAssembly({ at, pieces: [] }, sha256, packer).snapshot, {
    manifest: { at, pieces: [] },
    pieces: [],
  })
})

t.test('a piece that is here already, or not in the manifest, is not wanted', async t => {
  const assembly = begin()
  const [first = bad] = snapshot.pieces
  t.equal(assembly.take(0, plain(first)), 'good')
  t.equal(assembly.take(0, plain(first)), 'unwanted')
  t.equal(assembly.take(0, plain(bad)), 'unwanted')
  t.equal(assembly.take(snapshot.pieces.length, plain(first)), 'unwanted')
})

t.test(
  'a damaged piece is told once, a second time by another name, and may come good',
  async t => {
    const assembly = begin()
    const [first = bad] = snapshot.pieces
    const turned = first.slice()
    turned[5] = (turned[5] ?? 0) ^ 1
    t.equal(assembly.take(0, plain(turned)), 'damaged')
    t.equal(assembly.take(0, plain(first.subarray(1))), 'damaged-again')
    t.equal(assembly.take(1, plain(bad)), 'damaged')
    t.equal(assembly.take(0, plain(first)), 'good')
  },
)

t.test('bytes of a snapshot are those of its pieces', async t => {
  const expected = snapshot.pieces.reduce((sum, piece) => sum + piece.length, 0)
  t.equal(snapshotBytes(snapshot.manifest), expected)
})

t.test('a piece that came packed is unpacked, checked, and passed on as it came', async t => {
  const toy = new PiecePacker(new ToyCodec())
  const assembly = new SnapshotAssembly(snapshot.manifest, sha256, toy)
  const [piece = bad] = snapshot.pieces
  const packed = new ToyCodec().pack(piece)
  t.equal(assembly.take(0, { codec: 9, bytes: packed.bytes }), 'damaged', 'of an unknown codec')
  t.equal(assembly.take(0, packed), 'good')
  const rest = snapshot.pieces.slice(1).map((piece, index) => ({ index: index + 1, piece }))
  for (const { index, piece } of rest) t.equal(assembly.take(index, plain(piece)), 'good')
  const [taken = bad] = assembly.snapshot?.pieces ?? []
  t.same(taken, piece)
  t.equal(toy.packedFor(taken, toy.codecs), packed)
})

t.test('packing that makes more of a piece is not kept: the manifest says what may be', async t => {
  const unpacked: Uint8Array[] = []
  const padded: SnapshotCodec = {
    codecs: 2,
    pack: bytes => ({ codec: 2, bytes }),
    unpack: ({ bytes }, length) => {
      const piece = bytes.slice(0, length)
      unpacked.push(piece)
      return piece
    },
  }
  const packer = new PiecePacker(padded)
  const assembly = new SnapshotAssembly(snapshot.manifest, sha256, packer)
  const [piece = bad] = snapshot.pieces
  const bytes = new Uint8Array(piece.length + 1)
  bytes.set(piece)
  t.equal(assembly.take(0, { codec: 2, bytes }), 'good')
  const [taken = bad] = unpacked
  t.notOk(packer.isReadyFor(taken, 2))
  t.equal(packer.packedFor(taken, 2).bytes.length, piece.length)
})
