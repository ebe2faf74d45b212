import t from 'tap'
import { byCommand, bySocket, checkPlay, type Player } from './played.ts'
import {
  electionRecording,
  type Recording,
  realdataSkip,
  seededRecording,
  timingRecording,
} from './recording.ts'
import { poisonProxies, startTree } from './tree.ts'

t.setTimeout(400_000)
const tree = await startTree(t)
await poisonProxies(tree)

const play = (id: string, recording: Recording, player: Player = byCommand, middleCount = 3) => ({
  tree,
  id,
  recording,
  player,
  middleCount,
})

await t.test('a recording from a seed arrives at the edge as it was committed', async t => {
  await checkPlay(t, play('seeded', seededRecording('recordings', 3_000)))
})

await t.test(
  'a qualifying arrives at the edge as it was committed',
  { skip: realdataSkip },
  async t => {
    const recording = timingRecording('f1-2024-imola-qualifying')
    t.equal(recording.lines.length, 9_991)
    await checkPlay(t, play('qualifying', recording))
  },
)

await t.test(
  'a practice with large opaque values arrives at the edge as it was committed',
  { skip: realdataSkip },
  async t => {
    await checkPlay(t, play('practice', timingRecording('f1-2023-monaco-fp2')))
  },
)

await t.test(
  'the results of an election arrive at the edge as they were committed',
  { skip: realdataSkip },
  async t => {
    await checkPlay(t, play('election', electionRecording()))
  },
)

await t.test('ten recordings at once on one tree end each in its own state', async t => {
  const recordings = tenRecordings()
  await Promise.all(
    recordings.map((one, index) => checkPlay(t, play(`at-once-${index}`, one, bySocket, 1))),
  )
  t.equal(recordings.length, 10)
})

await t.test('the proxies forwarded all of it without parsing any JSON', async t => {
  for (const proxy of tree.proxies) {
    t.ok(proxy.isRunning, proxy.errors.join('\n'))
    t.same(proxy.errors, [])
  }
})

/** Real recordings, some of them several times, and some from a seed. */
function tenRecordings(): Recording[] {
  const real = realdataSkip
    ? []
    : [
        timingRecording('f1-2024-imola-qualifying'),
        timingRecording('f1-2023-monaco-fp2'),
        electionRecording(),
      ]
  return Array.from(
    { length: 10 },
    (_, index) => real[index % 5] ?? seededRecording(`at once ${index}`, 800),
  )
}
