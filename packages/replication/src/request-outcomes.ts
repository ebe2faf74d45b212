import type { LinkFrame } from '@fanfold/protocol'

/**
 * What came of asking a node for a document: it serves it, refuses it, sends elsewhere, has not answered in time,
 * or the link was lost before; a metric label. Nobody is asked while its breaker is open.
 */
export type RequestOutcome = 'ok' | 'refused' | 'moved' | 'timeout' | 'lost'

/** How often something came of asking a node. */
export type RequestCount = {
  readonly node: string
  readonly outcome: RequestOutcome
  readonly count: number
}

/** Nodes that are told apart; further ones are counted together. */
const nodesMax = 32
const others = 'other'

/** Counts what came of asking each node for documents. */
export class RequestOutcomes {
  readonly #counts = new Map<string, Map<RequestOutcome, number>>()

  /** All that was counted so far. */
  get counts(): readonly RequestCount[] {
    return [...this.#counts].flatMap(([node, counts]) =>
      [...counts].map(([outcome, count]) => ({ node, outcome, count })),
    )
  }

  /** So many requests to the node came to this. */
  count(node: string, outcome: RequestOutcome, times = 1): void {
    if (times === 0) return
    const isRoom = this.#counts.has(node) || this.#counts.size < nodesMax
    const name = isRoom ? node : others
    const counts = this.#counts.get(name) ?? new Map<RequestOutcome, number>()
    this.#counts.set(name, counts)
    counts.set(outcome, (counts.get(outcome) ?? 0) + times)
  }

  /** A frame of a stream came from the node: some are answers. */
  heard(node: string, frame: LinkFrame): void {
    if (frame.kind === 'welcome') this.count(node, 'ok')
    else if (frame.kind === 'redirect') this.count(node, 'moved')
    else if (frame.kind === 'refused') {
      this.count(node, frame.code === 'FANFOLD_MOVED' ? 'moved' : 'refused')
    }
  }
}
