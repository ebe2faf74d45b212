import t, { type Test } from 'tap'
import { RawViewer } from './raw-viewer.ts'
import {
  canonicalHash,
  electionRecording,
  type Recording,
  realdataSkip,
  seededRecording,
  timingRecording,
} from './recording.ts'
import { publicPayload, readRecords } from './segment-files.ts'
import { poisonProxies, startTree } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(120_000)
const tree = await startTree(t)
await poisonProxies(tree)
const { token } = tree.cluster

/** Plays a recording to the edge of the tree and checks all that its viewers got. */
async function play(t: Test, id: string, recording: Recording): Promise<void> {
  const doc = `a/timing/${id}`
  const { state, lines, finalHash } = recording
  const writer = await Writer.open({ url: tree.authority.url, token })
  const { seq: startSeq = 0 } = await writer.send(doc, { message: 'start', value: { state } })

  const viewers: RawViewer[] = []
  const join = async (): Promise<RawViewer> => {
    const viewer = await RawViewer.open({ url: tree.edge.url, token, doc })
    viewers.push(viewer)
    return viewer
  }
  const first = await join()
  await first.untilSeq(startSeq)
  const middle: Promise<unknown>[] = []
  const messages = lines.map(value => ({ message: 'merge', value }))
  const joinAt = new Set([1, 2, 3].map(quarter => Math.floor((lines.length * quarter) / 4)))
  const lastSeq = await writer.sendAll(doc, messages, {
    onCommitted: count => joinAt.has(count) && middle.push(join()),
  })
  await Promise.all([...middle, join()])

  for (const viewer of viewers) {
    await viewer.untilSeq(lastSeq)
    t.same(viewer.problems, [], 'ranges adjoin and every delta applies')
    t.equal(canonicalHash(viewer.state ?? {}), finalHash, `the state of seq ${lastSeq}`)
  }
  t.equal(lastSeq, startSeq + lines.length, 'each line is one record')
  t.same(first.snapshots, [startSeq], 'who was there from the start got one snapshot')
  t.equal(first.deltas.length, lines.length, 'and every delta')
  const records = new Map(readRecords(tree.data, doc).map(record => [record.seq, record]))
  const differing = first.deltas.filter(({ seq, patch }) => {
    const record = records.get(seq)
    return record === undefined || !publicPayload(record).equals(patch)
  })
  t.same(differing, [], 'the bytes of each patch are those of the log')
  for (const viewer of viewers) viewer.close()
  writer.close()
}

await t.test('a recording from a seed arrives at the edge as it was committed', async t => {
  await play(t, 'seeded', seededRecording('recordings', 3_000))
})

await t.test(
  'a qualifying arrives at the edge as it was committed',
  { skip: realdataSkip },
  async t => {
    const recording = timingRecording('f1-2024-imola-qualifying')
    t.equal(recording.lines.length, 9_991)
    await play(t, 'qualifying', recording)
  },
)

await t.test(
  'a practice with large opaque values arrives at the edge as it was committed',
  { skip: realdataSkip },
  async t => {
    await play(t, 'practice', timingRecording('f1-2023-monaco-fp2'))
  },
)

await t.test(
  'the results of an election arrive at the edge as they were committed',
  { skip: realdataSkip },
  async t => {
    await play(t, 'election', electionRecording())
  },
)

await t.test('ten recordings at once on one tree end each in its own state', async t => {
  const recordings = realdataSkip
    ? Array.from({ length: 10 }, (_, index) => seededRecording(`at once ${index}`, 600))
    : atOnce()
  await Promise.all(recordings.map((recording, index) => play(t, `at-once-${index}`, recording)))
  t.equal(recordings.length, 10)
})

await t.test('the proxies forwarded all of it without parsing any JSON', async t => {
  for (const proxy of tree.proxies) {
    t.ok(proxy.isRunning, proxy.errors.join('\n'))
    t.same(proxy.errors, [])
  }
})

/** Parts of the real recordings and of one from a seed, each with the state that it ends in. */
function atOnce(): Recording[] {
  const whole = [
    timingRecording('f1-2024-imola-qualifying'),
    timingRecording('f1-2023-monaco-fp2'),
    electionRecording(),
  ]
  return Array.from(
    { length: 10 },
    (_, index) => whole[index % 4] ?? seededRecording(`at once ${index}`, 1_000),
  )
}
