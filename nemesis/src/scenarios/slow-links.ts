/* Links that lose, delay, reorder and slow down. */
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '@fanfold/kernel'
import { applySchedule } from '../faults/apply-schedule.ts'
import { DelayRelay } from '../processes/delay-relay.ts'
import { memoryOf } from '../processes/node-numbers.ts'
import type { Stage } from '../stage.ts'
import { measured, viewersElsewhereWait, viewersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { pair, tree } from './stages.ts'

const needs = ['networks'] as const
/** What a proxy may have waiting, and cost besides, while a child is slow, kB. */
const proxyKbMax = 32_768

/** How often some nodes took their parent for dead because it was silent. */
const givenUp = ({ fleet }: Stage, names: readonly string[]): number =>
  names
    .flatMap(name => fleet.node(name).log)
    .filter(({ event, reason }) => event === 'link.parent-lost' && /^silent/.test(String(reason)))
    .length

/** Two nodes send by two ways, of which the slower one is hardly enough. */
async function reorder(stage: Stage): Promise<void> {
  const { networks, measures, fleet } = stage
  const overtaken = (): number =>
    fleet.names.reduce((total, name) => total + (networks?.overtaken(name) ?? 0), 0)
  const before = overtaken()
  const args = { share: 0.1, rate: '64kbit', ms: 10_000 }
  await applySchedule(stage, [
    { atMs: 0, fault: 'reorder', args: { node: 'proxy-a', ...args } },
    { atMs: 0, fault: 'reorder', args: { node: 'authority', ...args } },
  ])
  measures['overtaken'] = overtaken() - before
}

/** Scenarios of links that are bad and not broken. */
export const slowLinkScenarios: readonly Scenario[] = [
  {
    name: 'loss-5-percent',
    does: 'of what comes to a proxy and to an edge, 5 % is lost for 8 s',
    needs,
    seconds: 15,
    stage: () => tree(),
    schedule: () => [
      { atMs: 200, fault: 'loss', args: { node: 'proxy-a', share: 0.05, ms: 8_000 } },
      { atMs: 200, fault: 'loss', args: { node: 'edge-1', share: 0.05, ms: 8_000 } },
    ],
    run: async stage => {
      stage.measures['parents given up'] = givenUp(stage, ['proxy-a', 'edge-1'])
    },
    expects: (seen, load) => [
      {
        what: 'nobody takes a parent for dead',
        seen: seen.measures['parents given up'] ?? -1,
        atLeast: 0,
        // Where processes wait long for a processor, one that is not heard of is not far from dead.
        atMost: load > 3 ? 4 : 0,
      },
      viewersWait(seen, 1_500),
    ],
  },
  {
    name: 'loss-30-percent',
    does: 'of what comes to a proxy and to an edge, 30 % is lost for 8 s',
    needs,
    seconds: 16,
    stage: () => tree(),
    schedule: () => [
      { atMs: 200, fault: 'loss', args: { node: 'proxy-a', share: 0.3, ms: 8_000 } },
      { atMs: 200, fault: 'loss', args: { node: 'edge-1', share: 0.3, ms: 8_000 } },
    ],
    expects: seen => [viewersElsewhereWait(seen, 1_500), viewersWait(seen, 8_500)],
  },
  {
    name: 'slow-link-to-viewers',
    does: 'an edge sends 64 kbit/s for 8 s, a fifth of what is written: its viewers get many changes in one',
    needs,
    seconds: 17,
    stage: () => tree({ perSecond: 25 }),
    schedule: () => [
      { atMs: 200, fault: 'slow', args: { node: 'edge-1', rate: '64kbit', ms: 8_000 } },
    ],
    expects: seen => [viewersWait(seen, 4_000), viewersElsewhereWait(seen, 1_000)],
  },
  {
    name: 'slow-proxy',
    does: 'a proxy sends 64 kbit/s for 8 s: nothing is conflated between nodes, what waits is bounded',
    needs,
    seconds: 20,
    stage: () => tree(),
    run: async stage => {
      const { pid } = stage.fleet.node('proxy-a')
      const { nowKb } = memoryOf(pid)
      await applySchedule(stage, [
        { atMs: 200, fault: 'slow', args: { node: 'proxy-a', rate: '64kbit', ms: 8_000 } },
      ])
      stage.measures['kB'] = memoryOf(pid).peakKb - nowKb
    },
    expects: seen => [
      measured(seen, 'kB', {
        what: 'memory of the proxy more than it had, kB',
        atMost: proxyKbMax,
      }),
      viewersElsewhereWait(seen, 1_000),
    ],
    convergeMsMax: 8_000,
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
      viewersWait(seen, 1_000),
    ],
  },
  {
    name: 'reordered',
    does: 'of what a proxy sends, and the authority, a tenth goes by a slower way for 10 s, and is overtaken or lost',
    needs,
    seconds: 18,
    stage: () => tree(),
    run: reorder,
    expects: seen => [
      measured(seen, 'overtaken', {
        what: 'packets that came before an earlier one',
        atLeast: 50,
      }),
      viewersWait(seen, 2_500),
    ],
  },
]
