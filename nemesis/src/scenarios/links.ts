/* Links that break, fall silent, lose and slow down. */
import { setTimeout as delay } from 'node:timers/promises'
import { applySchedule } from '../faults/apply-schedule.ts'
import type { FaultArguments, Schedule } from '../faults/schedule.ts'
import { viewersElsewhereWait, viewersWait, writersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { tree } from './stages.ts'

/** A link is silent for so long before its child goes elsewhere, ms, and a busy machine takes its time. */
const elsewhereMsMax = 2_000
const needs = ['networks'] as const

const cut = (args: Omit<FaultArguments['cut'], 'ms'>, ms: number): Schedule => [
  { atMs: 500, fault: 'cut', args: { ...args, ms } },
]

/** Scenarios of links. */
export const linkScenarios: readonly Scenario[] = [
  {
    name: 'cut-both-ways',
    does: 'a proxy and the authority do not hear each other for 4 s: it goes to the other proxy',
    needs,
    seconds: 12,
    stage: () => tree({ change: { 'proxy-a': { parents: ['authority', 'proxy-b'] } } }),
    schedule: () => cut({ node: 'proxy-a', other: 'authority', way: 'both' }, 4_000),
    expects: seen => [viewersWait(seen, elsewhereMsMax), writersWait(seen, 1_000)],
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
      viewersElsewhereWait(seen, 1_000),
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
    expects: seen => [viewersWait(seen, elsewhereMsMax)],
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
    expects: seen => [viewersWait(seen, elsewhereMsMax), writersWait(seen, 1_000)],
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
    expects: seen => [viewersWait(seen, 1_500), writersWait(seen, 1_500)],
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
    expects: seen => [viewersWait(seen, 2_500)],
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
    expects: seen => [viewersWait(seen, 1_500)],
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
      writersWait(seen, 1_000),
    ],
    convergeMsMax: 8_000,
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
