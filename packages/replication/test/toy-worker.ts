import { sha256 } from '@fanfold/conformance'
import {
  type PackedPiece,
  Replica,
  type ReplicaWorkerEffect,
  type ReplicaWorkerInput,
  type WorkerReplicaId,
} from '@fanfold/document'
import type { FollowingEffect } from '../src/parent-effect.ts'

/** A worker in a test's hands: it does what it is told at once, and its answers wait to be taken. */
export class ToyWorker {
  readonly #replicas = new Map<WorkerReplicaId, Replica>()
  /** Kinds of effects, in order. */
  readonly done: string[] = []
  answers: ReplicaWorkerInput[] = []
  /** The next snapshots fail. */
  failures = 0

  /** Replicas held. */
  get count(): number {
    return this.#replicas.size
  }

  perform(effects: readonly FollowingEffect[]): void {
    for (const effect of effects) {
      if (!isWorkers(effect)) continue
      this.done.push(effect.kind)
      this.#perform(effect)
    }
  }

  #perform(effect: ReplicaWorkerEffect): void {
    if (effect.kind === 'worker-open') {
      const replica = new Replica(sha256)
      replica.reset(effect.snapshot)
      this.#replicas.set(effect.replica, replica)
      return
    }
    const replica = this.#replicas.get(effect.replica)
    if (replica === undefined) return
    if (effect.kind === 'worker-feed') for (const record of effect.records) replica.append(record)
    else if (effect.kind === 'worker-close') this.#replicas.delete(effect.replica)
    else if (effect.kind === 'worker-encode') this.#encode(effect.replica, replica)
  }

  #encode(name: WorkerReplicaId, replica: Replica): void {
    const snapshot = replica.snapshot()
    if (this.failures > 0 || snapshot === undefined) {
      this.failures--
      this.#replicas.delete(name)
      this.answers.push({ kind: 'worker-failed', replica: name, message: 'no room' })
      return
    }
    const packed = snapshot.pieces.map((bytes): PackedPiece => ({ codec: 2, bytes }))
    this.answers.push({ kind: 'worker-encoded', replica: name, snapshot, packed })
  }
}

const isWorkers = (effect: FollowingEffect): effect is ReplicaWorkerEffect =>
  effect.kind.startsWith('worker-')
