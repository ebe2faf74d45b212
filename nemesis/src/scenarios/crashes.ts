/* Processes that die, pause and get no processor, and losses of power. */
import type { Prng } from '@fanfold/kernel'
import { clockFile } from '../faults/clock-file.ts'
import { fakedClockEnvironment, fakedClockLibrary, setFakedClock } from '../faults/faked-clock.ts'
import { randomSchedule } from '../faults/random-schedule.ts'
import type { Schedule, Step } from '../faults/schedule.ts'
import type { Sizes } from '../sizes.ts'
import { viewersWait, writersWait } from './expectations.ts'
import type { Place, Scenario } from './scenario.ts'
import { type StageChanges, tree } from './stages.ts'

const needs = ['networks'] as const

/** One after the other, so far apart, ms. */
const inTurn = (steps: readonly Omit<Step, 'atMs'>[], everyMs: number): Schedule =>
  // Each step keeps its fault and arguments together; only the time is new.
  steps.map((step, index) => ({ ...step, atMs: 500 + index * everyMs }) as Step)

/** More of memory than it has, for a node that is to die of it. */
const roomBytes = 1_048_576

/** Pairs of nodes that die at one instant, one pair every 5 s. */
function pairsOfKills(prng: Prng, { minutes }: Sizes): Schedule {
  const pairs = [
    ['authority', 'proxy-a'],
    ['edge-1', 'proxy-b'],
    ['edge-2', 'edge-1'],
    ['proxy-a', 'proxy-b'],
    ['authority', 'edge-2'],
  ]
  const count = Math.max(pairs.length, Math.round((minutes * 60) / 5))
  return Array.from({ length: count }, (_, index): Schedule => {
    const pair = pairs[index % pairs.length] ?? []
    return pair.map(node => {
      const args = { node, downMs: prng.below(1_000) }
      return { atMs: 500 + index * 5_000, fault: 'kill', args }
    })
  }).flat()
}

const clockNodes = ['authority', 'edge-1'] as const

/** Nodes whose clocks follow a file each. */
function withFakedClocks({ directory }: Place): StageChanges {
  const library = fakedClockLibrary()
  if (library === undefined) throw new Error('libfaketime is not installed')
  const change = Object.fromEntries(
    clockNodes.map(node => {
      const file = clockFile(directory, node)
      setFakedClock(file, 0)
      return [node, { environment: fakedClockEnvironment(library, file) }]
    }),
  )
  return { change }
}

/** Scenarios of processes. */
export const crashScenarios: readonly Scenario[] = [
  {
    name: 'edge-killed',
    does: 'kill -9 of an edge, three times: its viewers go to the other edge and on from where they were',
    needs,
    seconds: 18,
    stage: () => tree(),
    schedule: () =>
      inTurn(
        ['edge-1', 'edge-2', 'edge-1'].map(node => ({
          fault: 'kill',
          args: { node, downMs: 500 },
        })),
        4_000,
      ),
    expects: seen => [viewersWait(seen, 2_000), writersWait(seen, 1_000)],
  },
  {
    name: 'authority-killed',
    does: 'kill -9 of the authority at any moment, four times',
    needs,
    seconds: 26,
    stage: () => tree(),
    schedule: prng =>
      inTurn(
        Array.from({ length: 4 }, () => ({
          fault: 'kill' as const,
          args: { node: 'authority', downMs: prng.below(400) },
        })),
        5_000 + prng.below(100),
      ),
    expects: seen => [writersWait(seen, 4_000), viewersWait(seen, 4_500)],
  },
  {
    name: 'pairs-killed',
    does: 'kill -9 of two nodes at one instant, a pair every 5 s',
    needs,
    seconds: 40,
    stage: () => tree(),
    schedule: pairsOfKills,
    expects: seen => [writersWait(seen, 5_000), viewersWait(seen, 7_000)],
  },
  {
    name: 'proxy-paused-briefly',
    does: 'SIGSTOP of a proxy for 300 ms, three times: nobody leaves it',
    needs,
    seconds: 14,
    stage: () => tree(),
    schedule: () =>
      inTurn(
        [1, 2, 3].map(() => ({ fault: 'pause', args: { node: 'proxy-a', ms: 300 } })),
        2_000,
      ),
    run: async stage => {
      stage.measures['parents given up'] = stage.fleet.node('edge-1').logged('link.parent-lost')
    },
    expects: (seen, load) => [
      {
        what: 'nobody takes it for dead',
        seen: seen.measures['parents given up'] ?? -1,
        atLeast: 0,
        atMost: load > 3 ? 4 : 0,
      },
      viewersWait(seen, 1_000),
    ],
  },
  {
    name: 'proxy-paused',
    does: 'SIGSTOP of a proxy for 3 s and for 10 s: its children are elsewhere, and it comes back',
    needs,
    seconds: 24,
    stage: () => tree(),
    schedule: () => [
      { atMs: 500, fault: 'pause', args: { node: 'proxy-a', ms: 3_000 } },
      { atMs: 6_000, fault: 'pause', args: { node: 'proxy-b', ms: 10_000 } },
    ],
    expects: seen => [viewersWait(seen, 2_000), writersWait(seen, 1_000)],
  },
  {
    name: 'authority-paused',
    does: 'SIGSTOP of the authority for 4 s: what it was sent is done when it goes on',
    needs,
    seconds: 14,
    stage: () => tree(),
    schedule: () => [{ atMs: 500, fault: 'pause', args: { node: 'authority', ms: 4_000 } }],
    expects: seen => [
      { what: 'writes go on soon after, ms', seen: seen.ackGapMs, atLeast: 3_800, atMost: 6_000 },
      { what: 'and views, ms', seen: seen.viewGapMs, atMost: 6_500 },
    ],
  },
  {
    name: 'starved',
    does: 'a proxy and an edge get 10 % of a processor for 8 s',
    needs: ['networks', 'processor-groups'],
    seconds: 18,
    stage: () => tree({ perSecond: 25 }),
    schedule: () => [
      { atMs: 200, fault: 'starve', args: { node: 'proxy-a', percent: 10, ms: 8_000 } },
      { atMs: 200, fault: 'starve', args: { node: 'edge-2', percent: 10, ms: 8_000 } },
    ],
    expects: seen => [viewersWait(seen, 3_000), writersWait(seen, 1_000)],
  },
  {
    name: 'out-of-memory',
    does: 'an edge and then a proxy may take 1 MB more of memory than they have: the kernel ends each',
    needs: ['networks', 'memory-groups'],
    seconds: 25,
    stage: () => tree({ valueLength: 2_000 }),
    schedule: () => [
      { atMs: 500, fault: 'exhaust', args: { node: 'edge-1', roomBytes, downMs: 500 } },
      { atMs: 6_000, fault: 'exhaust', args: { node: 'proxy-b', roomBytes, downMs: 500 } },
    ],
    expects: seen => [
      {
        what: 'deaths of memory',
        seen: seen.measures['deaths of memory'] ?? 0,
        atLeast: 2,
        atMost: 2,
      },
      viewersWait(seen, 2_500),
      writersWait(seen, 1_000),
    ],
  },
  {
    name: 'clocks-jump',
    does: 'the clocks of the authority and of an edge jump an hour ahead, two back, and to the right time',
    needs: ['networks', 'faked-clock'],
    seconds: 16,
    stage: place => tree(withFakedClocks(place)),
    schedule: () =>
      [3_600, -3_600, 0].flatMap((offsetSeconds, index) =>
        clockNodes.map((node, at) => ({
          atMs: 500 + index * 2_500 + at * 1_000,
          fault: 'clock' as const,
          args: { node, offsetSeconds },
        })),
      ),
    expects: seen => [viewersWait(seen, 1_000), writersWait(seen, 1_000)],
  },
  {
    name: 'power-loss',
    does: 'all nodes die at one instant, and the log ends anywhere behind what somebody was told, three times',
    needs,
    seconds: 26,
    stage: () => tree(),
    schedule: prng =>
      inTurn(
        Array.from({ length: 3 }, () => ({
          fault: 'power-loss' as const,
          args: { downMs: prng.below(500) },
        })),
        7_000,
      ),
    expects: seen => [writersWait(seen, 6_000), viewersWait(seen, 9_000)],
    convergeMsMax: 8_000,
  },
  {
    name: 'random',
    does: 'faults of all kinds, one or two at a time, for --minutes (a half)',
    needs: ['networks', 'processor-groups'],
    seconds: 45,
    stage: () => tree(),
    schedule: (prng, { minutes }) =>
      randomSchedule(
        prng,
        {
          authority: 'authority',
          proxies: ['proxy-a', 'proxy-b'],
          edges: ['edge-1', 'edge-2'],
          clients: 'clients',
        },
        minutes * 60_000,
      ),
    expects: () => [],
    convergeMsMax: 10_000,
  },
]
