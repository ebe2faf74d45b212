/*
 * What is told of the tree to whoever looks at a node: what runs here, whom it knows, and of one document who
 * serves it and how far it is here. No content of documents, and nobody's name.
 */
import type { DocumentKey } from '@fanfold/protocol'
import type { Placement } from '@fanfold/topology'
import type { Config } from './config.ts'
import type { Fleet } from './fleet.ts'
import type { ProcessRoles } from './process-roles.ts'

/** Proxies of a region that are named for a document. */
const proxiesNamedMax = 3

/** What a node tells. */
export function nodeTopology(
  roles: ProcessRoles,
  node: { readonly name: string; readonly config: Config; readonly fleet: Fleet | undefined },
  doc: DocumentKey | undefined,
): object {
  const { name, config, fleet } = node
  const { authority, proxies, edges } = roles
  const [proxy] = proxies
  const [edge] = edges
  return {
    node: name,
    region: config.region,
    roles: config.roles,
    parents: config.parents,
    authority: authority?.counts,
    proxy: proxy && { ...proxy.counts, hasParent: proxy.hasParent, dialled: proxy.dialled },
    edge: edge && { ...edge.counts, hasParent: edge.hasParent, dialled: edge.dialled },
    fleet: fleet?.topology,
    document: doc && documentTopology(doc, roles, fleet?.view.placement),
  }
}

function documentTopology(
  doc: DocumentKey,
  { authority, proxies, edges }: ProcessRoles,
  placement: Placement | undefined,
): object {
  return {
    doc,
    ...(placement && placedOf(doc, placement)),
    here: {
      authority: authority?.standingOf(doc),
      proxy: proxies[0]?.standingOf(doc),
      edge: edges[0]?.standingOf(doc),
    },
  }
}

function placedOf(doc: DocumentKey, placement: Placement): object {
  const { owner, standby, why } = placement.ownerOf(doc)
  const members = [...placement.members]
  const regions = [...new Set(members.map(({ region }) => region))].toSorted()
  return {
    owner: owner?.node,
    next: standby?.node,
    why,
    problem: placement.problemOf(doc),
    regions: regions.map(region => ({
      region,
      proxies: placement.regionalProxiesOf(doc, region, proxiesNamedMax).map(({ node }) => node),
    })),
  }
}
