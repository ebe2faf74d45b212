import type { AuthorityHost } from './authority-host.ts'
import type { EdgeHost } from './edge-host.ts'
import type { Metrics } from './metrics.ts'
import type { ProxyHost } from './proxy-host.ts'

/** The roles whose numbers are shown. */
export type GaugeSources = {
  readonly authority: AuthorityHost | undefined
  readonly proxies: readonly (ProxyHost | undefined)[]
  readonly edges: readonly (EdgeHost | undefined)[]
}

/** Sets the gauges that are read when somebody asks, and not before. */
export function updateGauges(metrics: Metrics, sources: GaugeSources): void {
  const { authority } = sources
  const proxies = sources.proxies.filter(proxy => proxy !== undefined)
  const edges = sources.edges.filter(edge => edge !== undefined)
  const viewers = edges.map(edge => edge.viewers.stats())
  metrics.plain('viewers').set(sum(viewers.map(stats => stats.viewers)))
  metrics.plain('viewers_lagging').set(sum(viewers.map(stats => stats.lagging)))
  metrics.plain('cohorts').set(sum(viewers.map(stats => stats.cohorts)))
  metrics.plain('writers').set(authority?.writers.stats().writers ?? 0)
  metrics.labelled('documents', 'authority').set(authority?.counts.documents ?? 0)
  metrics.labelled('documents', 'proxy').set(sum(proxies.map(proxy => proxy.counts.documents)))
  metrics.labelled('documents', 'edge').set(sum(edges.map(edge => edge.counts.documents)))
  const children = [authority, ...proxies].map(host => host?.counts.children ?? 0)
  metrics.labelled('links', 'down').set(sum(children))
  metrics
    .labelled('links', 'up')
    .set([...proxies, ...edges].filter(follower => follower.hasParent).length)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, next) => total + next, 0)
