import { join } from 'node:path'
import type { CrowdSettings, CrowdState } from '../clients/client-messages.ts'
import { ClientProcess } from '../clients/client-process.ts'
import { memoryOf, metricsOf } from '../processes/node-numbers.ts'
import { clientsNetwork, type Stage } from '../stage.ts'
import { ledger } from './stages.ts'

/** Very many viewers in one process. */
export type Crowd = ClientProcess<CrowdSettings, CrowdState>

/** Longest time until a crowd is there, ms. */
export const crowdMsMax = 60_000

/** Starts a crowd at some edges; it ends with the stage. */
export async function startCrowd(
  stage: Stage,
  crowd: Pick<CrowdSettings, 'count' | 'rampMs' | 'stalledShare' | 'isFaithful'> & {
    readonly edges: readonly string[]
    readonly doc?: string
  },
): Promise<Crowd> {
  const { edges, doc = ledger, ...settings } = crowd
  const token = await stage.audienceToken('open')
  const urls = edges.map(edge => stage.urlOf(edge))
  return new ClientProcess<CrowdSettings, CrowdState>({
    program: 'crowd-program',
    wrapper: stage.networks?.wrapper(clientsNetwork) ?? [],
    settings: { ...settings, doc, token, urls, seed: String(stage.prng.uint32()) },
    file: join(stage.directory, 'crowd.jsonl'),
    cleanups: stage.cleanups,
  })
}

/** Waits until all who read are shown something; how long that took, ms. */
export async function allServed(crowd: Crowd, seq = 0): Promise<number> {
  const startedAtMs = performance.now()
  await crowd.until(
    'the crowd is served',
    state => state.served === state.reading && state.seqMin >= seq,
    crowdMsMax,
  )
  return performance.now() - startedAtMs
}

/** What a crowd at an edge costs the edge and its parent. */
export type CrowdCost = {
  /** Streams that the parent was asked for, and those that it answered with a snapshot. */
  readonly joins: number
  readonly snapshots: number
  /** Views that the edge wrote out for those who came. */
  readonly views: number
  /** How often the edge took its parent for dead: it asks for each of its streams again. */
  readonly parentsLost: number
  /** The most memory of the edge at any time, beyond what it had before, kB. */
  readonly edgeKb: number
}

/** Counts what somebody's coming to an edge costs, until `act` is over. */
export async function costOf(
  stage: Stage,
  nodes: { readonly edge: string; readonly parent: string },
  act: () => Promise<void>,
): Promise<CrowdCost> {
  const { edge, parent } = nodes
  const node = stage.fleet.node(edge)
  const count = async (): Promise<Omit<CrowdCost, 'edgeKb'>> => {
    const above = await metricsOf(stage, parent)
    return {
      parentsLost: node.logged('link.parent-lost'),
      joins: above.sum('joins_total'),
      snapshots: above.sum('joins_total', { answer: 'snapshot' }),
      views: (await metricsOf(stage, edge)).sum('snapshots_total', { role: 'edge' }),
    }
  }
  const before = await count()
  const { nowKb } = memoryOf(node.pid)
  await act()
  const after = await count()
  return {
    parentsLost: after.parentsLost - before.parentsLost,
    joins: after.joins - before.joins,
    snapshots: after.snapshots - before.snapshots,
    views: after.views - before.views,
    edgeKb: memoryOf(node.pid).peakKb - nowKb,
  }
}

/** Keeps what a crowd of so many cost among the measures of a stage. */
export function keepCost({ measures, settings }: Stage, cost: CrowdCost, count: number): void {
  measures['joins'] = cost.joins
  measures['joins anew'] = cost.parentsLost * settings.docs.length
  measures['snapshots joined'] = cost.snapshots
  measures['views'] = cost.views
  measures['kB each'] = cost.edgeKb / count
}
