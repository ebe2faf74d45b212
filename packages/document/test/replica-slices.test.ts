import type { LogRecord } from '@fanfold/protocol'
import t from 'tap'
import { Replica } from '../src/replica.ts'
import { encodeSnapshot, type Snapshot } from '../src/snapshot.ts'
import { LogBuilder, positionOf, sha256 } from './log-builder.ts'

const rows = Object.fromEntries(
  Array.from({ length: 400 }, (_, row) => [`r${row}`, 'x'.repeat(990)]),
)
const everything = Number.POSITIVE_INFINITY

/** A log that creates a state of some pieces, and what was at each of its records. */
function grownLog(deltas = 9): readonly LogRecord[] {
  const log = new LogBuilder()
  log.add('create', { n: 0, rows })
  for (let n = 1; n <= deltas; n++) log.add('delta', [{ op: 'replace', path: '/n', value: n }])
  return log.records
}

const log = grownLog()
const eleventh = grownLog(10)[10] as LogRecord

/** The snapshot after so many records. */
function snapshotAfter(count: number): Snapshot {
  const state = { n: count - 1, rows }
  const at = positionOf(log[count - 1] as LogRecord)
  return encodeSnapshot({ at, state, definition: undefined, sha256 })
}

/** A replica that was reset to the snapshot after so many records, and has taken all that follow. */
function replicaFrom(count: number): Replica {
  const replica = new Replica(sha256)
  replica.reset(snapshotAfter(count))
  for (const record of log.slice(count)) replica.append(record)
  return replica
}

t.test('a snapshot is read in by slices, and records wait meanwhile', async t => {
  const replica = replicaFrom(4)
  let turns = 1
  for (; !replica.readIn(65_536); turns++);
  t.ok(turns >= 3, `${turns} turns`)
  t.equal(replica.appliedSeq, 4)
  t.match(replica.state(), { n: 9, rows })
  t.ok(replica.readIn(1), 'nothing is left to read')
})

t.test('a snapshot that is none breaks the replica when that piece is read', async t => {
  const good = snapshotAfter(4)
  const pieces = good.pieces.with(2, new Uint8Array([0x5b]))
  const replica = new Replica(sha256)
  replica.reset({ manifest: good.manifest, pieces })
  t.notOk(replica.readIn(1))
  t.notOk(replica.isBroken)
  while (!replica.readIn(1));
  t.ok(replica.isBroken)
})

t.test('one replica takes what another one holds', async t => {
  const shown = replicaFrom(1)
  const next = replicaFrom(6)
  while (!next.readIn(65_536));
  shown.adopt(next)
  t.same(shown.position, positionOf(log[9] as LogRecord))
  t.match(shown.state(), { n: 9 })
  t.equal(shown.lastSnapshot?.manifest.at.seq, 6)
})

t.test('a snapshot that was made elsewhere takes the place of the records it holds', async t => {
  const replica = replicaFrom(2)
  const before = replica.pendingBytes
  t.equal(replica.waitingAfter(7).length, 3)
  replica.advance(snapshotAfter(7))
  t.equal(replica.appliedSeq, 7)
  t.same(
    replica.waitingAfter(7).map(({ seq }) => seq),
    [8, 9, 10],
  )
  t.ok(replica.pendingBytes < before)
  t.equal(replica.pendingBytes, replica.bytesSinceSnapshot)
  replica.advance(snapshotAfter(3))
  t.equal(replica.appliedSeq, 7, 'an older one is nothing')
  t.match(replica.state(), { n: 9 })
})

t.test('a state that is folded into its snapshot is made anew', async t => {
  const replica = replicaFrom(2)
  const snapshot = replica.snapshot()
  t.equal(snapshot?.manifest.at.seq, 10)
  t.equal(replica.bytesSinceSnapshot, 0)
  replica.fold()
  t.equal(replica.snapshot(), snapshot)
  t.match(replica.state(), { n: 9 })
})

t.test('no more is applied at a time than so many records, or so many bytes', async t => {
  const replica = replicaFrom(1)
  replica.settle(2, everything)
  t.equal(replica.appliedSeq, 3)
  replica.settle(everything, 1)
  t.equal(replica.appliedSeq, 4, 'one at least')
  replica.settle(everything, everything)
  t.equal(replica.appliedSeq, 10)
  t.equal(replica.pendingBytes, 0)
})

t.test('a state is written out by slices, and records wait meanwhile', async t => {
  const replica = replicaFrom(4)
  t.notOk(replica.writeOut(1))
  t.equal(replica.appliedSeq, 10, 'what waited is applied before')
  replica.append(eleventh)
  let turns = 1
  for (; !replica.writeOut(65_536); turns++);
  t.ok(turns >= 3, `${turns} turns`)
  t.equal(replica.appliedSeq, 10)
  t.same(replica.lastSnapshot, snapshotAfter(10))
  t.equal(replica.bytesSinceSnapshot, replica.pendingBytes)
  t.equal(replica.waitingAfter(10).length, 1)
  t.match(replica.state(), { n: 10 })
})

t.test('what is applied meanwhile makes the writing begin anew', async t => {
  const replica = replicaFrom(4)
  replica.writeOut(1)
  replica.append(eleventh)
  t.match(replica.state(), { n: 10 })
  t.equal(replica.lastSnapshot?.manifest.at.seq, 4)
  while (!replica.writeOut(65_536));
  t.equal(replica.lastSnapshot?.manifest.at.seq, 11)
  t.equal(replica.snapshot(), replica.lastSnapshot)
})

t.test('another replica goes on with the writing', async t => {
  const shown = replicaFrom(1)
  const next = replicaFrom(6)
  next.writeOut(1)
  shown.adopt(next)
  while (!shown.writeOut(65_536));
  t.same(shown.lastSnapshot, snapshotAfter(10))
})

t.test('nothing is written of what is not there', async t => {
  const replica = new Replica(sha256)
  t.ok(replica.writeOut(1))
  t.equal(replica.lastSnapshot, undefined)
})
