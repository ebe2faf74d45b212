/* Very many viewers, and those who do not read. */
import { setTimeout as delay } from 'node:timers/promises'
import { applySchedule } from '../faults/apply-schedule.ts'
import { memoryOf, metricsOf } from '../processes/node-numbers.ts'
import type { Seen } from '../seen.ts'
import type { Stage } from '../stage.ts'
import { allServed, type Crowd, costOf, crowdMsMax, keepCost, startCrowd } from './crowd.ts'
import { measured, viewersWait, writersWait } from './expectations.ts'
import type { Expectation, Scenario } from './scenario.ts'
import { ledger, options, pair, tree } from './stages.ts'

const storm = 2_000
const herd = 2_000
/** Nobody watches it before the herd comes. */
const cold = 'a/ledger/cold'
const slowLoad = { perSecond: 10, writersPerDocument: 2 }
const reading = { edges: ['edge-1'], stalledShare: 0 }

/** Views that an edge may write out while very many come: some, however many they are. */
const viewsMax = 100
/** What one of very many may cost an edge in memory, what waits for it included, kB. */
const viewerKbMax = 64

/** Who stalls: of 100, and what the edge may have waiting for each of them. */
const stalled = 10
const stalledKbMax = 2_048
/** The delay of those who read may be so many times what it was, or below a floor, ms. */
const slowerTimesMax = 3
const delayFloorMs = 100

/** The costs of a crowd, with so many streams that its edge has to ask for. */
const crowdCosts = (seen: Seen, joins: number): Expectation[] => [
  measured(seen, 'joins', {
    what: 'streams that the parent of the edge was asked for meanwhile',
    atLeast: joins,
    // On a machine that is too busy, who does not hear of its parent asks again.
    atMost: joins + (seen.measures['joins anew'] ?? 0),
  }),
  measured(seen, 'views', { what: 'views that the edge wrote out for all', atMost: viewsMax }),
  measured(seen, 'kB each', { what: 'memory of the edge for each, kB', atMost: viewerKbMax }),
]

/** The connections of a crowd's edge end; until all are back and have what was written by then. */
async function stormAt(stage: Stage, crowd: Crowd): Promise<void> {
  const { seqs } = await stage.writers.ask('tell')
  await applySchedule(stage, [{ atMs: 0, fault: 'break', args: { node: 'edge-1' } }])
  await crowd.until('the crowd notices', ({ served }) => served < storm / 2)
  stage.measures['back'] = await allServed(crowd, seqs[ledger])
  const { wentBack, resumed, snapshots } = await crowd.ask('tell')
  stage.measures['went back'] = wentBack
  stage.measures['resumed'] = resumed
  stage.measures['snapshots'] = snapshots
}

/** Those who read are watched while all read, and while some do not. */
async function stall(stage: Stage): Promise<void> {
  const { measures, fleet } = stage
  const readers = await startCrowd(stage, { ...reading, count: 100 - stalled, rampMs: 200 })
  await allServed(readers)
  await stage.phase('before', () => delay(5_000))
  const { pid } = fleet.node('edge-1')
  const { nowKb } = memoryOf(pid)
  await startCrowd(stage, { edges: ['edge-1'], count: stalled, rampMs: 200, stalledShare: 1 })
  await stage.phase('stalled', () => delay(10_000))
  measures['kB each'] = (memoryOf(pid).peakKb - nowKb) / stalled
  measures['went back'] = (await readers.ask('tell')).wentBack
  const metrics = await metricsOf(stage, 'edge-1')
  measures['closed'] = metrics.sum('viewer_closes_total', { reason: 'too-slow' })
}

/** How much later those who read are shown something while others do not. */
function slowerBy({ delaysMs }: Seen): Expectation[] {
  const before = Math.max(1, delaysMs['before'] ?? Number.NaN)
  const during = delaysMs['stalled'] ?? Number.NaN
  const atMost = Math.max(slowerTimesMax * before, delayFloorMs)
  return [
    { what: '99 of 100 changes are shown to who reads within, ms', seen: during, atMost },
    { what: 'that is of what it was before, %', seen: (100 * during) / before, atLeast: 0 },
  ]
}

/** Scenarios of many. */
export const crowdScenarios: readonly Scenario[] = [
  {
    name: 'storm',
    does: `the connections of ${storm} viewers of an edge end at once`,
    needs: ['networks'],
    seconds: 25,
    stage: () => tree(slowLoad),
    run: async stage => {
      const cost = await costOf(stage, { edge: 'edge-1', parent: 'proxy-a' }, async () => {
        const crowd = await startCrowd(stage, { ...reading, count: storm, rampMs: 1_500 })
        await allServed(crowd)
        await stormAt(stage, crowd)
      })
      keepCost(stage, cost, storm)
    },
    expects: seen => [
      measured(seen, 'back', {
        what: 'all are back and have what was written, ms',
        atMost: 5_000,
      }),
      measured(seen, 'went back', { what: 'shown an earlier seq', atMost: 0 }),
      ...crowdCosts(seen, 0),
    ],
  },
  {
    name: 'storm-without-authority',
    does: `the connections of ${storm} viewers end at once while the authority is away: an edge has what they need`,
    needs: ['networks'],
    seconds: 32,
    stage: () => tree(slowLoad),
    run: async stage => {
      const crowd = await startCrowd(stage, { ...reading, count: storm, rampMs: 1_500 })
      await allServed(crowd)
      await stage.fleet.node('authority').kill()
      const startedAtMs = performance.now()
      await applySchedule(stage, [{ atMs: 0, fault: 'break', args: { node: 'edge-1' } }])
      await crowd.until('the crowd notices', ({ connected }) => connected < storm / 2)
      await crowd.until('all are back', ({ connected }) => connected === storm, crowdMsMax)
      stage.measures['back'] = performance.now() - startedAtMs
      await stage.fleet.restart('authority')
      const { seqs } = await stage.writers.ask('tell')
      stage.measures['served'] = await allServed(crowd, seqs[ledger])
      stage.measures['went back'] = (await crowd.ask('tell')).wentBack
    },
    expects: seen => [
      measured(seen, 'back', { what: 'all are connected again, ms', atMost: 6_000 }),
      measured(seen, 'served', {
        what: 'and have what was written once the authority is back, ms',
        atMost: 5_000,
      }),
      measured(seen, 'went back', { what: 'shown an earlier seq', atMost: 0 }),
    ],
  },
  {
    name: 'herd',
    does: `${herd} viewers come within a second to a document of 35 kB that their edge does not have`,
    needs: [],
    seconds: 20,
    stage: () =>
      pair({ docs: [ledger, cold], writersPerDocument: 4, perSecond: 1, valueLength: 9_000 }),
    run: async stage => {
      await delay(4_000)
      const cost = await costOf(stage, { edge: 'edge-1', parent: 'authority' }, async () => {
        const startedAtMs = performance.now()
        const crowd = { ...reading, count: herd, rampMs: 1_000, doc: cold }
        await allServed(await startCrowd(stage, crowd))
        stage.measures['served'] = performance.now() - startedAtMs
      })
      keepCost(stage, cost, herd)
    },
    expects: seen => [
      measured(seen, 'served', { what: 'all have it, their second included, ms', atMost: 5_000 }),
      viewersWait(seen, 2_500),
      ...crowdCosts(seen, 1),
    ],
  },
  {
    name: 'stalled-viewers',
    does: `a tenth of 100 viewers never reads: they are closed after 4 s, and nobody else waits`,
    needs: [],
    seconds: 28,
    stage: () =>
      pair({
        perSecond: 25,
        valueLength: 4_000,
        change: { 'edge-1': options({ 'limits.viewerStallMaxMs': '4s' }) },
      }),
    run: stall,
    expects: seen => [
      viewersWait(seen, 1_000),
      writersWait(seen, 1_000),
      measured(seen, 'closed', {
        what: 'connections that the edge closed as too slow',
        atLeast: stalled,
        atMost: stalled,
      }),
      measured(seen, 'went back', { what: 'shown an earlier seq', atMost: 0 }),
      ...slowerBy(seen),
      measured(seen, 'kB each', {
        what: 'memory of the edge for each who does not read, kB',
        atMost: stalledKbMax,
      }),
    ],
  },
]
