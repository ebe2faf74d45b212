import type {
  ReplicaWorker,
  ReplicaWorkerEffect,
  ReplicaWorkerFactory,
  ReplicaWorkerInput,
  WorkerReplicaId,
} from '@fanfold/document'
import type { Metrics } from './metrics.ts'

/** The replica worker of one role, and what it tells of it: how many replicas, how long each answer takes. */
export class HostWorker {
  readonly #worker: ReplicaWorker
  readonly #metrics: Metrics
  /** Replicas that are open, each with when its answers that are due were asked for. */
  readonly #askedAtMs = new Map<WorkerReplicaId, number[]>()

  constructor(options: {
    readonly open: ReplicaWorkerFactory
    readonly metrics: Metrics
    readonly receive: (input: ReplicaWorkerInput) => void
  }) {
    this.#metrics = options.metrics
    this.#worker = options.open(input => {
      this.#note(input)
      options.receive(input)
    })
  }

  /** Replicas that are open. */
  get count(): number {
    return this.#askedAtMs.size
  }

  perform(effect: ReplicaWorkerEffect): void {
    const { replica } = effect
    switch (effect.kind) {
      case 'worker-open':
        this.#askedAtMs.set(replica, [])
        break
      case 'worker-close':
        this.#askedAtMs.delete(replica)
        break
      case 'worker-encode':
      case 'worker-view':
        this.#askedAtMs.get(replica)?.push(performance.now())
        break
      default:
    }
    this.#worker.perform(effect)
  }

  /** Frees all it holds; nothing is answered any more. */
  async close(): Promise<void> {
    this.#askedAtMs.clear()
    await this.#worker.close()
  }

  #note({ kind, replica }: ReplicaWorkerInput): void {
    if (kind === 'worker-failed') {
      this.#askedAtMs.delete(replica)
      this.#metrics.plain('worker_failures_total').inc()
      return
    }
    const askedAtMs = this.#askedAtMs.get(replica)?.shift()
    if (askedAtMs === undefined) return
    const seconds = (performance.now() - askedAtMs) / 1000
    this.#metrics.plain('worker_encode_seconds').observe(seconds)
  }
}
