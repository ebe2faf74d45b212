import { evaluateEdgeVariant } from '@fanfold/build/variants'
import { buildLog, sha256, testReplicaWorkerPort } from '@fanfold/conformance'
import { encodeSnapshot, type ReplicaWorkerInput, type WorkerReplicaId } from '@fanfold/document'
import { decodeUtf8, instant, Prng } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import type { WorkerReplicasOptions } from '@fanfold/worker'
import t from 'tap'
import { SimulatedWorker } from '../src/simulated-worker.ts'
import { toyCodec } from '../src/toy-codec.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const evaluate: WorkerReplicasOptions['evaluate'] = code =>
  evaluateEdgeVariant(decodeUtf8(code) ?? '')

function makeWorkers(endShare: number, heldBytesMax?: number) {
  const clock = new VirtualClock()
  const open = (receive: (input: ReplicaWorkerInput) => void) =>
    new SimulatedWorker({
      clock,
      prng: new Prng('worker'),
      options: { effectMeanMs: 5, endShare },
      replicas: { sha256, codec: toyCodec, evaluate, heldBytesMax },
      receive,
    })
  return { clock, open, advance: () => clock.runUntil(instant(clock.now + 5_000)) }
}

t.test('a worker on virtual time', async t => {
  testReplicaWorkerPort(t, async ({ heldBytesMax }) => {
    const { open, advance } = makeWorkers(0, heldBytesMax)
    return { open, advance, codec: toyCodec, close: async () => undefined }
  })
})

t.test('a worker that ends fails all its replicas, and the next one has none', async t => {
  const { clock, open } = makeWorkers(1)
  const inputs: ReplicaWorkerInput[] = []
  const worker = open(input => inputs.push(input))
  const log = buildLog({ doc: parseDocumentKey('acme/match/final'), count: 3 })
  const snapshot = encodeSnapshot({ at: log.end, state: { n: 1 }, definition: undefined, sha256 })
  for (const replica of [1, 2] as WorkerReplicaId[]) {
    worker.perform({ kind: 'worker-open', replica, snapshot })
  }
  t.equal(worker.counts.replicas, 2)
  clock.runUntil(instant(1_000_000))
  t.same(
    inputs.map(({ kind, replica }) => `${kind} ${replica}`),
    ['worker-failed 1', 'worker-failed 2'],
  )
  t.same(worker.counts, { replicas: 0, bytes: 0 })
})
