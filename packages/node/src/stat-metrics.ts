import type { RequestCount } from '@fanfold/replication'
import type { UpgradeRouter } from '@fanfold/websocket'
import { setLinkGauges } from './link-metrics.ts'
import type { CounterHandle, Metrics } from './metrics.ts'
import type { ProcessRoles } from './process-roles.ts'
import { type QuotaUse, quotaUses } from './quota-use.ts'
import type { TenantQuotas } from './tenant-quotas.ts'

/**
 * What the roles count by themselves, brought into the metrics when somebody asks and not before: the
 * paths that count it stay free of metrics.
 */
export class StatMetrics {
  readonly #metrics: Metrics
  readonly #roles: ProcessRoles
  readonly #router: UpgradeRouter
  readonly #quotas: TenantQuotas
  readonly #certificateSeconds: () => number | undefined
  /** What each counter has been told so far. */
  readonly #told = new Map<CounterHandle, number>()

  constructor(options: {
    readonly metrics: Metrics
    readonly roles: ProcessRoles
    readonly router: UpgradeRouter
    readonly quotas: TenantQuotas
    /** Until the certificate of the public port ends; undefined where it has none. */
    readonly certificateSeconds: () => number | undefined
  }) {
    this.#metrics = options.metrics
    this.#roles = options.roles
    this.#router = options.router
    this.#quotas = options.quotas
    this.#certificateSeconds = options.certificateSeconds
  }

  /** Brings the metrics up to date. */
  update(): void {
    const { authority, proxies, edges, workers } = this.#roles
    const metrics = this.#metrics
    const viewers = edges.map(edge => edge.viewers.stats())
    const writers = authority?.writers.stats()
    const authorities = authority === undefined ? [] : [authority]
    const parents = [...authorities, ...proxies]
    const followers = [...proxies, ...edges]
    const links = [...parents, ...edges].flatMap(host => host.links.stats() ?? [])
    metrics.plain('workers').set(workers?.count ?? 0)
    metrics.plain('viewers').set(sum(viewers.map(stats => stats.viewers)))
    metrics.plain('viewers_lagging').set(sum(viewers.map(stats => stats.lagging)))
    metrics.plain('cohorts').set(sum(viewers.map(stats => stats.cohorts)))
    metrics.plain('writers').set(writers?.writers ?? 0)
    metrics.plain('children').set(sum(parents.map(host => host.counts.children)))
    metrics.plain('region_streams_extra').set(authority?.regionStreamsExtra ?? 0)
    metrics.plain('tree_bytes_over').set(proxies.some(host => host.isOverBytes) ? 1 : 0)
    metrics.plain('standby_documents').set(authority?.standby.documents ?? 0)
    metrics.plain('standby_lag_records').set(authority?.standby.lagRecords ?? 0)
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
    const seconds = this.#certificateSeconds()
    // Where there is no certificate nothing is told: 0 would say that it ends now.
    if (seconds !== undefined) metrics.labelled('tls_certificate_seconds', 'public').set(seconds)
    // What viewers have at workers these tell themselves.
    if (workers === undefined) this.#showQuotas(quotaUses(this.#roles, this.#quotas))
    this.#countRequests(followers.flatMap(host => host.requestCounts))
    metrics.plain('crowd_ids_waiting').set(sum(edges.map(edge => edge.crowdIdsWaiting)))
    metrics.plain('large_view_bytes').set(sum(edges.map(edge => edge.largeViewBytes)))
    metrics.plain('viewer_transfers').set(sum(viewers.map(stats => stats.transfers)))
    const deflates = viewers.map(({ deflate }) => deflate)
    const before = metrics.labelled('deflated_bytes_total', 'plain')
    this.#tell(before, sum(deflates.map(({ plainBytes }) => plainBytes)))
    const afterwards = metrics.labelled('deflated_bytes_total', 'deflated')
    this.#tell(afterwards, sum(deflates.map(({ deflatedBytes }) => deflatedBytes)))
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

  #showQuotas(uses: readonly QuotaUse[]): void {
    const show = (
      name: 'quota_documents' | 'quota_viewers' | 'quota_held',
      of: (used: QuotaUse['used']) => number,
    ): void => {
      this.#metrics.setAll(name, new Map(uses.map(({ tenant, used }) => [tenant, of(used)])))
    }
    show('quota_documents', used => used.documents)
    show('quota_viewers', used => used.viewers)
    show('quota_held', used => (used.isHeld ? 1 : 0))
    // Those that come late have one counter.
    const totals = new Map<CounterHandle, number>()
    for (const { tenant, used } of uses) {
      if (used.sentBytes === 0) continue
      const counter = this.#metrics.labelled('quota_sent_bytes_total', tenant)
      totals.set(counter, (totals.get(counter) ?? 0) + used.sentBytes)
    }
    for (const [counter, total] of totals) {
      // A tenant that was not followed for a while is counted from nothing again.
      if (total < (this.#told.get(counter) ?? 0)) this.#told.delete(counter)
      this.#tell(counter, total)
    }
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
