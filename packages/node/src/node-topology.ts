/*
 * What is told of the tree to whoever looks at a node: what runs here, whom it knows, and of one document who
 * serves it, how far it is here, and who has it from whom. No content of documents, and nobody's name.
 */
import type { DocumentKey } from '@fanfold/protocol'
import type { Placement } from '@fanfold/topology'
import type { Config } from './config.ts'
import type { EdgeHost } from './edge-host.ts'
import type { Fleet } from './fleet.ts'
import type { ProcessRoles } from './process-roles.ts'
import { quotaUses } from './quota-use.ts'
import { shownTree } from './shown-tree.ts'
import type { TenantQuotas } from './tenant-quotas.ts'

/** Proxies of a region that are named for a document. */
const proxiesNamedMax = 3

type Dialling = Pick<EdgeHost, 'hasParent' | 'dialled'>

/** What a node tells. */
export async function nodeTopology(
  roles: ProcessRoles,
  node: {
    readonly name: string
    readonly config: Config
    readonly fleet: Fleet | undefined
    readonly quotas: TenantQuotas
  },
  doc: DocumentKey | undefined,
): Promise<object> {
  const { name, config, fleet } = node
  const { authority, proxies, edges, workers } = roles
  const [proxy] = proxies
  const [edge] = edges
  const dialling = (host: Dialling) => ({ hasParent: host.hasParent, dialled: host.dialled })
  return {
    node: name,
    region: config.region,
    roles: config.roles,
    parents: config.parents,
    authority: authority && { ...authority.counts, standby: authority.standby },
    ...(workers === undefined
      ? {
          proxy: proxy && { ...proxy.counts, ...dialling(proxy) },
          edge: edge && { ...edge.counts, ...dialling(edge) },
        }
      : { edge: { ...workers.counts, ...dialling(workers.proxy) }, workers: workers.shown }),
    quotas: quotaUses(roles, node.quotas),
    fleet: fleet?.topology,
    document:
      doc && (await documentTopology(doc, roles, { name, region: config.region }, fleet?.view)),
  }
}

/**
 * Whether what this process has of a document comes from who owns it now, and is fresh; undefined where it has
 * nothing of it.
 */
export function isLiveHere(
  doc: DocumentKey,
  { authority, proxies, edges }: ProcessRoles,
  isOwner: boolean,
): boolean | undefined {
  const owned = authority?.standingOf(doc)
  // What has become another's is let go when nothing of it is under way.
  if (owned !== undefined && !isOwner) return false
  const followed = [...proxies, ...edges].map(role => role.standingOf(doc))
  const held = followed.filter(standing => standing !== undefined)
  if (held.length === 0) return owned === undefined ? undefined : owned.refusal === undefined
  return held.every(({ isLive, staleForMs }) => isLive && staleForMs === undefined)
}

/** What is told of one document. */
export async function documentTopology(
  doc: DocumentKey,
  roles: ProcessRoles,
  self: { readonly name: string; readonly region: string },
  fleet?: { readonly placement: Placement | undefined },
): Promise<object> {
  const { authority, proxies, edges, workers } = roles
  const entries = await roles.treeOf(doc)
  // With workers the node is one edge, and has the document by its local proxy.
  const edge = workers === undefined ? edges[0] : workers.proxy
  return {
    doc,
    ...(fleet?.placement && placedOf(doc, fleet.placement)),
    here: {
      authority: authority?.standingOf(doc),
      standby: authority?.standbyOf(doc),
      proxy: workers === undefined ? proxies[0]?.standingOf(doc) : undefined,
      edge: edge?.standingOf(doc),
    },
    tree: shownTree(entries, { node: self.name, region: self.region }),
  }
}

function placedOf(doc: DocumentKey, placement: Placement): object {
  const { owner, standby, why } = placement.ownerOf(doc)
  const members = [...placement.members]
  const regions = [...new Set(members.map(({ region }) => region))].toSorted()
  return {
    owner: owner?.node,
    next: standby?.node,
    isNextHot: standby?.isHotStandby,
    why,
    problem: placement.problemOf(doc),
    regions: regions.map(region => ({
      region,
      proxies: placement.regionalProxiesOf(doc, region, proxiesNamedMax).map(({ node }) => node),
    })),
  }
}
