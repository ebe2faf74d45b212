/* The program of a thread of replicas: effects come in slices, and answers go out in slices. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { evaluateEdgeVariant } from '@fanfold/build/variants'
import { assert, decodeUtf8 } from '@fanfold/kernel'
import { WorkerReplicas } from '@fanfold/worker'
import type { ReplicaThreadData } from './replica-thread.ts'
import { sha256 } from './sha256.ts'
import { snapshotCodec } from './snapshot-codec.ts'
import {
  type EffectHead,
  type InputHead,
  packInput,
  type ThreadMessage,
  unpackEffect,
} from './worker-messages.ts'
import { ParcelReader, type ParcelSlice, ParcelSlicer } from './worker-parcels.ts'

function serve(port: MessagePort, { heldBytesMax }: ReplicaThreadData): void {
  const replicas = new WorkerReplicas({
    sha256,
    codec: snapshotCodec,
    evaluate: code => evaluateEdgeVariant(decodeUtf8(code) ?? ''),
    heldBytesMax,
  })
  const reader = new ParcelReader<EffectHead>()
  const outbox = new ParcelSlicer<InputHead>()
  const post = (message: ThreadMessage, transferred: ArrayBuffer[] = []): void =>
    port.postMessage(message, transferred)
  port.on('message', (message: ParcelSlice<EffectHead>) => {
    post({ kind: 'taken', bytes: message.bytes.byteLength })
    for (const parcel of reader.take(message)) {
      for (const input of replicas.perform(unpackEffect(parcel))) outbox.push(packInput(input))
      for (let slice = outbox.next(); slice !== undefined; slice = outbox.next()) {
        post({ kind: 'slice', slice }, [slice.bytes])
      }
    }
  })
}

assert(parentPort !== null, 'a thread of replicas is started by the loop that it serves')
serve(parentPort, workerData)
