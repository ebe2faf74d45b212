import { evaluateEdgeVariant } from '@fanfold/build/variants'
import { buildLog, sha256, testReplicaWorkerPort } from '@fanfold/conformance'
import {
  encodeSnapshot,
  plainCodec,
  type ReplicaWorkerInput,
  type SnapshotCodec,
  type WorkerReplicaId,
  type WorkerViewId,
} from '@fanfold/document'
import { decodeUtf8, encodeUtf8 } from '@fanfold/kernel'
import { parseDocumentKey, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { WorkerReplicas, type WorkerReplicasOptions } from '../src/worker-replicas.ts'

const doc = parseDocumentKey('acme/match/final')
const evaluate: WorkerReplicasOptions['evaluate'] = code =>
  evaluateEdgeVariant(decodeUtf8(code) ?? '')

/** Beside the loop is where a worker may be; here it is only after the turn. */
t.test('a worker in the process', async t => {
  testReplicaWorkerPort(t, async ({ heldBytesMax }) => ({
    open: receive => {
      const replicas = new WorkerReplicas({ sha256, codec: plainCodec, evaluate, heldBytesMax })
      let isOpen = true
      const closed = new Set<WorkerReplicaId>()
      return {
        perform: effect => {
          const inputs = isOpen ? replicas.perform(effect) : []
          if (effect.kind === 'worker-close') closed.add(effect.replica)
          setImmediate(() => {
            for (const input of inputs) if (isOpen && !closed.has(input.replica)) receive(input)
          })
        },
        close: async () => {
          isOpen = false
        },
      }
    },
    codec: plainCodec,
    close: async () => undefined,
  }))
})

const replica = 1 as WorkerReplicaId
const nothing = { manifest: { at: zeroPosition, pieces: [] }, pieces: [] }
const log = buildLog({ doc, count: 6 })

const make = (options: Partial<WorkerReplicasOptions> = {}): WorkerReplicas =>
  new WorkerReplicas({ sha256, codec: plainCodec, evaluate, ...options })

const encoded = (inputs: readonly ReplicaWorkerInput[]) =>
  inputs.flatMap(input => (input.kind === 'worker-encoded' ? [input] : []))[0]

t.test('a snapshot is made and packed once while no record comes', async t => {
  let packs = 0
  const codec: SnapshotCodec = {
    ...plainCodec,
    pack: piece => {
      packs++
      return plainCodec.pack(piece)
    },
  }
  const replicas = make({ codec })
  replicas.perform({ kind: 'worker-open', replica, snapshot: nothing })
  replicas.perform({ kind: 'worker-feed', replica, records: log.records.slice(0, 3) })
  const first = encoded(replicas.perform({ kind: 'worker-encode', replica }))
  const again = encoded(replicas.perform({ kind: 'worker-encode', replica }))
  t.ok(first !== undefined && again?.snapshot === first.snapshot && again.packed === first.packed)
  t.equal(packs, 1)
  replicas.perform({ kind: 'worker-feed', replica, records: log.records.slice(3) })
  const after = encoded(replicas.perform({ kind: 'worker-encode', replica }))
  t.equal(after?.snapshot.manifest.at.seq, 6)
  t.equal(packs, 2)
})

t.test('only the pieces that a record changed are packed again', async t => {
  let packs = 0
  const codec: SnapshotCodec = {
    ...plainCodec,
    pack: piece => {
      packs++
      return { codec: 0, bytes: piece.slice() }
    },
  }
  const rows = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, at) => [`r${at}`, 'x'.repeat(50)]),
  )
  const cut = buildLog({ doc, count: 3 })
  const snapshot = encodeSnapshot({
    at: cut.end,
    state: { n: 3, rows },
    definition: undefined,
    sha256,
  })
  const replicas = make({ codec })
  replicas.perform({ kind: 'worker-open', replica, snapshot })
  replicas.perform({ kind: 'worker-encode', replica })
  t.equal(packs, snapshot.pieces.length)
  t.ok(packs > 4)
  replicas.perform({ kind: 'worker-feed', replica, records: log.records.slice(3) })
  const made = encoded(replicas.perform({ kind: 'worker-encode', replica }))
  t.equal(packs, snapshot.pieces.length + 1)
  t.same(
    made?.packed.map(({ bytes }) => Buffer.from(bytes)),
    made?.snapshot.pieces.map(bytes => Buffer.from(bytes)),
  )
})

t.test('a text is evaluated once for all views by it, also one that cannot be', async t => {
  let evaluations = 0
  const replicas = make({
    evaluate: code => {
      evaluations++
      return evaluate(code)
    },
  })
  replicas.perform({ kind: 'worker-open', replica, snapshot: nothing })
  replicas.perform({ kind: 'worker-feed', replica, records: log.records })
  const view = (text: string): void => {
    const who = { audience: {}, clearance: 0, viewState: undefined }
    const variant = encodeUtf8(text)
    const inputs = replicas.perform({
      kind: 'worker-view',
      replica,
      view: 1 as WorkerViewId,
      variant,
      ...who,
    })
    t.equal(inputs.length, 1)
  }
  for (let count = 0; count < 3; count++) {
    view('(')
    view("module.exports.default = require('fanfold').defineDocument({ type: 'match' })")
  }
  t.equal(evaluations, 2)
  for (let index = 0; index < 16; index++) view(`(${index}`)
  view('(')
  t.equal(evaluations, 19, 'what was not used for long is evaluated again')
})

t.test('what is held is counted, and let go when a replica is closed', async t => {
  const replicas = make()
  t.equal(replicas.heldBytes, 0)
  replicas.perform({ kind: 'worker-open', replica, snapshot: nothing })
  replicas.perform({ kind: 'worker-feed', replica, records: log.records })
  t.equal(
    replicas.heldBytes,
    log.records.reduce((sum, { bytes }) => sum + bytes.length, 0),
  )
  const made = encoded(replicas.perform({ kind: 'worker-encode', replica }))
  const bytes = made?.snapshot.pieces[0]?.length ?? 0
  t.equal(replicas.heldBytes, 2 * bytes, 'the snapshot, packed and not')
  replicas.perform({ kind: 'worker-close', replica })
  t.equal(replicas.heldBytes, 0)
  t.equal(replicas.count, 0)
})

t.test('a replica that is larger than all that may be held fails itself', async t => {
  const snapshot = encodeSnapshot({
    at: log.end,
    state: { text: 'x'.repeat(2_000) },
    definition: undefined,
    sha256,
  })
  const replicas = make({ heldBytesMax: 1_000 })
  const [failed, ...others] = replicas.perform({ kind: 'worker-open', replica, snapshot })
  t.match(failed, { kind: 'worker-failed', replica, message: /at most 1000 bytes/ })
  t.same(others, [])
  t.equal(replicas.heldBytes, 0)
})

t.test('a replica that is opened twice fails', async t => {
  const replicas = make()
  replicas.perform({ kind: 'worker-open', replica, snapshot: nothing })
  const inputs = replicas.perform({ kind: 'worker-open', replica, snapshot: nothing })
  t.match(inputs, [{ kind: 'worker-failed', replica }])
  t.equal(replicas.count, 0)
})
