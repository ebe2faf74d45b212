/*
 * The replica worker port on virtual time: what a worker does is `WorkerReplicas`, and each effect takes
 * a drawn while, one after the other. Now and then the worker ends and is another one from then on,
 * without a replica.
 */
import type {
  ReplicaWorker,
  ReplicaWorkerEffect,
  ReplicaWorkerInput,
  WorkerReplicaId,
} from '@fanfold/document'
import { type Instant, instant, type Prng } from '@fanfold/kernel'
import { WorkerReplicas, type WorkerReplicasOptions } from '@fanfold/worker'
import type { VirtualClock } from './virtual-clock.ts'

/** How a worker behaves. */
export type SimulatedWorkerOptions = {
  /** Mean time that an effect takes, exponentially distributed, ms. */
  readonly effectMeanMs: number
  /** Share of the effects by which the worker ends. */
  readonly endShare: number
}

/** The worker of one node. */
export class SimulatedWorker implements ReplicaWorker {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #options: SimulatedWorkerOptions
  readonly #make: WorkerReplicasOptions
  readonly #receive: (input: ReplicaWorkerInput) => void
  readonly #open = new Set<WorkerReplicaId>()
  #replicas: WorkerReplicas
  #busyUntil: Instant = instant(0)
  #isClosed = false
  #ended = 0

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly options: SimulatedWorkerOptions
    readonly replicas: WorkerReplicasOptions
    /** Takes the answers, each in an event of its own. */
    readonly receive: (input: ReplicaWorkerInput) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#options = options.options
    this.#make = options.replicas
    this.#receive = options.receive
    this.#replicas = new WorkerReplicas(options.replicas)
  }

  /** Replicas that are open, and bytes that they hold. */
  get counts(): { readonly replicas: number; readonly bytes: number } {
    return { replicas: this.#open.size, bytes: this.#replicas.heldBytes }
  }

  /** How often the worker ended. */
  get ended(): number {
    return this.#ended
  }

  perform(effect: ReplicaWorkerEffect): void {
    const { effectMeanMs, endShare } = this.#options
    const micros = -effectMeanMs * 1000 * Math.log(1 - this.#prng.fraction())
    const isLast = this.#prng.chance(endShare)
    const start = Math.max(this.#clock.now, this.#busyUntil)
    this.#busyUntil = instant(start + Math.max(1, Math.round(micros)))
    if (effect.kind === 'worker-open') this.#open.add(effect.replica)
    if (effect.kind === 'worker-close') this.#open.delete(effect.replica)
    this.#clock.at(this.#busyUntil, () => {
      if (this.#isClosed) return
      if (isLast) this.#end()
      else for (const input of this.#replicas.perform(effect)) this.#answer(input)
    })
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#open.clear()
    return Promise.resolve()
  }

  #end(): void {
    this.#ended++
    this.#replicas = new WorkerReplicas(this.#make)
    for (const replica of [...this.#open]) {
      this.#answer({ kind: 'worker-failed', replica, message: 'the worker has ended' })
    }
  }

  #answer(input: ReplicaWorkerInput): void {
    // A replica that was closed meanwhile answers nothing any more.
    if (this.#isClosed || !this.#open.has(input.replica)) return
    if (input.kind === 'worker-failed') this.#open.delete(input.replica)
    this.#receive(input)
  }
}
