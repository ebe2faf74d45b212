import type { ConfigName } from '@fanfold/node'
import type { StageNode, StageSettings, StageViewer } from '../stage.ts'

/** The only document of most stages. */
export const ledger = 'a/ledger/0'

/** Of a stage: what is not as in most. */
export type StageChanges = Partial<Omit<StageSettings, 'nodes'>> & {
  /** By the name of a node: what is not as in most stages. */
  readonly change?: Readonly<Record<string, Partial<StageNode>>> | undefined
}

const load = {
  docs: [ledger],
  writersPerDocument: 4,
  perSecond: 50,
  inFlightMax: 64,
  valueLength: 40,
}

const viewersAt = (first: string, second: string, from: number): StageViewer[] => [
  { name: `v${from}`, edges: [first, second], audience: 'open' },
  { name: `v${from + 1}`, edges: [first, second], audience: 'premium' },
]

const withChanges = (
  nodes: readonly StageNode[],
  change: StageChanges['change'] = {},
): StageNode[] => nodes.map(node => ({ ...node, ...change[node.name] }))

/**
 * An authority, two proxies, two edges with a proxy of their own each and the other as the next best, and
 * viewers of both audiences at each edge. Each in a network of its own.
 */
export function tree({ change, ...changes }: StageChanges = {}): StageSettings {
  const nodes: StageNode[] = [
    { name: 'authority', roles: ['authority'], parents: [] },
    { name: 'proxy-b', roles: ['proxy'], parents: ['authority'] },
    { name: 'proxy-a', roles: ['proxy'], parents: ['authority'] },
    { name: 'edge-1', roles: ['edge'], parents: ['proxy-a', 'proxy-b'] },
    { name: 'edge-2', roles: ['edge'], parents: ['proxy-b', 'proxy-a'] },
  ]
  return {
    ...load,
    nodes: withChanges(nodes, change),
    viewers: [...viewersAt('edge-1', 'edge-2', 0), ...viewersAt('edge-2', 'edge-1', 2)],
    isNetworked: true,
    ...changes,
  }
}

/** An authority and an edge with two viewers, in the network of the machine. */
export function pair({ change, ...changes }: StageChanges = {}): StageSettings {
  const nodes: StageNode[] = [
    { name: 'authority', roles: ['authority'], parents: [] },
    { name: 'edge-1', roles: ['edge'], parents: ['authority'] },
  ]
  return {
    ...load,
    nodes: withChanges(nodes, change),
    viewers: [
      { name: 'v0', edges: ['edge-1'], audience: 'open' },
      { name: 'v1', edges: ['edge-1'], audience: 'premium' },
    ],
    isNetworked: false,
    ...changes,
  }
}

/** Options of a node, in a stage's changes. */
export const options = (
  values: Readonly<Partial<Record<ConfigName, string | number>>>,
): Partial<StageNode> => ({ options: values })
