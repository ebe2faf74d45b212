import { sha256 } from '@fanfold/conformance'
import { Chain, plainCodec, type Snapshot } from '@fanfold/document'
import { encodeUtf8, sha256Bytes } from '@fanfold/kernel'
import {
  encodeRecord,
  type LinkFrame,
  type LogRecord,
  saltBytes,
  zeroHash,
} from '@fanfold/protocol'
import t from 'tap'
import { after, at, doc, snapshotAt } from './build-stream.ts'
import {
  type FollowingOptions,
  head,
  log,
  Rig,
  records,
  snapshotFrames,
  status,
  welcome,
} from './following-rig.ts'
import { ToyWorker } from './toy-worker.ts'

const largeBytes = 3_000_000
const large = (seq: number, channel = 7): ReturnType<typeof snapshotFrames> =>
  snapshotFrames(after(log[seq - 1]), channel, largeBytes)

/** A rig that has joined, and has got a large snapshot of the tenth record. */
function joined(options: FollowingOptions = {}): Rig {
  const rig = new Rig(options)
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot'), ...large(10)])
  rig.effects()
  return rig
}

/** Lets turns pass until nothing is left to do in this instant. */
function settle(rig: Rig, worker?: ToyWorker): number {
  let turns = 0
  for (; rig.following.wakeAt() === rig.now && turns < 100; turns++) {
    rig.pass(0)
    worker?.perform(rig.effects())
  }
  return turns
}

t.test('a large snapshot is read in by turns, and shown when all of it is', async t => {
  const rig = joined()
  t.same(rig.events(), [], 'nothing is shown yet')
  t.notOk(rig.following.get(doc)?.hasState)
  rig.take([records(log.slice(10, 12))])
  t.same(rig.events(), [], 'and what follows waits')
  t.ok(settle(rig) >= 3)
  t.same(rig.events(), ['reset', 'joined', 'staleness'])
  t.match(rig.following.get(doc)?.replica.state(), { n: 12 })
  t.equal(rig.following.get(doc)?.ring.lastSeq, 12)
  rig.take([records(log.slice(12, 13))])
  t.same(rig.events(), ['records'])
})

t.test('while a large snapshot is read in what was held goes on being shown', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot'), ...snapshotFrames(head)])
  rig.events()
  rig.take([welcome('snapshot'), ...large(20)])
  t.same(rig.events(), [])
  t.match(rig.following.get(doc)?.replica.state(), { n: 10 })
  rig.pass(0)
  t.match(rig.following.get(doc)?.replica.position, { seq: 10 })
  settle(rig)
  t.same(rig.events(), ['reset', 'joined', 'staleness'])
  t.match(rig.following.get(doc)?.replica.state(), { n: 20 })
})

t.test('while it is read in the parent gets no credit', async t => {
  const credits = (rig: Rig): number => rig.sent().filter(({ kind }) => kind === 'credit').length
  const rig = joined({ upstream: { creditBytes: 500 } })
  rig.take([records(log.slice(10, 20))])
  t.equal(credits(rig), 0)
  settle(rig)
  t.equal(credits(rig), 1)
})

t.test('it gets credit again when the role applies all at once as it is shown', async t => {
  const rig = joined({ pendingBytesMax: 1, upstream: { creditBytes: 500 } })
  rig.onTold = () => rig.following.get(doc)?.replica.settle(Number.POSITIVE_INFINITY)
  rig.take([records(log.slice(10, 20))])
  settle(rig)
  t.match(rig.sent(), [{ kind: 'credit', channel: 7 }])
  t.not(rig.following.wakeAt(), rig.now)
})

t.test('having caught up is told when it is shown, with the time that took', async t => {
  const rig = joined()
  rig.pass(40)
  settle(rig)
  t.match(rig.told.at(-1)?.event, { kind: 'caught-up', rung: 'snapshot', tookMs: 40 })
})

t.test('a large snapshot that is none is a bad one', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  const frames = large(10)
  const { manifest, pieces } = forged()
  rig.take([
    welcome('snapshot'),
    { kind: 'snapshot-begin', channel: 7, manifest },
    ...pieces.map((piece, index) => ({
      kind: 'snapshot-piece' as const,
      channel: 7,
      index,
      codec: 0,
      piece,
    })),
  ])
  settle(rig)
  t.match(rig.told.at(-1)?.event, { kind: 'resync', reason: 'snapshot' })
  t.same(rig.wanted(), [2])
  rig.take([welcome('snapshot'), ...frames])
  settle(rig)
  t.ok(rig.following.get(doc)?.hasState)
})

t.test('a ceiling that falls while it is read in leaves nothing of it', async t => {
  const rig = joined()
  rig.pass(0)
  rig.take([welcome('snapshot', 7, doc, 1), ...snapshotFrames(head)])
  t.same(rig.events(), ['ceiling', 'staleness', 'reset', 'joined', 'staleness'])
  settle(rig)
  t.same(rig.events(), [])
})

const proxy: FollowingOptions = { isStateNeeded: false }

t.test(
  'where no state is needed a large document is served at once, and made by the worker',
  async t => {
    const rig = joined(proxy)
    const worker = new ToyWorker()
    t.same(rig.events(), ['reset', 'joined', 'staleness'])
    const follower = rig.following.get(doc)
    t.equal(follower?.snapshot(), follower?.lastSnapshot, 'what came is served as it came')
    rig.take([records(log.slice(10, 14))])
    rig.events()
    t.equal(follower?.snapshot(), undefined, 'not yet')
    t.equal(follower?.snapshot(), undefined, 'however often it is asked for')
    settle(rig, worker)
    t.same(worker.done, ['worker-open', 'worker-feed', 'worker-encode'])
    rig.take([records(log.slice(14, 15))])
    rig.events()
    for (const answer of worker.answers.splice(0)) rig.answer(answer)
    t.same(rig.events(), ['snapshot-ready'])
    t.equal(follower?.lastSnapshot?.manifest.at.seq, 14)
    t.equal(follower?.replica.appliedSeq, 14, 'what it covers waits no more')
    t.equal(follower?.replica.position.seq, 15)
    const [piece] = follower?.lastSnapshot?.pieces ?? []
    t.equal(
      piece && rig.following.packer.packedFor(piece, 0b10).codec,
      2,
      'as the worker packed it',
    )
  },
)

t.test('the worker goes on from where it is, and is closed when nobody needs it', async t => {
  const rig = joined(proxy)
  const worker = new ToyWorker()
  const follower = rig.following.get(doc)
  for (const first of [10, 20]) {
    rig.take([records(log.slice(first, first + 10))])
    follower?.snapshot()
    settle(rig, worker)
    for (const answer of worker.answers.splice(0)) rig.answer(answer)
  }
  t.same(worker.done, [
    'worker-open',
    'worker-feed',
    'worker-encode',
    'worker-feed',
    'worker-encode',
  ])
  t.equal(rig.following.wakeAt(), at(60_000))
  rig.pass(60_000)
  worker.perform(rig.effects())
  t.equal(worker.count, 0)
  rig.take([records(log.slice(30, 31))])
  follower?.snapshot()
  settle(rig, worker)
  t.equal(worker.done.at(-3), 'worker-open', 'and opened anew when somebody does')
  rig.unfollow()
  worker.perform(rig.effects())
  t.equal(worker.count, 0)
})

t.test('too much that waits has a new snapshot made without being asked for', async t => {
  const rig = joined({ ...proxy, pendingBytesMax: 1 })
  const worker = new ToyWorker()
  rig.take([records(log.slice(10, 30))])
  settle(rig, worker)
  t.same(worker.done, [], 'what waits is less than a snapshot')
  const one = joined({ ...proxy, pendingBytesMax: 1, largeStateBytes: 100 })
  one.take([welcome('snapshot'), ...snapshotFrames(after(log[20]), 7, 3_000)])
  one.take([records(log.slice(21, 60))])
  settle(one, worker)
  t.same(worker.done, ['worker-open', 'worker-feed', 'worker-encode'])
  for (const answer of worker.answers.splice(0)) one.answer(answer)
  t.equal(one.following.get(doc)?.replica.pendingBytes, 0)
})

t.test('a worker that fails is begun again once, then the document is fetched anew', async t => {
  const rig = joined(proxy)
  const worker = new ToyWorker()
  worker.failures = 2
  rig.take([records(log.slice(10, 12))])
  rig.events()
  rig.following.get(doc)?.snapshot()
  settle(rig, worker)
  for (const answer of worker.answers.splice(0)) rig.answer(answer)
  settle(rig, worker)
  t.equal(worker.done.filter(kind => kind === 'worker-open').length, 2)
  t.same(rig.events(), [])
  for (const answer of worker.answers.splice(0)) rig.answer(answer)
  t.same(rig.events(), ['resync'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
})

t.test('what a worker says of a document that was fetched anew is nothing', async t => {
  const rig = joined(proxy)
  const worker = new ToyWorker()
  rig.take([records(log.slice(10, 12))])
  rig.following.get(doc)?.snapshot()
  settle(rig, worker)
  rig.take([welcome('snapshot'), ...large(20)])
  rig.events()
  for (const answer of worker.answers.splice(0)) rig.answer(answer)
  t.same(rig.events(), [])
  t.equal(rig.following.get(doc)?.lastSnapshot?.manifest.at.seq, 20)
})

t.test('a state that grows large is written out once, and by the worker from then on', async t => {
  const rig = new Rig({ ...proxy, pendingBytesMax: 1, largeStateBytes: 1_000 })
  const worker = new ToyWorker()
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot'), ...snapshotFrames(head)])
  const follower = rig.following.get(doc)
  rig.take([records(log.slice(10, 40))])
  settle(rig, worker)
  t.same(worker.done, [], 'small ones are made here')
  t.equal(follower?.lastSnapshot?.manifest.at.seq, 40)
  rig.take([
    welcome('snapshot'),
    ...snapshotFrames(after(log[49]), 7, 3_000),
    records(log.slice(50, 90)),
  ])
  follower?.snapshot()
  settle(rig, worker)
  t.ok(worker.done.includes('worker-encode'))
})

t.test('the parent’s staleness is told while a snapshot is read in', async t => {
  const rig = joined({ codec: plainCodec })
  rig.take([status(true, 400)])
  t.same(rig.events(), ['staleness'])
})

/** A snapshot whose digests are right, and which is none. */
function forged(): Snapshot {
  const good = snapshotAt(head, largeBytes)
  const piece = new Uint8Array([0x5b])
  const digest = new Uint8Array(sha256Bytes)
  sha256(piece, digest, 0)
  const entries = good.manifest.pieces.with(-1, { tag: 0, bytes: piece.length, digest })
  return {
    manifest: { at: good.manifest.at, pieces: entries },
    pieces: good.pieces.with(-1, piece),
  }
}

t.test('a log that is replayed where no state is needed grows into the worker’s', async t => {
  const rig = new Rig({
    ...proxy,
    isSnapshotDisabled: true,
    pendingBytesMax: 5_000,
    largeStateBytes: 8_000,
  })
  const worker = new ToyWorker()
  rig.open()
  rig.follow()
  rig.take([{ kind: 'refused', doc, code: 'FANFOLD_NO_TAIL', message: '', retryAfterMs: 0 }])
  const grown = grownLog(200)
  for (let first = 0; first < grown.length; first += 20) {
    const list = grown.slice(first, first + 20)
    rig.take([{ kind: 'replay', replay: 1, ceiling: 239, records: list }])
    settle(rig, worker)
    for (const answer of worker.answers.splice(0)) rig.answer(answer)
  }
  t.ok(worker.done.includes('worker-encode'))
  t.notOk(rig.following.get(doc)?.hasState, 'nothing is shown yet')
  rig.take([
    { kind: 'replay-ended', replay: 1, code: undefined, message: '', retryAfterMs: 0 },
    welcome('tail'),
  ])
  t.same(rig.events(), ['reset', 'joined', 'staleness'])
  const follower = rig.following.get(doc)
  follower?.snapshot()
  settle(rig, worker)
  for (const answer of worker.answers.splice(0)) rig.answer(answer)
  t.equal(follower?.snapshot()?.manifest.at.seq, 200)
})

t.test('where the state is needed such a log is written out by turns, and then shown', async t => {
  const rig = new Rig({ isSnapshotDisabled: true, largeStateBytes: 8_000 })
  rig.open()
  rig.follow()
  rig.take([{ kind: 'refused', doc, code: 'FANFOLD_NO_TAIL', message: '', retryAfterMs: 0 }])
  const grown = grownLog(120, 10_000)
  const replay = (list: readonly LogRecord[]): LinkFrame => {
    return { kind: 'replay', replay: 1, ceiling: 239, records: list }
  }
  for (let first = 0; first < 110; first += 10) rig.take([replay(grown.slice(first, first + 10))])
  rig.take([
    { kind: 'replay-ended', replay: 1, code: undefined, message: '', retryAfterMs: 0 },
    welcome('tail'),
  ])
  const follower = rig.following.get(doc)
  t.same(rig.events(), [], 'nothing is shown yet')
  for (let turn = 0; turn < 6; turn++) rig.pass(0)
  rig.take([records(grown.slice(110))])
  t.same(rig.events(), [], 'and what follows waits')
  t.ok(settle(rig) >= 2)
  t.same(rig.events(), ['reset', 'joined', 'staleness'])
  t.equal(follower?.lastSnapshot?.manifest.at.seq, 110)
  t.equal(follower?.replica.appliedSeq, 110)
  t.equal(Object.keys(follower?.replica.state() ?? {}).length, 119)
})

/** A log whose every record adds a row. */
function grownLog(count: number, textBytes = 100): LogRecord[] {
  const chain = new Chain(sha256)
  const grown: LogRecord[] = []
  let before: Uint8Array = zeroHash
  for (let seq = 1; seq <= count; seq++) {
    const row = { op: 'add', path: `/r${seq}`, value: 'x'.repeat(textBytes) }
    const payload = encodeUtf8(JSON.stringify(seq === 1 ? {} : [row]))
    const record = chain.seal(
      encodeRecord({
        kind: seq === 1 ? 'create' : 'delta',
        key: doc,
        epoch: 1,
        seq,
        timeMs: seq,
        trace: undefined,
        parts: [{ tag: 0, salt: new Uint8Array(saltBytes), payload }],
      }),
      before,
    )
    before = record.chainHash
    grown.push(record)
  }
  return grown
}
