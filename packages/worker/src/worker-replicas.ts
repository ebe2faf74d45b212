/*
 * What a replica worker does, without where it does it: an effect goes in, and what it leads to comes
 * out, at once. An adapter puts it into a thread, or on virtual time, and carries both there and back.
 */
import {
  projectSnapshot,
  type ReplicaWorkerEffect,
  type ReplicaWorkerInput,
  type Snapshot,
  type SnapshotCodec,
  type WorkerReplicaId,
} from '@fanfold/document'
import { assert, type Sha256, unreachable } from '@fanfold/kernel'
import { labelMax } from '@fanfold/protocol'
import { HeldReplica } from './held-replica.ts'
import { type EvaluateVariant, ViewMaker, type ViewRequest } from './view-maker.ts'

/** What makes a worker. */
export type WorkerReplicasOptions = {
  readonly sha256: Sha256
  readonly codec: SnapshotCodec
  /** Runs the text of an edge variant, which the edge has verified. */
  readonly evaluate: EvaluateVariant
  /** Bytes of snapshots and of records after them that may be held. Default: 256 MiB. */
  readonly heldBytesMax?: number | undefined
}

/** What a worker may hold by default; in memory a state takes some five times as much as its bytes. */
export const heldBytesMaxDefault = 268_435_456

/**
 * The replicas of a worker.
 *
 * Nothing that a document or an author's code brings is thrown: a replica that cannot go on fails
 * alone, and is gone then.
 */
export class WorkerReplicas {
  readonly #sha256: Sha256
  readonly #codec: SnapshotCodec
  readonly #views: ViewMaker
  readonly #heldBytesMax: number
  /** In order of last use. */
  readonly #held = new Map<WorkerReplicaId, { readonly replica: HeldReplica; bytes: number }>()
  #heldBytes = 0

  constructor(options: WorkerReplicasOptions) {
    const { sha256, codec, evaluate, heldBytesMax = heldBytesMaxDefault } = options
    assert(heldBytesMax > 0, `heldBytesMax is over 0, got ${heldBytesMax}`)
    this.#sha256 = sha256
    this.#codec = codec
    this.#views = new ViewMaker(sha256, evaluate)
    this.#heldBytesMax = heldBytesMax
  }

  /** Replicas held. */
  get count(): number {
    return this.#held.size
  }

  /** Bytes held, as `heldBytesMax` counts them. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Does what the effect says; returns its answers, in order. */
  perform(effect: ReplicaWorkerEffect): ReplicaWorkerInput[] {
    const { replica: id } = effect
    const inputs: ReplicaWorkerInput[] = []
    try {
      const answer = this.#answer(effect)
      if (answer !== undefined) inputs.push(answer)
    } catch (error) {
      const message = error instanceof Error ? error.message : typeof error
      inputs.push(this.#fail(id, message))
    }
    this.#note(id)
    this.#makeRoom(inputs)
    return inputs
  }

  #answer(effect: ReplicaWorkerEffect): ReplicaWorkerInput | undefined {
    const { replica: id } = effect
    if (effect.kind === 'worker-open') {
      this.#open(id, effect.snapshot)
      return undefined
    }
    // One that failed is closed: what was on its way to it does nothing.
    const replica = this.#held.get(id)?.replica
    if (replica === undefined) return undefined
    switch (effect.kind) {
      case 'worker-feed': {
        const problem = replica.feed(effect.records)
        return problem === undefined ? undefined : this.#fail(id, problem)
      }
      case 'worker-encode':
        return this.#encode(id, replica)
      case 'worker-view':
        return this.#view(effect, replica)
      case 'worker-close':
        this.#drop(id)
        return undefined
      default:
        return unreachable(effect)
    }
  }

  #open(id: WorkerReplicaId, snapshot: Snapshot): void {
    assert(!this.#held.has(id), `a replica is opened once, got ${id} again`)
    const [sha256, codec] = [this.#sha256, this.#codec]
    const projected = projectSnapshot(snapshot, labelMax)
    this.#held.set(id, {
      replica: new HeldReplica({ snapshot: projected, sha256, codec }),
      bytes: 0,
    })
  }

  #encode(id: WorkerReplicaId, replica: HeldReplica): ReplicaWorkerInput {
    const made = replica.encode()
    if (made === undefined) return this.#fail(id, `at ${replica.seq} there is nothing to write out`)
    return { kind: 'worker-encoded', replica: id, ...made }
  }

  #view(request: ViewRequest, replica: HeldReplica): ReplicaWorkerInput {
    const { replica: id, view } = request
    const state = replica.state()
    if (replica.isBroken) return this.#fail(id, `the snapshot at ${replica.seq} is none`)
    const pieces = state === undefined ? undefined : this.#views.make(state, request)
    return { kind: 'worker-viewed', replica: id, view, seq: replica.seq, pieces }
  }

  /** Counts the replica anew, as the one that was used last. */
  #note(id: WorkerReplicaId): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    this.#held.set(id, held)
    const { bytes } = held.replica
    this.#heldBytes += bytes - held.bytes
    held.bytes = bytes
  }

  #makeRoom(inputs: ReplicaWorkerInput[]): void {
    for (const id of this.#held.keys()) {
      if (this.#heldBytes <= this.#heldBytesMax) return
      const message = `at most ${this.#heldBytesMax} bytes are held, got ${this.#heldBytes}`
      inputs.push(this.#fail(id, message))
    }
  }

  #fail(replica: WorkerReplicaId, message: string): ReplicaWorkerInput {
    this.#drop(replica)
    return { kind: 'worker-failed', replica, message }
  }

  #drop(id: WorkerReplicaId): void {
    this.#heldBytes -= this.#held.get(id)?.bytes ?? 0
    this.#held.delete(id)
  }
}
