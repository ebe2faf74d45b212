/*
 * What every replica worker does, wherever it does it: in a thread, or on virtual time. Each test gets
 * a rig of its own, whose worker makes byte for byte what a replica makes on the loop.
 */
import {
  decodeSnapshot,
  encodeSnapshot,
  type JsonObject,
  projectSnapshot,
  Replica,
  type ReplicaWorkerFactory,
  type ReplicaWorkerInput,
  type Snapshot,
  type SnapshotCodec,
} from '@fanfold/document'
import { assert, equalBytes } from '@fanfold/kernel'
import { labelMax, limits, parseDocumentKey, partTags, zeroPosition } from '@fanfold/protocol'
import type { Test } from 'tap'
import { type BuiltLog, buildLog, sha256 } from './build-log.ts'
import { labelledText } from './log-script.ts'
import { ReplicaWorkerClient } from './replica-worker-client.ts'

/** A worker to be made, and what it is made with. */
export type ReplicaWorkerRig = {
  readonly open: ReplicaWorkerFactory
  /** By what it packs pieces. */
  readonly codec: SnapshotCodec
  /** Lets virtual time pass, where the worker lives in it. */
  readonly advance?: (() => void) | undefined
  /** Ends everything. */
  close(): Promise<void>
}

/**
 * Makes a rig. Its workers run texts of variants as edges do, by `evaluateEdgeVariant`, and hold so
 * many bytes of snapshots and records; their own default when not said.
 */
export type OpenReplicaWorkerRig = (options: {
  readonly heldBytesMax?: number | undefined
}) => Promise<ReplicaWorkerRig>

const doc = parseDocumentKey('acme/match/final')

const variantOf = (members: string): string =>
  `const fanfold = require('fanfold'); module.exports.default = fanfold.defineDocument({ type: 'match', ${members} })`

/** What the suite's document is shown by. */
const variants = {
  ruled: variantOf(
    "labels: { '/hands/*': 1, '/secret': 2 }, privacy: { '/hands/*': (audience, { key }) => key === audience.hand }",
  ),
  computed: variantOf(
    'view: (visible, audience, viewState) => ({ n: visible.n, of: audience.hand, page: viewState.page })',
  ),
  throwing: variantOf("view: () => { throw new Error('thrown by an author') }"),
  none: 'not the text of a variant (',
}

const definition = {
  variant: 'ab'.repeat(32),
  viewKey: 'cd'.repeat(16),
  labels: [
    { pattern: '/hands/*', label: 1 },
    { pattern: '/secret', label: 2 },
  ],
}

/** A definition, `create`, and deltas. */
const labelled = (count: number): BuiltLog => buildLog({ doc, count, definition, isWhole: true })

/** What a replica makes of these records after a snapshot. */
function madeBy(snapshot: Snapshot, log: Pick<BuiltLog, 'records'>): Snapshot {
  const replica = new Replica(sha256)
  replica.reset(snapshot)
  for (const record of log.records) replica.append(record)
  const made = replica.snapshot()
  assert(made !== undefined, 'a document that exists has a snapshot')
  return made
}

/** What comes before a log begins. */
const nothing: Snapshot = { manifest: { at: zeroPosition, pieces: [] }, pieces: [] }

const encode = (log: BuiltLog, state: JsonObject | undefined, extra?: JsonObject): Snapshot =>
  encodeSnapshot({ at: log.end, state, definition: undefined, ...(extra && { extra }), sha256 })

/** A document of some megabytes, at the end of a log. */
function large(log: BuiltLog): Snapshot {
  const rows: JsonObject = {}
  for (let index = 0; index < 40_000; index++) rows[`row-${index}`] = { text: `${index}`.repeat(9) }
  return encode(log, { n: 0, rows })
}

const areSame = (one: Snapshot | undefined, other: Snapshot): boolean =>
  one !== undefined &&
  one.manifest.at.seq === other.manifest.at.seq &&
  one.manifest.at.epoch === other.manifest.at.epoch &&
  equalBytes(one.manifest.at.hash, other.manifest.at.hash) &&
  one.pieces.length === other.pieces.length &&
  one.manifest.pieces.length === other.manifest.pieces.length &&
  one.manifest.pieces.every((entry, index) => {
    const wanted = other.manifest.pieces[index]
    return (
      entry.tag === wanted?.tag &&
      entry.bytes === wanted.bytes &&
      equalBytes(entry.digest, wanted.digest)
    )
  }) &&
  one.pieces.every((piece, index) => equalBytes(piece, other.pieces[index] ?? new Uint8Array(0)))

/** The view that pieces make. */
function viewOf(input: Extract<ReplicaWorkerInput, { kind: 'worker-viewed' }>): unknown {
  if (input.pieces === undefined) return undefined
  const entries = input.pieces.map(piece => ({
    tag: partTags.public,
    bytes: piece.length,
    digest: new Uint8Array(32),
  }))
  const manifest = { at: zeroPosition, pieces: entries }
  return decodeSnapshot({ manifest, pieces: input.pieces }).state
}

/** What there is to say of an answer: which one it is, and of which record. */
const sketch = (input: ReplicaWorkerInput): string =>
  input.kind === 'worker-encoded'
    ? `encoded at ${input.snapshot.manifest.at.seq}`
    : input.kind === 'worker-viewed'
      ? `viewed at ${input.seq}`
      : 'failed'

/** Adds the tests of the ReplicaWorker port to `t`, for one adapter. */
export function testReplicaWorkerPort(t: Test, openRig: OpenReplicaWorkerRig): void {
  const makeClient = async (
    t: Test,
    options: { readonly heldBytesMax?: number } = {},
  ): Promise<{ client: ReplicaWorkerClient; codec: SnapshotCodec }> => {
    const rig = await openRig(options)
    t.teardown(() => rig.close())
    return { client: new ReplicaWorkerClient(rig.open, rig.advance), codec: rig.codec }
  }

  t.test(
    'a snapshot is what a replica makes, byte for byte, and packed as links carry it',
    async t => {
      const { client, codec } = await makeClient(t)
      const log = labelled(12)
      const replica = client.open(nothing)
      client.feed(replica, log.records)
      client.encode(replica)
      const { snapshot, packed } = await client.next(replica, 'worker-encoded')
      t.ok(areSame(snapshot, madeBy(nothing, log)))
      t.equal(packed.length, snapshot.pieces.length)
      t.ok(
        packed.every((piece, index) => {
          const raw = snapshot.pieces[index] as Uint8Array
          return equalBytes(codec.unpack(piece, raw.length) ?? new Uint8Array(0), raw)
        }),
      )
    },
  )

  t.test('labels and the definition are kept', async t => {
    const { client } = await makeClient(t)
    const log = labelled(12)
    const replica = client.open(madeBy(nothing, { records: log.records.slice(0, 5) }))
    client.feed(replica, log.records.slice(5))
    client.encode(replica)
    const { snapshot } = await client.next(replica, 'worker-encoded')
    t.match(decodeSnapshot(snapshot).definition, { ...definition, labels: definition.labels })
    t.match(decodeSnapshot(snapshot).state, { n: 12, secret: labelledText(2, 12) })
    const below = projectSnapshot(snapshot, 1)
    t.same(decodeSnapshot(below).state, { n: 12, hands: { any: labelledText(1, 12) } })
  })

  t.test('nothing above the labels comes out', async t => {
    const { client } = await makeClient(t)
    const log = buildLog({ doc, count: 3 })
    const whole = encode(log, { n: 3 }, { ids: ['only-for-authorities'] })
    const replica = client.open(whole)
    client.encode(replica)
    const { snapshot } = await client.next(replica, 'worker-encoded')
    t.ok(areSame(snapshot, projectSnapshot(whole, labelMax)))
    t.ok(snapshot.manifest.pieces.every(({ tag }) => tag <= labelMax))
  })

  t.test('a large document comes back whole', async t => {
    const { client } = await makeClient(t)
    const [log, delta] = [buildLog({ doc, count: 3 }), buildLog({ doc, count: 4 })]
    const before = large(log)
    const records = delta.records.slice(3)
    const replica = client.open(before)
    client.feed(replica, records)
    client.encode(replica)
    const { snapshot } = await client.next(replica, 'worker-encoded')
    t.ok(snapshot.pieces.length > 30)
    t.ok(areSame(snapshot, madeBy(before, { records })))
    t.ok(
      before.pieces.every(({ length }) => length > 0),
      'what was given is still there',
    )
  })

  t.test('a record of any size is taken, and many at once', async t => {
    const { client } = await makeClient(t)
    const first = buildLog({ doc, count: 3, recordBytes: limits.recordBytesMax.value })
    const more = buildLog({ doc, count: 5_000, after: first.end })
    const replica = client.open(nothing)
    client.feed(replica, first.records)
    client.feed(replica, [])
    client.feed(replica, more.records)
    client.encode(replica)
    const { snapshot } = await client.next(replica, 'worker-encoded')
    t.ok(areSame(snapshot, madeBy(nothing, { records: [...first.records, ...more.records] })))
  })

  t.test('each answer is of the records fed before it was asked for, in order', async t => {
    const { client } = await makeClient(t)
    const { records } = labelled(9)
    const ask = { variant: variants.ruled, audience: {}, clearance: 0 }
    const replica = client.open(nothing)
    client.feed(replica, records.slice(0, 2))
    client.encode(replica)
    client.view(replica, ask)
    client.feed(replica, records.slice(2, 5))
    client.view(replica, ask)
    client.encode(replica)
    client.encode(replica)
    for (const record of records.slice(5)) client.feed(replica, [record])
    client.encode(replica)
    t.same((await client.reports(replica, 6)).map(sketch), [
      'encoded at 2',
      'viewed at 2',
      'viewed at 5',
      'encoded at 5',
      'encoded at 5',
      'encoded at 9',
    ])
  })

  t.test('replicas do not know of each other', async t => {
    const { client } = await makeClient(t)
    const [one, other] = [buildLog({ doc, count: 4 }), buildLog({ doc, count: 7, seed: 'other' })]
    const [first, second] = [client.open(nothing), client.open(nothing)]
    client.feed(first, one.records)
    client.feed(second, other.records)
    client.encode(second)
    client.encode(first)
    t.ok(areSame((await client.next(second, 'worker-encoded')).snapshot, madeBy(nothing, other)))
    const [answer] = await client.reports(first, 1)
    t.ok(answer?.kind === 'worker-encoded' && areSame(answer.snapshot, madeBy(nothing, one)))
  })

  t.test('who is closed is not answered, and others are', async t => {
    const { client } = await makeClient(t)
    const log = labelled(4)
    const [gone, kept] = [client.open(nothing), client.open(nothing)]
    client.feed(gone, log.records)
    client.encode(gone)
    client.view(gone, { variant: variants.ruled, audience: {}, clearance: 0 })
    client.close(gone)
    client.encode(gone)
    client.feed(gone, log.records)
    client.close(gone)
    client.feed(kept, log.records)
    client.encode(kept)
    await client.next(kept, 'worker-encoded')
    t.same(client.of(gone), [])
  })

  t.test('a record that does not apply fails the replica, once', async t => {
    const { client } = await makeClient(t)
    const log = buildLog({ doc, count: 6 })
    const cut = buildLog({ doc, count: 3 })
    const broken = client.open(encode(cut, { without: 'n' }))
    client.feed(broken, log.records.slice(3, 4))
    client.encode(broken)
    await client.next(broken, 'worker-failed')
    client.feed(broken, log.records.slice(4))
    client.encode(broken)
    const anew = client.open(encode(cut, { n: 3 }))
    client.feed(anew, log.records.slice(3))
    client.encode(anew)
    const { snapshot } = await client.next(anew, 'worker-encoded')
    t.same(decodeSnapshot(snapshot).state, { n: 6 })
    t.same(client.of(broken).map(sketch), ['failed'])
  })

  t.test('a record that does not follow fails the replica', async t => {
    const { client } = await makeClient(t)
    const replica = client.open(nothing)
    client.feed(replica, buildLog({ doc, count: 6 }).records.slice(1))
    const { message } = await client.next(replica, 'worker-failed')
    t.match(message, /2.*0/)
  })

  t.test('a snapshot that is none fails the replica', async t => {
    const { client } = await makeClient(t)
    const log = buildLog({ doc, count: 4 })
    const { manifest, pieces } = encode(log, { n: 4 })
    const damaged = pieces.map(piece => piece.with(0, 0x20))
    const replica = client.open({ manifest, pieces: damaged })
    client.view(replica, { variant: variants.ruled, audience: {}, clearance: 0 })
    await client.next(replica, 'worker-failed')
    t.same(client.of(replica).map(sketch), ['failed'])
  })

  t.test('a view shows a cohort what its rules and its clearance let it see', async t => {
    const { client } = await makeClient(t)
    const replica = client.open(nothing)
    client.feed(replica, labelled(5).records)
    const viewed = async (audience: JsonObject, clearance: number): Promise<unknown> => {
      const view = client.view(replica, { variant: variants.ruled, audience, clearance })
      const answer = await client.next(replica, 'worker-viewed')
      t.equal(answer.view, view)
      t.equal(answer.seq, 5)
      return viewOf(answer)
    }
    const hands = { any: labelledText(1, 5) }
    t.same(await viewed({ hand: 'any' }, 0), { n: 5, hands: {} })
    t.same(await viewed({ hand: 'any' }, 1), { n: 5, hands })
    t.same(await viewed({ hand: 'other' }, 2), { n: 5, hands: {}, secret: labelledText(2, 5) })
    t.same(await viewed({ hand: 'any' }, labelMax), { n: 5, hands, secret: labelledText(2, 5) })
  })

  t.test('a computed view is of the audience and its view state', async t => {
    const { client } = await makeClient(t)
    const replica = client.open(nothing)
    client.feed(replica, buildLog({ doc, count: 3 }).records)
    const ask = { variant: variants.computed, audience: { hand: 'any' }, clearance: 0 }
    client.view(replica, { ...ask, viewState: { page: 7 } })
    t.same(viewOf(await client.next(replica, 'worker-viewed')), { n: 3, of: 'any', page: 7 })
  })

  t.test('a large view comes in pieces', async t => {
    const { client } = await makeClient(t)
    const before = large(buildLog({ doc, count: 3 }))
    const replica = client.open(before)
    client.view(replica, { variant: variants.ruled, audience: {}, clearance: 0 })
    const answer = await client.next(replica, 'worker-viewed')
    t.ok(answer.pieces?.every(({ length }) => length <= limits.snapshotPieceBytesMax.value))
    const [view, { state }] = [viewOf(answer), decodeSnapshot(before)]
    t.equal(JSON.stringify(view), JSON.stringify(state))
  })

  t.test('what authors throw makes the view fail, and the replica goes on', async t => {
    const { client } = await makeClient(t)
    const log = buildLog({ doc, count: 3 })
    const replica = client.open(nothing)
    client.feed(replica, log.records)
    for (const variant of [variants.throwing, variants.none, variants.computed]) {
      client.view(replica, { variant, audience: {}, clearance: 0 })
      t.match(await client.next(replica, 'worker-viewed'), { pieces: undefined, seq: 3 })
    }
    client.encode(replica)
    t.ok(areSame((await client.next(replica, 'worker-encoded')).snapshot, madeBy(nothing, log)))
  })

  t.test('a document that was deleted has a snapshot without pieces, and no view', async t => {
    const { client } = await makeClient(t)
    const deleted = encode(buildLog({ doc, count: 4 }), undefined)
    const replica = client.open(deleted)
    client.encode(replica)
    t.ok(areSame((await client.next(replica, 'worker-encoded')).snapshot, deleted))
    client.view(replica, { variant: variants.ruled, audience: {}, clearance: 0 })
    t.match(await client.next(replica, 'worker-viewed'), { pieces: undefined, seq: 4 })
  })

  t.test('when too much is held, the replica that was not used for longest fails', async t => {
    const log = buildLog({ doc, count: 3 })
    const bytes = large(log).pieces.reduce((sum, { length }) => sum + length, 0)
    const { client } = await makeClient(t, { heldBytesMax: 2.5 * bytes })
    const [first, second] = [client.open(large(log)), client.open(large(log))]
    const ask = { variant: variants.computed, audience: {}, clearance: 0, viewState: { page: 1 } }
    client.view(first, ask)
    await client.next(first, 'worker-viewed')
    const third = client.open(large(log))
    client.view(third, ask)
    await client.next(third, 'worker-viewed')
    client.view(first, ask)
    await client.next(first, 'worker-viewed')
    t.same(client.of(second).map(sketch), ['failed'])
  })

  t.test('a worker that is closed reports nothing more', async t => {
    const { client } = await makeClient(t)
    const replica = client.open(nothing)
    client.feed(replica, labelled(5).records)
    client.encode(replica)
    await client.worker.close()
    client.encode(replica)
    client.open(nothing)
    await client.worker.close()
    t.same(client.inputs, [])
  })
}
