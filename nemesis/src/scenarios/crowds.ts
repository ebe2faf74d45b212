/* Very many viewers, slow ones, far ones, and those who were told a dead address. */
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '@fanfold/kernel'
import { applySchedule } from '../faults/apply-schedule.ts'
import { DelayRelay } from '../processes/delay-relay.ts'
import type { Stage } from '../stage.ts'
import { allServed, type Crowd, crowdMsMax, startCrowd } from './crowd.ts'
import type { Scenario } from './scenario.ts'
import { ledger, options, pair, tree } from './stages.ts'

const storm = 2_000
const herd = 2_000

/** Breaks all connections of the crowd's edge; until all are back and have what was written by then. */
async function stormAt(stage: Stage, crowd: Crowd): Promise<void> {
  const { seqs } = await stage.writers.ask('tell')
  await applySchedule(stage, [{ atMs: 0, fault: 'break', args: { node: 'edge-1' } }])
  await crowd.until('the crowd notices', ({ served, reading }) => served < reading / 2)
  stage.measures['back'] = await allServed(crowd, seqs[ledger])
  const { wentBack, resumed, snapshots } = await crowd.ask('tell')
  stage.measures['went back'] = wentBack
  stage.measures['resumed'] = resumed
  stage.measures['snapshots'] = snapshots
}

/** How many viewers an edge of this machine has closed as they were too slow. */
async function closedAsSlow({ fleet }: Stage): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${fleet.node('edge-1').adminPort}/metrics`)
  const metric = /^fanfold_viewer_closes_total\{reason="too-slow".*\} (\d+)$/m
  return Number(metric.exec(await answer.text())?.[1] ?? 0)
}

const slowLoad = { perSecond: 10, writersPerDocument: 2 }

/** Scenarios of many. */
export const crowdScenarios: readonly Scenario[] = [
  {
    name: 'storm',
    does: `the connections of ${storm} viewers of an edge end at once`,
    needs: ['networks'],
    seconds: 25,
    stage: () => tree(slowLoad),
    run: async stage => {
      const crowd = await startCrowd(stage, {
        edges: ['edge-1'],
        count: storm,
        rampMs: 1_500,
        stalledShare: 0,
      })
      await allServed(crowd)
      await stormAt(stage, crowd)
    },
    expects: ({ measures }) => [
      {
        what: 'all are back and have what was written, ms',
        seen: measures['back'] ?? -1,
        atLeast: 0,
        atMost: 5_000,
      },
      { what: 'shown an earlier seq', seen: measures['went back'] ?? -1, atLeast: 0, atMost: 0 },
    ],
  },
  {
    name: 'storm-without-authority',
    does: `the connections of ${storm} viewers end at once while the authority is away: an edge has what they need`,
    needs: ['networks'],
    seconds: 32,
    stage: () => tree(slowLoad),
    run: async stage => {
      const crowd = await startCrowd(stage, {
        edges: ['edge-1'],
        count: storm,
        rampMs: 1_500,
        stalledShare: 0,
      })
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
    expects: ({ measures }) => [
      {
        what: 'all are connected again, ms',
        seen: measures['back'] ?? -1,
        atLeast: 0,
        atMost: 6_000,
      },
      {
        what: 'and have what was written once the authority is back, ms',
        seen: measures['served'] ?? -1,
        atLeast: 0,
        atMost: 5_000,
      },
      { what: 'shown an earlier seq', seen: measures['went back'] ?? -1, atLeast: 0, atMost: 0 },
    ],
  },
  {
    name: 'herd',
    does: `${herd} viewers come to a document of 70 kB within a second`,
    needs: [],
    seconds: 18,
    stage: () => pair({ writersPerDocument: 4, perSecond: 2, valueLength: 9_000 }),
    run: async stage => {
      await delay(4_000)
      const startedAtMs = performance.now()
      const crowd = await startCrowd(stage, {
        edges: ['edge-1'],
        count: herd,
        rampMs: 1_000,
        stalledShare: 0,
      })
      await allServed(crowd)
      stage.measures['served'] = performance.now() - startedAtMs
    },
    expects: ({ measures, viewGapMs }) => [
      {
        what: 'all have it, their second included, ms',
        seen: measures['served'] ?? -1,
        atLeast: 0,
        atMost: 4_000,
      },
      { what: 'those who were there wait no longer, ms', seen: viewGapMs, atMost: 2_000 },
    ],
  },
  {
    name: 'stalled-viewers',
    does: 'a tenth of 100 viewers never reads: they are closed after 4 s, and nobody else waits',
    needs: [],
    seconds: 22,
    stage: () =>
      pair({
        perSecond: 25,
        valueLength: 4_000,
        change: { 'edge-1': options({ 'limits.viewerStallMaxMs': '4s' }) },
      }),
    run: async stage => {
      const crowd = await startCrowd(stage, {
        edges: ['edge-1'],
        count: 100,
        rampMs: 200,
        stalledShare: 0.1,
      })
      await allServed(crowd)
      await delay(10_000)
      stage.measures['went back'] = (await crowd.ask('tell')).wentBack
      stage.measures['closed'] = await closedAsSlow(stage)
    },
    expects: ({ measures, viewGapMs, ackGapMs }) => [
      { what: 'nobody else waits for something new, ms', seen: viewGapMs, atMost: 1_000 },
      { what: 'nor for an acknowledgement, ms', seen: ackGapMs, atMost: 1_000 },
      {
        what: 'connections that the edge closed as too slow',
        seen: measures['closed'] ?? 0,
        atLeast: 10,
        atMost: 10,
      },
      { what: 'shown an earlier seq', seen: measures['went back'] ?? -1, atLeast: 0, atMost: 0 },
    ],
  },
  {
    name: 'far-away',
    does: 'an edge is 40 ms away each way, and of 50 pieces one waits 200 ms more: nothing waits for answers',
    needs: [],
    seconds: 15,
    stage: async ({ directory, cleanups }) => {
      const profile = { delayMs: 40, lossShare: 0.02, repairMs: 200 }
      const relay = await DelayRelay.open(profile, new Prng(directory), cleanups)
      return pair({ perSecond: 300, change: { 'edge-1': { relay } } })
    },
    run: () => delay(6_000),
    expects: seen => [
      { what: 'all viewers show the last write, ms', seen: seen.convergedMs, atMost: 1_000 },
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 1_000 },
    ],
  },
  {
    name: 'dead-parent',
    does: 'the first parent of an edge is an address where nobody is: it goes to the next',
    needs: ['networks'],
    seconds: 14,
    stage: () =>
      tree({
        change: { 'edge-1': { parents: ['ws://10.88.0.99:9600', 'proxy-a'] } },
        viewers: [{ name: 'v0', edges: ['edge-1'], audience: 'open' }],
      }),
    schedule: () => [{ atMs: 500, fault: 'kill', args: { node: 'edge-1', downMs: 0 } }],
    expects: seen => [
      {
        what: 'from its death until its viewer is shown something new, ms',
        seen: seen.viewGapMs,
        atMost: 4_000,
      },
    ],
  },
]
