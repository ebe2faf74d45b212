import type { LinkFrame } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { AssemblyBudget } from '../src/assembly-budget.ts'
import { after, link, recordsOf, snapshotAt } from './build-stream.ts'
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

const { manifest, pieces } = snapshotAt(head, 2_000_000)

/** How long the largest piece is under way on a line of 64 kbit/s, ms. */
const lineMs = Math.max(...manifest.pieces.map(({ bytes }) => bytes)) / 8

/** The frame of a piece of that snapshot. */
const pieceAt = (index: number): LinkFrame => piece(index, pieces[index])

/** A rig that has got all pieces but these. */
function withoutPieces(missing: readonly number[], rig = new Rig()): Rig {
  rig.attach()
  rig.take(welcome(), begin(manifest))
  for (const index of pieces.keys()) if (!missing.includes(index)) rig.take(pieceAt(index))
  rig.sent()
  return rig
}

const requested = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame => (frame.kind === 'request-pieces' ? frame.indexes : []))

t.test('a lost piece alone is asked for again when records follow the snapshot', async t => {
  const rig = withoutPieces([5])
  t.same(kindsOf(rig.take(from(11, 13))), [])
  t.same(rig.sent(), [{ kind: 'request-pieces', channel: 7, indexes: [5] }])
  t.same(kindsOf(rig.take(from(14, 14))), [], 'what is asked for already is not asked for again')
  t.same(rig.sent(), [])
  t.same(kindsOf(rig.take(pieceAt(5))), ['reset', 'joined', 'records 11,12,13,14'])
  t.same(rig.upstream.position, after(log[13]))
})

t.test('missing pieces are asked for by sixteen at a time', async t => {
  const missing = [...pieces.keys()].slice(3, 28)
  const rig = withoutPieces(missing)
  rig.take(from(11, 11))
  t.same(requested(rig.sent()), missing.slice(0, 16))
  for (const index of missing.slice(0, 15)) rig.take(pieceAt(index))
  t.same(rig.sent(), [])
  rig.take(pieceAt(missing[15] ?? 0))
  t.same(requested(rig.sent()), missing.slice(16))
})

t.test('missing pieces are asked for when none comes for half the time, then given up', async t => {
  const rig = withoutPieces([1, 4])
  t.equal(rig.waitMs, lineMs + 1_000)
  t.same(rig.pass(lineMs), [])
  t.same(requested(rig.sent()), [], 'what may be on a slow line is not asked for')
  t.same(rig.pass(1_000), [])
  t.same(requested(rig.sent()), [1, 4])
  rig.pass(rig.waitMs ?? 0)
  t.same(requested(rig.sent()), [1, 4], 'and again')
  rig.take(pieceAt(1))
  t.equal(rig.waitMs, lineMs + 1_000, 'one that comes gives the others their time')
  rig.pass(lineMs + 1_000)
  t.same(requested(rig.sent()), [4])
  rig.pass(rig.waitMs ?? 0)
  t.same(kindsOf(rig.pass(rig.waitMs ?? 0)), ['resync silence'])
  t.equal(rig.node.budget.count, 0, 'what was given up is freed')
})

t.test('records that a snapshot covers are dropped, those behind it go on', async t => {
  const order = fc.shuffledSubarray([...log.slice(4, 30)], { minLength: 1 })
  const holds = fc.property(order, fc.integer({ min: 12, max: 25 }), (early, headSeq) => {
    const position = after(log[headSeq - 1])
    const snapshot = snapshotAt(position)
    const rig = new Rig()
    rig.attach()
    // Of a parent that sends what it likes: what is covered is dropped, only what follows is handed on.
    const inOrder = early.toSorted((a, b) => a.seq - b.seq)
    rig.take(welcome('snapshot', position), begin(snapshot.manifest), records(...inOrder))
    const events = rig.take(piece(0, snapshot.pieces[0]))
    const seqs = events.flatMap(event =>
      event.kind === 'records' ? event.records.map(({ seq }) => seq) : [],
    )
    const isForward = rig.upstream.position.seq === headSeq + seqs.length
    return isForward && seqs.every((seq, index) => seq === headSeq + 1 + index)
  })
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('another record of a seq that came already is no crash: the first one counts', async t => {
  const other = recordsOf(12, 'another history')
  const { manifest, pieces } = snapshotAt(head)
  const rig = new Rig()
  rig.attach()
  rig.take(welcome(), begin(manifest), records(log[10], other[10], log[11]))
  t.same(kindsOf(rig.take(piece(0, pieces[0]))), ['reset', 'joined', 'records 11,12'])
})

t.test('more records than the credit while a snapshot comes start it anew', async t => {
  const bytes = log[10]?.bytes.length ?? 0
  const rig = withoutPieces([0], new Rig({ creditBytes: 4 * bytes }))
  t.same(kindsOf(rig.take(from(11, 15))), [], 'at the limit, and the one over it')
  t.same(kindsOf(rig.take(from(16, 16))), ['resync gap'])
})

t.test('a snapshot for which the node has no room now waits its turn, with a code', async t => {
  const budget = new AssemblyBudget({ countMax: 1, bytesMax: 10_000_000 })
  const first = withoutPieces([0], new Rig({}, { budget }))
  const second = new Rig({}, { budget })
  second.attach()
  second.sent()
  t.match(second.take(welcome(), ...snapshotFrames(head)), [
    { kind: 'refused', code: 'FANFOLD_OVERLOADED', final: false },
  ])
  t.match(second.sent(), [{ kind: 'leave' }], 'the parent is told to stop')
  t.ok(second.upstream.isWaiting)
  t.equal(second.waitMs, undefined, 'and not asked again and again')
  first.take(pieceAt(0))
  t.match(second.askNow(), [{ kind: 'join' }])
  t.same(kindsOf(second.take(welcome(), ...snapshotFrames(head))), ['reset', 'joined'])
  t.equal(budget.count, 0)
})

t.test('whatever ends it, a snapshot under way is freed', async t => {
  const ends: ((rig: Rig) => void)[] = [
    rig => rig.upstream.detach(),
    rig => rig.leave(),
    rig => rig.take(welcome('tail')),
    rig => rig.take(...snapshotFrames(after(log[20]))),
    rig => rig.attach(link(3)),
    rig => {
      rig.pass(lineMs + 3_000)
    },
  ]
  for (const end of ends) {
    const rig = live()
    rig.take(begin(snapshotAt(after(log[11]), 200_000).manifest))
    t.equal(rig.node.budget.count, 1)
    end(rig)
    t.equal(rig.node.budget.count, 0)
    t.equal(rig.node.budget.bytes, 0)
  }
})

t.test('records that wait for a snapshot that another one follows are paid for', async t => {
  const waiting = log.slice(10, 12)
  const creditBytes = waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const rig = withoutPieces([5], new Rig({ creditBytes }))
  rig.take(from(11, 12))
  rig.sent()
  rig.take(...snapshotFrames(after(log[19])))
  t.same(rig.sent(), [{ kind: 'credit', channel: 7, bytes: creditBytes }])
  t.same(kindsOf(rig.take(from(21, 21))), ['records 21'])
})
