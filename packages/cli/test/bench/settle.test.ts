import t from 'tap'
import type { ReplicaView } from '../../src/bench/replica-viewer.ts'
import { settle } from '../../src/bench/settle.ts'
import type { SwarmLook } from '../../src/bench/swarm-message.ts'
import { SwarmTally } from '../../src/bench/swarm-tally.ts'
import { VirtualClock } from '../fake-terminal.ts'

const { counts, sinceWrite, sinceCommit, waits } = new SwarmTally()
const replica = (seq: number, sha256: string): ReplicaView => ({ epoch: 1, seq, count: 0, sha256 })

/**
 * A swarm of one process with a replica and other viewers, and a viewer that comes late.
 *
 * @param seqs where the viewers are, the replica first, by the time, ms
 */
async function run(options: {
  readonly seqs: (nowMs: number) => readonly number[]
  readonly view?: (seq: number) => string
  readonly late: ReplicaView | undefined
  readonly endSeq: number
}) {
  const { seqs, view = seq => `view ${seq}`, late, endSeq } = options
  const clock = new VirtualClock()
  const look = async (asked: { endSeq?: number; withViews?: boolean } = {}) => {
    const now = seqs(clock.now())
    const lacking = now.map(seq => Math.max(0, (asked.endSeq ?? 0) - seq))
    const one: SwarmLook = {
      counts,
      sinceWrite,
      sinceCommit,
      waits,
      live: now.length,
      stale: 0,
      away: 0,
      refused: 0,
      replicaCount: 1,
      lastWrites: 0,
      busy: 0,
      seqMax: Math.max(...now),
      seqSum: now.reduce((sum, seq) => sum + seq, 0),
      behind: lacking.filter(count => count > 0).length,
      missing: lacking.reduce((sum, count) => sum + count, 0),
      replicas: asked.withViews ? now.slice(0, 1).map(seq => replica(seq, view(seq))) : [],
    }
    return [one]
  }
  const opened: string[] = []
  const settled = await settle({
    swarm: { look },
    late: {
      open: () => opened.push('opened'),
      close: () => opened.push('closed'),
      show: () => late,
      place: late,
    },
    endSeq,
    clock,
    settleMs: 10_000,
  })
  t.same(opened, ['opened', 'closed'])
  return { ...settled, missing: settled.looks[0]?.missing, endedAt: clock.now() }
}

await t.test('viewers that are all at the end are settled at once', async t => {
  const found = await run({ seqs: () => [7, 7, 7], late: replica(7, 'view 7'), endSeq: 7 })
  t.match(found, { violations: [], missing: 0, isCompared: true, endedAt: 0 })
})

await t.test('who is late is waited for', async t => {
  const seqs = (nowMs: number) => [7, nowMs < 3_000 ? 5 : 7]
  const found = await run({ seqs, late: replica(7, 'view 7'), endSeq: 7 })
  t.match(found, { violations: [], missing: 0 })
  t.ok(found.endedAt >= 3_000 && found.endedAt < 4_000)
})

await t.test('who has a connection and never comes is a violation', async t => {
  const found = await run({ seqs: () => [7, 5], late: replica(7, 'view 7'), endSeq: 7 })
  t.match(found, { violations: ['1 viewers that are live are not at seq 7'], missing: 2 })
})

await t.test(
  'records that viewers may not see are not missed, as who comes now sees the same',
  async t => {
    const found = await run({ seqs: () => [5, 5], late: replica(7, 'view 5'), endSeq: 7 })
    t.match(found, { violations: [], missing: 0, isCompared: true })
    t.ok(found.endedAt < 2_000, 'it is not waited for what does not come')
  },
)

await t.test('a delta that nobody was sent is missed, as who comes now sees more', async t => {
  const found = await run({ seqs: () => [5, 5], late: replica(7, 'view 7'), endSeq: 7 })
  t.match(found, { violations: ['2 viewers that are live are not at seq 7'], missing: 4 })
})

await t.test('what nobody is shown, nor who comes now, is missing and no violation', async t => {
  const found = await run({ seqs: () => [5, 5], late: replica(5, 'view 5'), endSeq: 7 })
  t.match(found, { violations: [], missing: 4, unseen: 2 })
  t.ok(found.endedAt >= 10_000, 'it was waited for')
})

await t.test('a view that is not what who comes now is shown is a violation', async t => {
  const found = await run({ seqs: () => [7, 7], late: replica(7, 'another'), endSeq: 7 })
  t.match(found.violations, ['2 replicas at 1:7 show 2 views'])
})

await t.test('where nobody is let in any more, nobody is held against anybody', async t => {
  const found = await run({ seqs: () => [7, 7], late: undefined, endSeq: 7 })
  t.match(found, { violations: [], missing: 0 })
})
