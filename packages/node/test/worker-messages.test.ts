import { buildLog, sha256 } from '@fanfold/conformance'
import {
  encodeSnapshot,
  type PackedPiece,
  type ReplicaWorkerEffect,
  type ReplicaWorkerInput,
  type WorkerReplicaId,
  type WorkerViewId,
} from '@fanfold/document'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { snapshotCodec } from '../src/snapshot-codec.ts'
import { packEffect, packInput, unpackEffect, unpackInput } from '../src/worker-messages.ts'

const replica = 3 as WorkerReplicaId
const view = 4 as WorkerViewId
const log = buildLog({ doc: parseDocumentKey('acme/match/final'), count: 3 })
const rows = Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`r${at}`, `row ${at}`]))
const snapshot = encodeSnapshot({
  at: log.end,
  state: { n: 3, rows },
  definition: undefined,
  sha256,
})

const effects: ReplicaWorkerEffect[] = [
  { kind: 'worker-open', replica, snapshot },
  { kind: 'worker-feed', replica, records: log.records },
  { kind: 'worker-feed', replica, records: [] },
  { kind: 'worker-encode', replica },
  {
    kind: 'worker-view',
    replica,
    view,
    variant: Uint8Array.of(1, 2, 3),
    audience: { id: 'a', tags: [1, null] },
    clearance: 7,
    viewState: undefined,
  },
  { kind: 'worker-close', replica },
]

const packed = snapshot.pieces.map(piece => snapshotCodec.pack(piece))
const raw = snapshot.pieces.map(bytes => ({ codec: 0, bytes }))

const inputs: ReplicaWorkerInput[] = [
  { kind: 'worker-encoded', replica, snapshot, packed },
  { kind: 'worker-encoded', replica, snapshot, packed: raw },
  { kind: 'worker-encoded', replica, snapshot, packed: raw.with(1, packed[1] as PackedPiece) },
  { kind: 'worker-viewed', replica, view, seq: 3, pieces: snapshot.pieces },
  { kind: 'worker-viewed', replica, view, seq: 3, pieces: [] },
  { kind: 'worker-viewed', replica, view, seq: 3, pieces: undefined },
  { kind: 'worker-failed', replica, message: 'a record does not apply' },
]

/** As a message is copied; bytes go as bytes, whatever class they had. */
const cloned = <Message>(message: Message): Message => structuredClone(message)

t.test('effects arrive as they were', async t => {
  for (const effect of effects) t.same(unpackEffect(cloned(packEffect(effect))), effect)
})

t.test('answers arrive as they were', async t => {
  for (const input of inputs) t.same(unpackInput(cloned(packInput(input))), input)
})

t.test('a piece that is not packed is sent once', async t => {
  const sent = packInput({ kind: 'worker-encoded', replica, snapshot, packed: raw })
  t.equal(sent.arrays.length, 1 + snapshot.pieces.length)
})
