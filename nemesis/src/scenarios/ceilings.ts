/* Nodes that may hold less than they did. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { whisperMarker } from '../clients/client-messages.ts'
import { applySchedule } from '../faults/apply-schedule.ts'
import type { Heal, Networks } from '../processes/networks.ts'
import type { Stage } from '../stage.ts'
import { measured } from './expectations.ts'
import type { Place, Scenario } from './scenario.ts'
import { options, tree } from './stages.ts'

const proxy = 'proxy-a'
const edge = 'edge-1'
/** What was on its way to a process that has ended has come after so long, ms. */
const arrivedMs = 300
const watchedMs = 3_000
const liveMsMax = 20_000

type Way = readonly [node: string, chain: 'INPUT' | 'OUTPUT']
const toProxy: Way = [proxy, 'INPUT']
const fromProxy: Way = [proxy, 'OUTPUT']
const toEdge: Way = [edge, 'INPUT']
const toViewers: Way = [edge, 'OUTPUT']

/** Counts packets with whispers in them on some ways, while `act` goes on. */
async function whispersOn(
  networks: Networks,
  ways: readonly Way[],
  act: () => Promise<void>,
): Promise<number[]> {
  const heals: Heal[] = ways.map(([node, chain]) => networks.watchFor(node, whisperMarker, chain))
  await act()
  const counts = ways.map(([node, chain]) => networks.countOf(node, whisperMarker, chain))
  for (const heal of heals) heal()
  return counts
}

const warmOf = (directory: string): string => join(directory, 'warm')

/** Files that a proxy keeps over a restart with whispers in them. */
const whisperingFiles = (directory: string): number =>
  readdirSync(directory).filter(name => readFileSync(join(directory, name)).includes(whisperMarker))
    .length

/** The proxy is another with this ceiling, or with the highest; resolves when the viewer below is shown something new. */
async function restartWith(stage: Stage, ceiling: number | undefined): Promise<void> {
  const { seqs } = await stage.viewers.ask('tell')
  await stage.fleet.restart(proxy, { ceiling })
  await stage.viewers.until(
    'viewers below go on',
    state => (state.seqs['v0'] ?? 0) > (seqs['v0'] ?? 0) && state.statuses['v0'] === 'live',
    liveMsMax,
  )
}

async function lowerAndRaise(stage: Stage): Promise<void> {
  const { networks, fleet, measures, directory } = stage
  if (networks === undefined) throw new Error('this stage has no networks')
  const least = (counts: readonly number[]): number => Math.min(...counts)
  const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0)
  const watch = (): Promise<void> => delay(watchedMs)

  const all = [toProxy, fromProxy, toEdge, toViewers]
  measures['before'] = least(await whispersOn(networks, all, watch))
  await fleet.node(proxy).stop()
  measures['files before'] = whisperingFiles(warmOf(directory))
  await delay(arrivedMs)

  const links = [toProxy, fromProxy, toEdge]
  const onLinks = await whispersOn(networks, links, async () => {
    await restartWith(stage, 0)
    const [shown = -1] = await whispersOn(networks, [toViewers], watch)
    measures['shown'] = shown
    await fleet.node(proxy).stop()
  })
  measures['crossed'] = sum(onLinks)
  measures['files'] = whisperingFiles(warmOf(directory))
  measures['files kept'] = readdirSync(warmOf(directory)).length

  await restartWith(stage, undefined)
  const after = await whispersOn(networks, all, async () => {
    // Those who may see it went elsewhere, and come back.
    await applySchedule(stage, [
      { atMs: 0, fault: 'refuse', args: { node: 'edge-2', ms: watchedMs } },
      { atMs: 100, fault: 'break', args: { node: 'edge-2' } },
    ])
  })
  measures['after'] = least(after)
}

/** Scenarios of ceilings. */
export const ceilingScenarios: readonly Scenario[] = [
  {
    name: 'ceiling-lowered',
    does: 'a proxy is started again with ceiling 0 and then with the one it had, while its edge stays: what is labelled higher is given up below it, and comes back',
    needs: ['networks'],
    seconds: 30,
    stage: ({ directory }: Place) =>
      tree({
        change: {
          [proxy]: options({ warm: warmOf(directory) }),
          [edge]: { parents: [proxy] },
        },
      }),
    run: lowerAndRaise,
    expects: seen => [
      measured(seen, 'before', { what: 'packets with it on each way before', atLeast: 1 }),
      measured(seen, 'files before', { what: 'files of the proxy with it before', atLeast: 1 }),
      measured(seen, 'crossed', {
        what: 'packets with it to and from the proxy under ceiling 0',
        atMost: 0,
      }),
      measured(seen, 'shown', { what: 'from its edge to viewers', atMost: 0 }),
      measured(seen, 'files kept', {
        what: 'files that the proxy keeps under ceiling 0',
        atLeast: 1,
      }),
      measured(seen, 'files', { what: 'of which with it', atMost: 0 }),
      measured(seen, 'after', { what: 'packets on each way once it is raised', atLeast: 1 }),
    ],
  },
]
