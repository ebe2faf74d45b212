import t from 'tap'
import { type LimitName, limitOf, limits } from '../src/limits.ts'

await t.test('every limit is a positive integer with a unit and a sentence', async t => {
  for (const [name, limit] of Object.entries(limits)) {
    t.ok(Number.isSafeInteger(limit.value) && limit.value > 0, name)
    t.match(limit.unit, /^[a-z]+$/, name)
    t.match(limit.meaning, /^[a-z].+[^.]$/, name)
    t.equal(limitOf(name as LimitName), limit)
  }
})

await t.test('any record fits in a frame of records, any piece in a frame of its own', async t => {
  const frame = limits.linkFrameBytesMax.value
  t.ok(5 + 4 + limits.recordBytesMax.value <= frame)
  t.ok(6 + 4 + limits.recordBytesMax.value <= frame, 'replayed')
  t.ok(10 + limits.snapshotPieceBytesMax.value <= frame)
})

await t.test('the largest variant fits in a frame, with all that goes with it', async t => {
  const head = 1 + 32 + 2 + limits.keyBytesMax.value + 2 + limits.helloTextBytesMax.value + 2 + 128
  t.ok(head + limits.variantBytesMax.value <= limits.linkFrameBytesMax.value)
})

await t.test(
  'a record has room for a part of each label, of the public, the crowd and the authority',
  async t => {
    t.equal(limits.labelsMax.value + 3, limits.partsPerRecordMax.value)
  },
)

await t.test('the largest manifest fits in a frame', async t => {
  const position = 4 + 8 + 32
  const entries = limits.snapshotPiecesMax.value * (1 + 4 + 32)
  t.ok(1 + 4 + position + 4 + entries <= limits.linkFrameBytesMax.value)
})

await t.test('the largest tree fits in a frame', async t => {
  const { treeEntriesMax, nodeNameBytesMax } = limits
  const names = 2 * (2 + nodeNameBytesMax.value)
  const standing = 4 + 8 + 8 + 4 + 4 + 1 + 4 + 4 + 4 + 8 + 2 + 64
  const entry = 2 + 2 + 1 + names + 1 + standing
  t.ok(1 + 4 + 2 + treeEntriesMax.value * entry <= limits.linkFrameBytesMax.value)
})

await t.test('lengths fit the fields that carry them', async t => {
  t.ok(limits.keyBytesMax.value <= 0xff, 'a record has one byte for the length of its key')
  t.ok(limits.recordsFrameBytesTarget.value <= limits.linkFrameBytesMax.value)
})
