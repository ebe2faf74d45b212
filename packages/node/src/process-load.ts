import type { MemberLoad } from '@fanfold/topology'
import type { ProcessRoles } from './process-roles.ts'

/** How busy a process is, as it tells the others of its fleet. */
export class ProcessLoad {
  readonly #roles: ProcessRoles
  readonly #nowMs: () => number
  #bytes = 0
  #atMs: number

  /** @param nowMs a clock that never goes back */
  constructor(roles: ProcessRoles, nowMs: () => number) {
    this.#roles = roles
    this.#nowMs = nowMs
    this.#atMs = nowMs()
  }

  /** What there is now, and what was sent in a second since it was measured last. */
  measure(): MemberLoad {
    const { authority, proxies, edges, parents, viewed } = this.#roles
    const hosts = [...(authority === undefined ? [] : [authority]), ...proxies, ...edges]
    const bytes =
      sum(hosts.map(({ links }) => links.bytesOut)) + sum(viewed.map(({ bytesOut }) => bytesOut))
    const nowMs = this.#nowMs()
    const forMs = nowMs - this.#atMs
    const bytesPerSecond = forMs > 0 ? Math.round(((bytes - this.#bytes) * 1_000) / forMs) : 0
    this.#bytes = bytes
    this.#atMs = nowMs
    return {
      // Those of one role are those of the others too.
      documents: Math.max(0, ...hosts.map(({ counts }) => counts.documents)),
      viewers: sum(viewed.map(({ counts }) => counts.viewers)),
      children: sum(parents.map(({ counts }) => counts.children)),
      bytesPerSecond,
    }
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
