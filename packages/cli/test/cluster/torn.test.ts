/*
 * What crashes of machines and bad disks leave: the newest segment of a stopped authority is torn,
 * zeroed, flipped or doubled at its end, and the authority is started again.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type PlacedRecord, recordsIn, segmentPaths } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { RawViewer } from './raw-viewer.ts'
import { canonicalHash, finalHashByRule, seededRecording } from './recording.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const lineCount = 40
const { state, lines } = seededRecording('torn', lineCount + 1)
const extra = lines[lineCount]
/** Records before the lines: the definition, the beginning, and the state. */
const recordsBefore = 3

/** One way to hurt the end of a segment; records are counted from the end. */
type Recipe = {
  readonly id: string
  /** The segment afterwards. */
  readonly hurt: (bytes: Buffer, records: readonly PlacedRecord[]) => Buffer
  /** Acknowledged records that it destroys. */
  readonly lost: number
}

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x10
  return copy
}
const zeroed = (bytes: Buffer, count: number): Buffer =>
  Buffer.concat([bytes.subarray(0, bytes.length - count), Buffer.alloc(count)])
const lastBytes = (records: readonly PlacedRecord[], count: number): number =>
  records.slice(-count).reduce((sum, { start, end }) => sum + end - start, 0)

const tails: readonly Recipe[] = [
  { id: 'flip-last-byte', lost: 1, hurt: bytes => flipped(bytes, bytes.length - 1) },
  {
    id: 'flip-last-length',
    lost: 1,
    hurt: (bytes, records) => flipped(bytes, (records.at(-1)?.start ?? 0) + 2),
  },
  {
    id: 'flip-last-checksum',
    lost: 1,
    hurt: (bytes, records) => flipped(bytes, (records.at(-1)?.start ?? 0) + 5),
  },
  { id: 'truncate-1', lost: 1, hurt: bytes => bytes.subarray(0, bytes.length - 1) },
  {
    id: 'truncate-to-record',
    lost: 1,
    hurt: (bytes, records) => bytes.subarray(0, bytes.length - lastBytes(records, 1)),
  },
  {
    id: 'truncate-3-and-a-bit',
    lost: 4,
    hurt: (bytes, records) => bytes.subarray(0, bytes.length - lastBytes(records, 3) - 7),
  },
  { id: 'zero-1-byte-of-length', lost: 1, hurt: (b, records) => zeroed(b, lastBytes(records, 1)) },
  { id: 'zero-2-and-a-bit', lost: 3, hurt: (b, records) => zeroed(b, lastBytes(records, 2) + 11) },
  { id: 'zeros-behind', lost: 0, hurt: bytes => Buffer.concat([bytes, Buffer.alloc(4_096)]) },
  {
    id: 'double-last-record',
    lost: 0,
    hurt: (b, records) => Buffer.concat([b, b.subarray(b.length - lastBytes(records, 1))]),
  },
  { id: 'double-last-64-bytes', lost: 0, hurt: b => Buffer.concat([b, b.subarray(-64)]) },
  {
    id: 'double-last-3-records',
    lost: 0,
    hurt: (b, records) => Buffer.concat([b, b.subarray(b.length - lastBytes(records, 3))]),
  },
]

const middles: readonly Omit<Recipe, 'lost'>[] = [
  {
    id: 'flip-middle',
    hurt: (bytes, records) => flipped(bytes, (records[20]?.start ?? 0) + 150),
  },
  { id: 'flip-header', hurt: bytes => flipped(bytes, 9) },
  {
    id: 'zero-a-record',
    hurt: (bytes, records) => {
      const { start = 0, end = 0 } = records[20] ?? {}
      const copy = Buffer.from(bytes)
      copy.fill(0, start, end)
      return copy
    },
  },
]

const docOf = ({ id }: { readonly id: string }): string => `a/timing/${id}`
const all = [...tails, ...middles]
const cluster = await Cluster.open(t)
const { token } = cluster
const settings = { name: 'node', roles: ['authority', 'edge'] as const }
const data = `${cluster.directory}/node`

const before = await cluster.start(settings)
const firstWriter = await Writer.open({ url: before.url, token })
const committedAt = new Map<string, number[]>()
for (const recipe of all) {
  const doc = docOf(recipe)
  const answers = [await firstWriter.send(doc, { message: 'start', value: { state } })]
  for (const [index, value] of lines.slice(0, lineCount).entries()) {
    answers.push(await firstWriter.send(doc, { message: 'merge', value }, `line-${index}`))
  }
  committedAt.set(
    doc,
    answers.map(({ seq = 0 }) => seq),
  )
}
await before.stop()
for (const recipe of all) {
  const path = segmentPaths(data, docOf(recipe)).at(-1) ?? ''
  writeFileSync(path, recipe.hurt(readFileSync(path), [...recordsIn(path)]))
}
const node = await cluster.start(settings)
const writer = await Writer.open({ url: node.url, token })

for (const recipe of tails) {
  await t.test(`${recipe.id}: the document goes on from its last good record`, async t => {
    const doc = docOf(recipe)
    const kept = lineCount - recipe.lost
    const lastSeq = recordsBefore + kept
    const viewer = await RawViewer.open({ url: node.url, token, doc })
    await viewer.untilSeq(lastSeq)
    t.equal(viewer.seq, lastSeq, `${recipe.lost} of ${lineCount} lines are lost`)
    t.equal(canonicalHash(viewer.state ?? {}), finalHashByRule(state, lines.slice(0, kept)))

    const again = await writer.send(
      doc,
      { message: 'merge', value: lines[kept - 1] },
      `line-${kept - 1}`,
    )
    t.equal(again.seq, committedAt.get(doc)?.[kept], 'what was kept is remembered by its id')
    const { type, seq = 0 } = await writer.send(doc, { message: 'merge', value: extra })
    t.equal(type, 'committed')
    await viewer.untilSeq(seq)
    t.equal(seq, lastSeq + 2, 'after the record that claims the next epoch')
    const expected = finalHashByRule(state, [...lines.slice(0, kept), ...lines.slice(lineCount)])
    t.equal(canonicalHash(viewer.state ?? {}), expected)
    t.same(viewer.problems, [])
    viewer.close()
  })
}

for (const recipe of middles) {
  await t.test(`${recipe.id}: the document is refused, and nothing of it is changed`, async t => {
    const doc = docOf(recipe)
    const path = segmentPaths(data, doc).at(-1) ?? ''
    const bytes = readFileSync(path)
    const code = 'FANFOLD_LOG_DAMAGED'
    const answer = await writer.send(doc, { message: 'merge', value: extra })
    t.match(answer, { type: 'rejected', code })
    const viewer = await RawViewer.open({ url: node.url, token, doc })
    await viewer.untilTold({ type: 'refused', doc, code })
    t.same(viewer.snapshots, [])
    t.same(segmentPaths(data, doc), [path])
    t.ok(readFileSync(path).equals(bytes))
    viewer.close()
  })
}

await t.test('what went on goes on after another restart', async t => {
  await node.stop()
  const third = await cluster.start(settings)
  for (const recipe of tails) {
    const doc = docOf(recipe)
    const viewer = await RawViewer.open({ url: third.url, token, doc })
    const kept = lines.slice(0, lineCount - recipe.lost)
    await viewer.untilSeq(recordsBefore + kept.length + 2)
    const expected = finalHashByRule(state, [...kept, ...lines.slice(lineCount)])
    t.equal(canonicalHash(viewer.state ?? {}), expected, recipe.id)
    viewer.close()
  }
})
