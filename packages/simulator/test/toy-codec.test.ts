import { canUnpack } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { toyCodec } from '../src/toy-codec.ts'

const prng = new Prng('pieces')

t.test('what is packed is unpacked again, and no byte more or less', async t => {
  for (const length of [0, 1, 2, 999, 1_000, 65_534, 65_536]) {
    const piece = prng.bytes(length)
    const packed = toyCodec.pack(piece)
    t.same(toyCodec.unpack(packed, length), piece)
    t.ok(packed.bytes.length <= 65_536, 'a link carries it')
    t.equal(toyCodec.unpack(packed, length + 1), undefined)
    t.ok(canUnpack(toyCodec.codecs, packed))
    t.equal(canUnpack(0, packed), packed.codec === 0)
  }
})

t.test('what is of no codec that it knows is not unpacked', async t => {
  t.equal(toyCodec.unpack({ codec: 2, bytes: new Uint8Array(4) }, 3), undefined)
  t.equal(toyCodec.unpack({ codec: 1, bytes: new Uint8Array(4) }, 3), undefined)
})
