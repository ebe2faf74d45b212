/*
 * One thread of replicas, seen from the loop. What goes there waits here and leaves a slice in a turn,
 * while the thread has taken what was sent before but for a window; so a turn costs little, and what a
 * busy thread has not come to is not copied yet.
 */
import { Worker } from 'node:worker_threads'
import type { ReplicaWorkerEffect, ReplicaWorkerInput, WorkerReplicaId } from '@fanfold/document'
import { unreachable } from '@fanfold/kernel'
import {
  type EffectHead,
  type InputHead,
  packEffect,
  type ThreadMessage,
  unpackInput,
} from './worker-messages.ts'
import { ParcelReader, ParcelSlicer, parcelBytes } from './worker-parcels.ts'

/** Bytes sent to a thread that it has not taken. */
const inFlightBytesMax = 8_388_608

/** How often a thread that owes answers is looked after, in the time that it may be silent. */
const looksInSilence = 4

/** What makes a thread. */
export type ReplicaThreadOptions = {
  /** Bytes that it may hold, as `WorkerReplicas` counts them. */
  readonly heldBytesMax: number
  /** Bytes that may wait for it here. */
  readonly queuedBytesMax: number
  /** How long it may say nothing while it owes answers, ms: an author's code may never return. */
  readonly silenceMaxMs: number
  /** It takes nothing any more; its replicas are told after that. */
  ended(thread: ReplicaThread): void
}

/** What a thread that was started gets. */
export type ReplicaThreadData = { readonly heldBytesMax: number }

/** A thread that was started, and the replicas it holds. */
export class ReplicaThread {
  readonly #worker: Worker
  readonly #options: ReplicaThreadOptions
  readonly #outbox = new ParcelSlicer<EffectHead>()
  readonly #reader = new ParcelReader<InputHead>()
  /** Who hears the answers, by replica. */
  readonly #owners = new Map<WorkerReplicaId, (input: ReplicaWorkerInput) => void>()
  /** Encodes and views that are not answered, by replica. */
  readonly #asked = new Map<WorkerReplicaId, number>()
  /** Looks since it said something. */
  #silentLooks = 0
  #watch: NodeJS.Timeout | undefined
  #inFlightBytes = 0
  #isSliceDue = false
  #isEnded = false
  #error: Error | undefined

  constructor(options: ReplicaThreadOptions) {
    const workerData: ReplicaThreadData = { heldBytesMax: options.heldBytesMax }
    this.#options = options
    this.#worker = new Worker(new URL('./replica-thread-main.js', import.meta.url), { workerData })
    this.#worker.on('message', (message: ThreadMessage) => this.#take(message))
    this.#worker.on('error', error => {
      this.#error = error
    })
    this.#worker.on('exit', code => this.#end(code))
    // A node ends when its sockets and its log do.
    this.#worker.unref()
  }

  /** Replicas that are open. */
  get replicaCount(): number {
    return this.#owners.size
  }

  /** Performs an effect; of one that opens a replica, `answer` hears what is reported of it. */
  perform(effect: ReplicaWorkerEffect, answer?: (input: ReplicaWorkerInput) => void): void {
    const { replica } = effect
    if (answer !== undefined) this.#owners.set(replica, answer)
    const owner = this.#owners.get(replica)
    if (owner === undefined) return
    if (effect.kind === 'worker-close') this.#release(replica)
    const parcel = packEffect(effect)
    const { queuedBytesMax } = this.#options
    const bytes = this.#outbox.bytes + parcelBytes(parcel)
    if (bytes > queuedBytesMax && effect.kind !== 'worker-close') {
      this.#release(replica)
      this.#send(packEffect({ kind: 'worker-close', replica }))
      const message = `at most ${queuedBytesMax} bytes wait for a worker, got ${bytes}`
      setImmediate(() => owner({ kind: 'worker-failed', replica, message }))
      return
    }
    if (effect.kind === 'worker-encode' || effect.kind === 'worker-view') {
      this.#asked.set(replica, (this.#asked.get(replica) ?? 0) + 1)
      this.#startWatch()
    }
    this.#send(parcel)
  }

  /** Ends the thread; nothing is answered any more. */
  async terminate(): Promise<void> {
    clearInterval(this.#watch)
    this.#owners.clear()
    this.#outbox.withdraw(() => true)
    await this.#worker.terminate()
  }

  #release(replica: WorkerReplicaId): void {
    this.#owners.delete(replica)
    this.#asked.delete(replica)
    this.#outbox.withdraw(head => head.replica === replica)
  }

  #startWatch(): void {
    if (this.#watch !== undefined) return
    this.#silentLooks = 0
    const everyMs = this.#options.silenceMaxMs / looksInSilence
    this.#watch = setInterval(() => this.#look(), everyMs).unref()
  }

  /** A thread that goes round in circles is ended: its replicas fail, and whoever waits is told. */
  #look(): void {
    if (this.#asked.size === 0) {
      clearInterval(this.#watch)
      this.#watch = undefined
    } else if (++this.#silentLooks > looksInSilence) {
      clearInterval(this.#watch)
      this.#error = new Error(`it said nothing for ${this.#options.silenceMaxMs} ms`)
      void this.#worker.terminate()
    }
  }

  #send(parcel: ReturnType<typeof packEffect>): void {
    this.#outbox.push(parcel)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isSliceDue || this.#isEnded || this.#outbox.bytes === 0) return
    if (this.#inFlightBytes >= inFlightBytesMax) return
    this.#isSliceDue = true
    setImmediate(() => this.#sendSlice())
  }

  #sendSlice(): void {
    this.#isSliceDue = false
    const slice = this.#isEnded ? undefined : this.#outbox.next()
    if (slice === undefined) return
    this.#inFlightBytes += slice.bytes.byteLength
    this.#worker.postMessage(slice, [slice.bytes])
    this.#schedule()
  }

  #take(message: ThreadMessage): void {
    this.#silentLooks = 0
    switch (message.kind) {
      case 'taken':
        this.#inFlightBytes -= message.bytes
        this.#schedule()
        return
      case 'slice':
        for (const parcel of this.#reader.take(message.slice)) this.#answer(unpackInput(parcel))
        return
      default:
        unreachable(message)
    }
  }

  #answer(input: ReplicaWorkerInput): void {
    const { replica } = input
    const owner = this.#owners.get(replica)
    if (input.kind === 'worker-failed') this.#release(replica)
    else this.#answered(replica)
    owner?.(input)
  }

  #answered(replica: WorkerReplicaId): void {
    const left = (this.#asked.get(replica) ?? 0) - 1
    if (left > 0) this.#asked.set(replica, left)
    else this.#asked.delete(replica)
  }

  #end(code: number): void {
    this.#isEnded = true
    clearInterval(this.#watch)
    const owners = [...this.#owners]
    this.#owners.clear()
    this.#options.ended(this)
    const reason = this.#error?.message ?? `exit code ${code}`
    const message = `its thread has ended: ${reason}`
    for (const [replica, owner] of owners) owner({ kind: 'worker-failed', replica, message })
  }
}
