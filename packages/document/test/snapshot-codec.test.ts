import { readFileSync } from 'node:fs'
import t from 'tap'
import { canUnpack, plainCodec, snapshotCodecs } from '../src/snapshot-codec.ts'

const bytes = Uint8Array.of(1, 2, 3)

await t.test('a piece that is not packed can be taken by everybody', async t => {
  t.ok(canUnpack(0, { codec: snapshotCodecs.none, bytes }))
  t.same(plainCodec.pack(bytes), { codec: snapshotCodecs.none, bytes })
  t.equal(plainCodec.unpack(plainCodec.pack(bytes), 3), bytes)
})

await t.test('a codec is bit n - 1 of those that can be unpacked', async t => {
  for (let codec = 1; codec <= 32; codec++) {
    const bit = 2 ** (codec - 1)
    t.ok(canUnpack(bit, { codec, bytes }), `${codec}`)
    t.notOk(canUnpack(0xffff_ffff - bit, { codec, bytes }), `${codec}`)
  }
  t.notOk(canUnpack(0xffff_ffff, { codec: 33, bytes }))
})

await t.test('a piece of another length, or packed, is none for who packs nothing', async t => {
  t.equal(plainCodec.unpack({ codec: snapshotCodecs.none, bytes }, 2), undefined)
  t.equal(plainCodec.unpack({ codec: snapshotCodecs.deflate, bytes }, 3), undefined)
})

await t.test('the codecs are those of docs/protocol.md', async t => {
  const text = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8')
  const [, rows = ''] = text.split('| codec | number | |\n| --- | --- | --- |\n')
  const [table = ''] = rows.split('\n\n')
  const written = [...table.matchAll(/^\| (\w+) \| (\d+) \|/gm)].map(([, name, n]) => [name, n])
  const declared = Object.entries(snapshotCodecs).map(([name, number]) => [name, String(number)])
  t.same(written, declared)
})
