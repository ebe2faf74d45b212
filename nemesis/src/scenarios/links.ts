/* Links that break, fall silent, lose and slow down. */
import { setTimeout as delay } from 'node:timers/promises'
import { applySchedule } from '../faults/apply-schedule.ts'
import type { FaultArguments, Schedule } from '../faults/schedule.ts'
import type { Stage } from '../stage.ts'
import type { Scenario } from './scenario.ts'
import { tree } from './stages.ts'

/** A link is silent for so long before its child goes elsewhere, ms, and a busy machine takes its time. */
const elsewhereMsMax = 2_000
const needs = ['networks'] as const

const cut = (args: Omit<FaultArguments['cut'], 'ms'>, ms: number): Schedule => [
  { atMs: 500, fault: 'cut', args: { ...args, ms } },
]

/** How often some nodes took their parent for dead because it was silent. */
const givenUp = ({ fleet }: Stage, names: readonly string[]): number =>
  names
    .flatMap(name => fleet.node(name).log)
    .filter(({ event, reason }) => event === 'link.parent-lost' && /^silent/.test(String(reason)))
    .length

/** Scenarios of links. */
export const linkScenarios: readonly Scenario[] = [
  {
    name: 'cut-both-ways',
    does: 'a proxy and the authority do not hear each other for 4 s: it goes to the other proxy',
    needs,
    seconds: 12,
    stage: () => tree({ change: { 'proxy-a': { parents: ['authority', 'proxy-b'] } } }),
    schedule: () => cut({ node: 'proxy-a', other: 'authority', way: 'both' }, 4_000),
    expects: seen => [
      {
        what: 'nobody waits longer for something new, ms',
        seen: seen.viewGapMs,
        atMost: elsewhereMsMax,
      },
      { what: 'writers wait for nobody, ms', seen: seen.ackGapMs, atMost: 1_000 },
    ],
  },
  {
    name: 'cut-above',
    does: 'a proxy that has no other parent and the authority do not hear each other for 4 s: those below are told',
    needs,
    seconds: 12,
    stage: () => tree(),
    schedule: () => cut({ node: 'proxy-a', other: 'authority', way: 'both' }, 4_000),
    expects: seen => [
      { what: 'viewers below it are told that they are stale', seen: seen.stales, atLeast: 2 },
      { what: 'and are not for long after it, ms', seen: seen.viewGapMs, atMost: 5_500 },
      { what: 'viewers elsewhere wait for nothing, ms', seen: seen.viewGapLeastMs, atMost: 1_000 },
    ],
  },
  {
    name: 'cut-one-way',
    does: 'an edge does not hear its proxy for 4 s, which hears it; then the other way round',
    needs,
    seconds: 16,
    stage: () => tree(),
    schedule: () => [
      ...cut({ node: 'edge-1', other: 'proxy-a', way: 'in' }, 4_000),
      {
        atMs: 7_000,
        fault: 'cut',
        args: { node: 'edge-2', other: 'proxy-b', way: 'out', ms: 4_000 },
      },
    ],
    expects: seen => [
      {
        what: 'nobody waits longer for something new, ms',
        seen: seen.viewGapMs,
        atMost: elsewhereMsMax,
      },
    ],
  },
  {
    name: 'cut-writers',
    does: 'the authority does not hear its writers for 2 s, then they do not hear it',
    needs,
    seconds: 16,
    stage: () => tree(),
    schedule: () => [
      {
        atMs: 500,
        fault: 'cut',
        args: { node: 'authority', other: 'clients', way: 'in', ms: 2_000 },
      },
      {
        atMs: 5_000,
        fault: 'cut',
        args: { node: 'authority', other: 'clients', way: 'out', ms: 2_000 },
      },
    ],
    expects: seen => [
      { what: 'writes go on soon after, ms', seen: seen.ackGapMs, atLeast: 1_800, atMost: 5_000 },
    ],
  },
  {
    name: 'half-open',
    does: 'the cable of a proxy is out for 4 s, and no connection is told',
    needs,
    seconds: 12,
    stage: () => tree(),
    schedule: () => [{ atMs: 500, fault: 'unplug', args: { node: 'proxy-a', ms: 4_000 } }],
    expects: seen => [
      {
        what: 'nobody waits longer for something new, ms',
        seen: seen.viewGapMs,
        atMost: elsewhereMsMax,
      },
      { what: 'writers wait for nobody, ms', seen: seen.ackGapMs, atMost: 1_000 },
    ],
  },
  {
    name: 'half-open-viewers',
    does: 'the cable of the clients is out for 3 s',
    needs,
    seconds: 14,
    stage: () => tree(),
    schedule: () => [{ atMs: 500, fault: 'unplug', args: { node: 'clients', ms: 3_000 } }],
    expects: seen => [
      { what: 'they go on soon after, ms', seen: seen.viewGapMs, atLeast: 2_800, atMost: 7_000 },
    ],
  },
  {
    name: 'reset-storm',
    does: 'all connections of an edge are reset, and everybody who sends to it for 300 ms',
    needs,
    seconds: 10,
    stage: () => tree(),
    schedule: () => [
      { atMs: 500, fault: 'break', args: { node: 'edge-1' } },
      { atMs: 500, fault: 'reset', args: { node: 'edge-1', ms: 300 } },
      { atMs: 3_000, fault: 'break', args: { node: 'proxy-b' } },
      { atMs: 4_000, fault: 'break', args: { node: 'authority' } },
    ],
    expects: seen => [
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 1_500 },
      { what: 'nor for an acknowledgement, ms', seen: seen.ackGapMs, atMost: 1_500 },
    ],
  },
  {
    name: 'black-hole',
    does: 'the connections of a proxy end, and for 5 s new ones get no answer',
    needs,
    seconds: 13,
    stage: () => tree(),
    schedule: () => [
      { atMs: 500, fault: 'black-hole', args: { node: 'proxy-a', ms: 5_000 } },
      { atMs: 600, fault: 'break', args: { node: 'proxy-a' } },
    ],
    expects: seen => [
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 2_500 },
    ],
  },
  {
    name: 'refused',
    does: 'the connections of a proxy end, and for 5 s new ones are refused',
    needs,
    seconds: 13,
    stage: () => tree(),
    schedule: () => [
      { atMs: 500, fault: 'refuse', args: { node: 'proxy-a', ms: 5_000 } },
      { atMs: 600, fault: 'break', args: { node: 'proxy-a' } },
    ],
    expects: seen => [
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 1_500 },
    ],
  },
  {
    name: 'refused-by-all',
    does: 'the connections of the authority end, and for 6 s new ones are refused: nobody knocks all the time',
    needs,
    seconds: 16,
    stage: () => tree(),
    run: async stage => {
      const { networks, fleet, measures } = stage
      const node = 'authority'
      const faults = applySchedule(stage, [
        { atMs: 0, fault: 'refuse', args: { node, ms: 6_000 } },
        { atMs: 100, fault: 'break', args: { node } },
      ])
      // In front of the rule that refuses, which no packet gets past.
      await delay(50)
      networks?.watchDials(node, 'proxy-a', fleet.node(node).port)
      await faults
      measures['dials'] = networks?.dialsFrom(node, 'proxy-a') ?? 0
    },
    expects: seen => [
      {
        what: 'attempts of a proxy to connect within these 6 s',
        seen: seen.measures['dials'] ?? 0,
        atLeast: 3,
        atMost: 24,
      },
      { what: 'writes go on soon after, ms', seen: seen.ackGapMs, atLeast: 4_000, atMost: 7_500 },
      { what: 'and views, ms', seen: seen.viewGapMs, atLeast: 4_000, atMost: 9_000 },
    ],
  },
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
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 1_500 },
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
    expects: seen => [
      { what: 'viewers elsewhere wait for nothing, ms', seen: seen.viewGapLeastMs, atMost: 1_500 },
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 8_500 },
    ],
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
    expects: seen => [
      { what: 'nobody waits longer for something new, ms', seen: seen.viewGapMs, atMost: 4_000 },
      { what: 'viewers elsewhere wait for nothing, ms', seen: seen.viewGapLeastMs, atMost: 1_000 },
    ],
  },
  {
    name: 'slow-proxy',
    does: 'a proxy sends 64 kbit/s for 8 s: nothing is conflated between nodes, what waits is bounded',
    needs,
    seconds: 20,
    stage: () => tree(),
    schedule: () => [
      { atMs: 200, fault: 'slow', args: { node: 'proxy-a', rate: '64kbit', ms: 8_000 } },
    ],
    expects: seen => [
      { what: 'viewers elsewhere wait for nothing, ms', seen: seen.viewGapLeastMs, atMost: 1_000 },
    ],
    convergeMsMax: 8_000,
  },
  {
    name: 'flapping',
    does: 'the cable of an edge and of a proxy is out for 1 s of two, for 12 s',
    needs,
    seconds: 24,
    stage: () => tree(),
    schedule: () => [
      {
        atMs: 200,
        fault: 'flap',
        args: { node: 'proxy-a', upMs: 1_000, downMs: 1_000, ms: 12_000 },
      },
      {
        atMs: 700,
        fault: 'flap',
        args: { node: 'edge-2', upMs: 1_000, downMs: 1_000, ms: 12_000 },
      },
    ],
    expects: seen => [
      { what: 'viewers elsewhere wait for little, ms', seen: seen.viewGapLeastMs, atMost: 3_000 },
      { what: 'writers wait for nobody, ms', seen: seen.ackGapMs, atMost: 1_000 },
    ],
    convergeMsMax: 8_000,
  },
]
