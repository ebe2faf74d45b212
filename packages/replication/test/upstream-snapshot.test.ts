import type { LogRecord } from '@fanfold/protocol'
import t from 'tap'
import { after, damaged, doc, recordsOf, snapshotAt } from './build-stream.ts'
import {
  begin,
  from,
  head,
  kindsOf,
  live,
  log,
  piece,
  Rig,
  records,
  snapshotFrames,
  welcome,
} from './upstream-rig.ts'

t.test('a snapshot brings the stream to its position, live', async t => {
  const rig = new Rig()
  rig.attach()
  t.same(kindsOf(rig.take(welcome(), ...snapshotFrames(head, 200_000))), ['reset', 'joined'])
  t.same(rig.upstream.position, head)
  t.ok(rig.upstream.isLive)
  t.equal(rig.upstream.channel, 7)
  t.equal(rig.waitMs, undefined)
})

t.test('pieces may come in any order, and twice', async t => {
  const [first, ...rest] = snapshotFrames(head, 300_000)
  t.ok(rest.length > 3)
  const rig = new Rig()
  rig.attach()
  if (first === undefined) return
  const events = rig.take(welcome(), first, ...rest.toReversed(), ...rest)
  t.same(kindsOf(events), ['reset', 'joined'])
})

t.test('a damaged piece is asked for again once, then the stream starts anew', async t => {
  const { manifest, pieces } = snapshotAt(head, 200_000)
  const rig = new Rig()
  rig.attach()
  const bad = piece(1, new Uint8Array(10))
  const events = rig.take(welcome(), begin(manifest), piece(0, pieces[0]), bad)
  t.same(kindsOf(events), ['piece-damaged'])
  t.match(rig.sent(), [{ kind: 'request-pieces', channel: 7, indexes: [1] }])
  t.same(kindsOf(rig.take(bad)), ['piece-damaged', 'resync piece'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
})

t.test('a damaged piece that comes good completes the snapshot', async t => {
  const { manifest, pieces } = snapshotAt(head)
  const rig = new Rig()
  rig.attach()
  const events = rig.take(
    welcome(),
    begin(manifest),
    piece(0, new Uint8Array(9)),
    piece(0, pieces[0]),
  )
  t.same(kindsOf(events), ['piece-damaged', 'reset', 'joined'])
})

t.test('a snapshot as large as the limit is taken, one byte more is refused for good', async t => {
  const bytes = snapshotAt(head).pieces.reduce((sum, piece) => sum + piece.length, 0)
  const fits = new Rig({ snapshotBytesMax: bytes })
  fits.attach()
  t.same(kindsOf(fits.take(welcome(), ...snapshotFrames(head))), ['reset', 'joined'])
  const tooLarge = new Rig({ snapshotBytesMax: bytes - 1 })
  tooLarge.attach()
  tooLarge.sent()
  t.match(tooLarge.take(welcome(), ...snapshotFrames(head)), [
    { kind: 'refused', code: 'FANFOLD_TOO_LARGE', final: true },
  ])
  t.match(tooLarge.sent(), [{ kind: 'leave', doc }], 'the parent is told to stop')
  t.equal(tooLarge.waitMs, undefined)
})

t.test('a record with any bit turned over is never handed on, and asks for a snapshot', async t => {
  const record = log[10]
  if (record === undefined) return
  let tried = 0
  for (let bit = 0; bit < record.bytes.length * 8; bit++) {
    let bad: LogRecord
    try {
      bad = damaged(record, bit)
    } catch {
      continue
    }
    const rig = live()
    const events = kindsOf(rig.take(records(bad)))
    const joins = rig.sent()
    const isSeq = bad.seq !== record.seq
    const ok = events.every(kind => kind.startsWith('resync')) && rig.upstream.position.seq === 10
    if (!ok) t.fail(`bit ${bit}: ${events}`)
    if (!isSeq) {
      if (events[0] !== 'resync hash') t.fail(`bit ${bit}: ${events}`)
      if (joins[0]?.kind !== 'join' || joins[0].have !== undefined) t.fail(`bit ${bit}: have`)
    }
    tried++
  }
  t.ok(tried > 500, `${tried} bits`)
})

t.test('a record damaged for good at the parent does not make a storm of snapshots', async t => {
  const rig = live()
  const bad = damaged(log[11] ?? recordsOf(1)[0] ?? fail(), 8)
  const tries = [rig.take(from(11, 11), records(bad))]
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
  for (let round = 0; round < 3; round++) {
    tries.push(rig.take(welcome(), ...snapshotFrames(head), from(11, 11), records(bad)))
    t.same(rig.sent(), [], 'the same place again: it waits')
    rig.pass(rig.waitMs ?? 0)
    t.match(rig.sent(), [{ kind: 'join', have: undefined }])
  }
  t.ok(tries.every(events => kindsOf(events).at(-1) === 'resync hash'))
})

t.test('a snapshot whose pieces stop coming is asked for again', async t => {
  const [first, second] = snapshotFrames(head, 300_000)
  const rig = new Rig()
  rig.attach()
  if (first?.kind !== 'snapshot-begin' || second === undefined) return
  // Beside its two seconds, a piece has the time that a line of 64 kbit/s takes for it.
  const largest = Math.max(...first.manifest.pieces.map(({ bytes }) => bytes))
  const pieceMaxMs = largest / 8 + 2_000
  rig.take(welcome(), first)
  rig.pass(pieceMaxMs - 1)
  rig.take(second)
  t.same(rig.pass(pieceMaxMs - 1), [], 'each piece gives the next one its time')
  t.same(kindsOf(rig.pass(1)), ['resync silence'])
})

t.test('a snapshot that was not asked for takes the place of what is held', async t => {
  const rig = live()
  const later = after(log[29])
  t.same(kindsOf(rig.take(...snapshotFrames(later), from(31, 31))), [
    'reset',
    'joined',
    'records 31',
  ])
})

t.test('a snapshot that is behind what is held is not taken; one of a later epoch is', async t => {
  for (const position of [after(log[7]), { ...after(log[20]), epoch: 0 }]) {
    const rig = live()
    t.same(kindsOf(rig.take(...snapshotFrames(position))), ['resync gap'])
    t.match(rig.sent(), [{ kind: 'join', have: head }])
  }
  const rig = live()
  t.same(kindsOf(rig.take(...snapshotFrames({ ...after(log[7]), epoch: 2 }))), ['reset', 'joined'])
  t.match(rig.upstream.position, { epoch: 2, seq: 8 })
})

t.test('restarted, the stream fetches everything again, once', async t => {
  const rig = live()
  t.same(kindsOf(rig.restart()), ['resync broken'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
  t.same(rig.restart(), [])
  t.same(rig.take(welcome('tail')), [], 'a tail would follow nothing')
  rig.take(welcome(), ...snapshotFrames(head))
  t.same(rig.upstream.position, head)
})

t.test('restarted without a link, it joins without have when there is one', async t => {
  const rig = live()
  rig.upstream.detach()
  t.same(kindsOf(rig.restart()), ['resync broken'])
  t.match(rig.attach(), [{ kind: 'join', have: undefined }])
})

t.test('a second welcome begins anew: tail, or snapshot', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(welcome('tail'), from(11, 11))), ['joined', 'records 11'])
  t.same(kindsOf(rig.take(welcome(), ...snapshotFrames(after(log[14])))), ['reset', 'joined'])
})

function fail(): never {
  throw new Error('the log has records')
}
