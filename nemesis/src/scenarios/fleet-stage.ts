/* Fleets that form themselves: nodes that are given a Redis to meet in, and nothing of each other. */
import type { ConfigName } from '@fanfold/node'
import type { Cleanups } from '../processes/cleanups.ts'
import { RedisServer } from '../processes/redis-server.ts'
import type { Stage, StageNode, StageSettings, StageViewer } from '../stage.ts'
import type { Place } from './scenario.ts'
import { ledger, pair } from './stages.ts'

/** What a fleet is made of; proxies and edges are of its regions in turn. */
export type FleetSize = {
  readonly regions: readonly string[]
  readonly proxies: number
  readonly edges: number
  readonly viewers: number
  /** Options of nodes besides, by role. */
  readonly options?: Partial<Record<FleetRole, Options>> | undefined
  readonly authorities?: number | undefined
}

type FleetRole = 'authority' | 'proxy' | 'edge'
type Options = Readonly<Partial<Record<ConfigName, string | number>>>

/** What is reached at an address. */
type Addressed = { readonly address: string }

/** The servers of a stage: where members meet, and where the logs are. */
export type Servers = { readonly meeting: RedisServer; readonly logs: RedisServer }

/** Ends what was started for a stage, whatever becomes of that. */
export const ownerOf = (cleanups: Cleanups): Parameters<typeof RedisServer.start>[0] => ({
  teardown: end => cleanups.add(() => void end()),
})

/** A fleet in one region that is as small as one may be of which any node can be lost. */
export const smallFleetSize: FleetSize = { regions: ['local'], proxies: 2, edges: 2, viewers: 4 }

/** Two servers: the one where members meet keeps nothing. */
export async function startServers({ cleanups }: Place): Promise<Servers> {
  const owner = ownerOf(cleanups)
  const meeting = await RedisServer.start(owner)
  return { meeting, logs: await RedisServer.start(owner, { isDurable: true }) }
}

/** A node of a fleet that meets at these servers. */
export function fleetNode(
  role: FleetRole,
  node: { readonly name: string; readonly region?: string | undefined; readonly options?: Options },
  { meeting, logs }: { readonly meeting: Addressed; readonly logs: Addressed },
): StageNode {
  // The judge wants the whole log: it is not to be trimmed.
  const ofLogs = { log: logs.address, 'limits.snapshotEveryRecords': 1_000_000 }
  const meet = { 'redis.url': meeting.address, ...(role === 'authority' ? ofLogs : {}) }
  return { ...node, roles: [role], parents: [], options: { ...meet, ...node.options } }
}

/** Authorities (two), and proxies and edges in regions; viewers at the edges of a region, of each document as many. */
export async function fleetStage(
  place: Place,
  size: FleetSize,
  changes: Partial<StageSettings> = {},
): Promise<StageSettings> {
  const servers = await startServers(place)
  const redis = { servers: [servers.meeting, servers.logs], last: servers.logs }
  return { ...fleetAt(servers, size, changes), redis, ...changes }
}

/** The same, of servers that run. */
export function fleetAt(
  servers: { readonly meeting: Addressed; readonly logs: RedisServer },
  size: FleetSize,
  { docs = [ledger] }: Pick<Partial<StageSettings>, 'docs'> = {},
): StageSettings {
  const { regions, authorities = 2, options = {} } = size
  const some = (role: FleetRole, count: number): StageNode[] =>
    Array.from({ length: count }, (_, index) => {
      const region = regions[index % regions.length]
      const name = `${role}-${index + 1}`
      const given = { name, region, ...(options[role] && { options: options[role] }) }
      return fleetNode(role, given, servers)
    })
  const nodes = [
    ...some('authority', authorities),
    ...some('proxy', size.proxies),
    ...some('edge', size.edges),
  ]
  return {
    ...pair(),
    nodes,
    viewers: viewersOf(nodes, { count: size.viewers, docs, regions }),
    redis: { servers: [servers.logs], last: servers.logs },
  }
}

/** Who watches: in each region as many, of each document as many, at another edge first, then at the others. */
function viewersOf(
  nodes: readonly StageNode[],
  of: {
    readonly count: number
    readonly docs: readonly string[]
    readonly regions: FleetSize['regions']
  },
): StageViewer[] {
  const { count, docs, regions } = of
  return Array.from({ length: count }, (_, index) => {
    const region = regions[index % regions.length]
    const turn = Math.floor(index / regions.length)
    const edges = nodes.filter(node => node.roles.includes('edge') && node.region === region)
    const which = turn % docs.length
    const round = Math.floor(turn / docs.length)
    const first = (which + round) % edges.length
    const isOpen = (which + Math.floor(round / edges.length)) % 2 === 0
    return {
      name: `v${index}`,
      edges: [...edges.slice(first), ...edges.slice(0, first)].map(({ name }) => name),
      audience: isOpen ? 'open' : 'premium',
      doc: docs[which],
    }
  })
}

/** The servers of a stage that has two. */
export const serversOf = ({ settings }: Stage): Servers => {
  const [meeting, logs] = settings.redis?.servers ?? []
  if (meeting === undefined || logs === undefined) throw new Error('the stage has two servers')
  return { meeting, logs }
}

/** What a node tells of its fleet and of a document. */
export type Topology = {
  readonly proxy?: { readonly documents: number; readonly children: number }
  readonly fleet: { readonly members: readonly { readonly node: string }[] }
  readonly document: {
    readonly owner?: string
    readonly regions: readonly { readonly region: string; readonly proxies: readonly string[] }[]
    readonly tree: { readonly isWhole: boolean; readonly top: TreeNode }
  }
}

/** A node in the tree of a document. */
export type TreeNode = {
  readonly node: string
  readonly role: FleetRole
  /** Nodes that have it from here; not there where a node does not answer. */
  readonly children?: number
  readonly below: readonly TreeNode[]
}

/** Asks a node. */
export async function topologyOf(
  stage: Stage,
  name: string,
  doc: string = ledger,
): Promise<Topology> {
  const { adminPort } = stage.fleet.portsOf(name)
  const query = `doc=${encodeURIComponent(doc)}`
  const answer = await fetch(`http://127.0.0.1:${adminPort}/admin/topology?${query}`)
  // Written by a node of this version.
  return (await answer.json()) as Topology
}
