import type {
  JsonValue,
  ReplicaWorker,
  ReplicaWorkerEffect,
  ReplicaWorkerFactory,
  ReplicaWorkerInput,
  Snapshot,
  WorkerReplicaId,
  WorkerViewId,
} from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { LogRecord } from '@fanfold/protocol'

/** A view that was asked for, without the names that the client gives. */
export type AskedView = {
  /** Text of the variant. */
  readonly variant: string
  readonly audience: JsonValue
  readonly clearance: number
  readonly viewState?: JsonValue | undefined
}

/** Calls of `advance` after which an answer will not come any more. */
const advancesMax = 100_000

/** A replica worker in a test's hands: effects go in, their answers are awaited. */
export class ReplicaWorkerClient {
  readonly worker: ReplicaWorker
  /** All that the worker has reported, in order. */
  readonly inputs: ReplicaWorkerInput[] = []
  readonly #advance: (() => void) | undefined
  #waiting: (() => void)[] = []
  #names = 0
  #isPerforming = false

  /** @param advance lets virtual time pass, for workers that live in it */
  constructor(open: ReplicaWorkerFactory, advance?: () => void) {
    this.#advance = advance
    this.worker = open(input => {
      assert(!this.#isPerforming, 'nothing is reported from inside an effect')
      this.inputs.push(input)
      const waiting = this.#waiting
      this.#waiting = []
      for (const resume of waiting) resume()
    })
  }

  /** Opens a replica. */
  open(snapshot: Snapshot): WorkerReplicaId {
    const replica = ++this.#names as WorkerReplicaId
    this.#perform({ kind: 'worker-open', replica, snapshot })
    return replica
  }

  feed(replica: WorkerReplicaId, records: readonly LogRecord[]): void {
    this.#perform({ kind: 'worker-feed', replica, records })
  }

  encode(replica: WorkerReplicaId): void {
    this.#perform({ kind: 'worker-encode', replica })
  }

  view(
    replica: WorkerReplicaId,
    { variant, audience, clearance, viewState }: AskedView,
  ): WorkerViewId {
    const view = ++this.#names as WorkerViewId
    const text = new Uint8Array(Buffer.from(variant))
    const who = { audience, clearance, viewState }
    this.#perform({ kind: 'worker-view', replica, view, variant: text, ...who })
    return view
  }

  close(replica: WorkerReplicaId): void {
    this.#perform({ kind: 'worker-close', replica })
  }

  /** What was reported of a replica. */
  of(replica: WorkerReplicaId): ReplicaWorkerInput[] {
    return this.inputs.filter(input => input.replica === replica)
  }

  /** What was reported of a replica, once it is so much. */
  async reports(replica: WorkerReplicaId, count: number): Promise<ReplicaWorkerInput[]> {
    for (let advances = 0; this.of(replica).length < count; advances++) {
      assert(advances < advancesMax, `an answer comes within ${advancesMax} steps`)
      await this.#more()
    }
    return this.of(replica)
  }

  /** The last report of a replica, the first one after those there are, which is of this kind. */
  async next<Kind extends ReplicaWorkerInput['kind']>(
    replica: WorkerReplicaId,
    kind: Kind,
  ): Promise<Extract<ReplicaWorkerInput, { kind: Kind }>> {
    const reports = await this.reports(replica, this.of(replica).length + 1)
    const input = reports.at(-1)
    assert(isOfKind(input, kind), `${kind} is reported, got ${input?.kind}`)
    return input
  }

  #perform(effect: ReplicaWorkerEffect): void {
    this.#isPerforming = true
    this.worker.perform(effect)
    this.#isPerforming = false
  }

  /** Waits for more inputs, or lets time pass that brings them. */
  async #more(): Promise<void> {
    if (this.#advance === undefined) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      return
    }
    this.#advance()
    await undefined
  }
}

const isOfKind = <Kind extends ReplicaWorkerInput['kind']>(
  input: ReplicaWorkerInput | undefined,
  kind: Kind,
): input is Extract<ReplicaWorkerInput, { kind: Kind }> => input?.kind === kind
