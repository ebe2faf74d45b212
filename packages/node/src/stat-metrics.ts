import type { RequestCount } from '@fanfold/replication'
import type { UpgradeRouter } from '@fanfold/websocket'
import { setLinkGauges } from './link-metrics.ts'
import type { CounterHandle, Metrics } from './metrics.ts'
import type { ProcessRoles } from './process-roles.ts'

/**
 * What the roles count by themselves, brought into the metrics when somebody asks and not before: the
 * paths that count it stay free of metrics.
 */
export class StatMetrics {
  readonly #metrics: Metrics
  readonly #roles: ProcessRoles
  readonly #router: UpgradeRouter
  /** What each counter has been told so far. */
  readonly #told = new Map<CounterHandle, number>()

  constructor(metrics: Metrics, roles: ProcessRoles, router: UpgradeRouter) {
    this.#metrics = metrics
    this.#roles = roles
    this.#router = router
  }

  /** Brings the metrics up to date. */
  update(): void {
    const { authority, proxies, edges } = this.#roles
    const metrics = this.#metrics
    const viewers = edges.map(edge => edge.viewers.stats())
    const writers = authority?.writers.stats()
    const authorities = authority === undefined ? [] : [authority]
    const parents = [...authorities, ...proxies]
    const followers = [...proxies, ...edges]
    const links = [...parents, ...edges].flatMap(host => host.links.stats() ?? [])
    metrics.plain('viewers').set(sum(viewers.map(stats => stats.viewers)))
    metrics.plain('viewers_lagging').set(sum(viewers.map(stats => stats.lagging)))
    metrics.plain('cohorts').set(sum(viewers.map(stats => stats.cohorts)))
    metrics.plain('writers').set(writers?.writers ?? 0)
    metrics.plain('children').set(sum(parents.map(host => host.counts.children)))
    metrics.plain('region_streams_extra').set(authority?.regionStreamsExtra ?? 0)
    metrics.plain('documents_stale').set(sum(followers.map(host => host.staleCount)))
    metrics.plain('documents_suspect').set(sum(edges.map(edge => edge.suspectCount)))
    metrics.labelled('documents', 'authority').set(authority?.counts.documents ?? 0)
    metrics.labelled('documents', 'proxy').set(sum(proxies.map(host => host.counts.documents)))
    metrics.labelled('documents', 'edge').set(sum(edges.map(host => host.counts.documents)))
    const replicasOf = (hosts: readonly { readonly workerReplicaCount: number }[]): number =>
      sum(hosts.map(host => host.workerReplicaCount))
    metrics.labelled('worker_replicas', 'authority').set(replicasOf(authorities))
    metrics.labelled('worker_replicas', 'proxy').set(replicasOf(proxies))
    metrics.labelled('worker_replicas', 'edge').set(replicasOf(edges))
    metrics.labelled('viewers_below', 'authority').set(authority?.viewersBelow ?? 0)
    metrics.labelled('viewers_below', 'proxy').set(sum(proxies.map(host => host.viewersBelow)))
    metrics.labelled('links', 'down').set(sum(parents.map(host => host.counts.links)))
    metrics.labelled('links', 'up').set(followers.filter(host => host.hasParent).length)
    setLinkGauges(metrics, this.#roles)
    this.#countRequests(followers.flatMap(host => host.requestCounts))
    metrics.plain('large_view_bytes').set(sum(edges.map(edge => edge.largeViewBytes)))
    metrics.plain('viewer_transfers').set(sum(viewers.map(stats => stats.transfers)))
    const dropped = { viewers: viewers, nodes: links }
    for (const [to, stats] of Object.entries(dropped)) {
      const counter = metrics.labelled('signals_dropped_total', to)
      this.#tell(counter, sum(stats.map(({ signalsDropped }) => signalsDropped)))
    }
    const { refused, turnedAway } = this.#router.stats()
    this.#tell(metrics.labelled('handshakes_refused_total', 'storm'), turnedAway)
    this.#tell(metrics.labelled('handshakes_refused_total', 'other'), refused - turnedAway)
    this.#count('viewers', sum(viewers.map(stats => stats.bytesOut)))
    this.#count('nodes', sum(links.map(stats => stats.bytesOut)))
    this.#countCloses('viewer_closes_total', [
      ...viewers,
      ...(writers === undefined ? [] : [writers]),
    ])
    this.#countCloses('link_closes_total', links)
  }

  /** Roles of the process may have asked the same node. */
  #countRequests(counts: readonly RequestCount[]): void {
    const totals = new Map<CounterHandle, number>()
    for (const { node, outcome, count } of counts) {
      const counter = this.#metrics.labelled('link_requests_total', node, outcome)
      totals.set(counter, (totals.get(counter) ?? 0) + count)
    }
    for (const [counter, total] of totals) this.#tell(counter, total)
  }

  #count(to: string, total: number): void {
    this.#tell(this.#metrics.labelled('sent_bytes_total', to), total)
  }

  #countCloses(
    name: 'viewer_closes_total' | 'link_closes_total',
    stats: readonly { readonly closes: Readonly<Record<string, number>> }[],
  ): void {
    const totals = new Map<string, number>()
    for (const { closes } of stats) {
      for (const [reason, count] of Object.entries(closes)) {
        totals.set(reason, (totals.get(reason) ?? 0) + count)
      }
    }
    for (const [reason, total] of totals) this.#tell(this.#metrics.labelled(name, reason), total)
  }

  #tell(counter: CounterHandle, total: number): void {
    const more = total - (this.#told.get(counter) ?? 0)
    if (more <= 0) return
    this.#told.set(counter, total)
    counter.inc(more)
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, next) => total + next, 0)
