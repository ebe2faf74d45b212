import type { DocumentKey, TreeEntry } from '@fanfold/protocol'
import type { AuthorityHost } from './authority-host.ts'
import type { EdgeHost } from './edge-host.ts'
import type { EdgeWorkers } from './edge-workers.ts'
import type { ProxyHost } from './proxy-host.ts'

/** What viewers and writers are told to wait when the process goes away, ms. */
const drainRetryAfterMs = 500

/** The roles of one process, as far as they have been started. */
export class ProcessRoles {
  authority: AuthorityHost | undefined
  readonly proxies: ProxyHost[] = []
  readonly edges: EdgeHost[] = []
  /** The processes that serve viewers in place of an edge here; their local proxy is one of `proxies`. */
  workers: EdgeWorkers | undefined

  /** Who has viewers: edges here, or workers together. */
  get viewed(): readonly (EdgeHost | EdgeWorkers)[] {
    return this.workers === undefined ? this.edges : [this.workers]
  }

  /** Who has other nodes below. */
  get parents(): readonly (AuthorityHost | ProxyHost)[] {
    if (this.workers !== undefined) return []
    return [...(this.authority === undefined ? [] : [this.authority]), ...this.proxies]
  }

  /** Who has a document from whom, as far as it can be told now: the role that is nearest to the top asks. */
  treeOf(doc: DocumentKey): Promise<readonly TreeEntry[]> {
    const host = this.authority ?? this.proxies[0] ?? this.edges[0]
    return host?.treeOf(doc) ?? Promise.resolve([])
  }

  /** Tells viewers, writers and children to go elsewhere or to come back; gives the children a moment. */
  async drain(): Promise<void> {
    await this.workers?.drain()
    for (const edge of this.edges) edge.viewers.drain(drainRetryAfterMs)
    this.authority?.writers.drain(drainRetryAfterMs)
    const authorities = this.authority === undefined ? [] : [this.authority]
    const hosts = [...this.edges, ...this.proxies, ...authorities]
    await Promise.all(hosts.map(host => host.links.drain()))
  }

  /** Closes what is open, from the edges up; what the log has begun is finished. */
  async close(): Promise<void> {
    await this.workers?.close()
    await Promise.all([...this.edges, ...this.proxies].map(host => host.close()))
    await this.authority?.close()
  }
}
