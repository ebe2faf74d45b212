import { buildLog, sha256 } from '@fanfold/conformance'
import { Replica } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import { zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { RecordRing } from '../src/record-ring.ts'
import { StagedDocument } from '../src/staged-document.ts'
import { after, at, doc, recordsOf, ringLimits, snapshotAt } from './build-stream.ts'

const log = recordsOf(400)
const limits = ringLimits({ recordsMax: 50 })

const ofSnapshot = (seq: number, bytes: number): StagedDocument =>
  StagedDocument.ofSnapshot(snapshotAt(after(log[seq - 1]), bytes), {
    sha256,
    limits,
    isApart: false,
  })

t.test('a large snapshot leads on as long as the records after it are at hand', async t => {
  const staged = ofSnapshot(10, 50_000)
  t.notOk(staged.lacksSnapshot(20_000))
  for (const record of log.slice(10, 200)) staged.append(record, at(0))
  t.notOk(staged.lacksSnapshot(20_000), 'they wait')
  staged.replica.settle(10)
  t.ok(staged.lacksSnapshot(20_000), 'they are applied, and the ring has the last ones only')
})

t.test('what was small lacks one when it may have become large', async t => {
  for (const staged of [ofSnapshot(10, 0), StagedDocument.ofLog(sha256, limits)]) {
    const first = staged.replica.position.seq
    for (const record of log.slice(first, first + 20)) staged.append(record, at(0))
    t.notOk(staged.lacksSnapshot(10_000))
    for (const record of log.slice(first + 20, first + 100)) staged.append(record, at(0))
    t.ok(staged.lacksSnapshot(10_000))
  }
})

t.test('a turn of writing it applies and writes no more than a turn’s worth', async t => {
  const turn = { records: 100, bytes: 100_000 }
  let digested = 0
  const counting: Sha256 = (input, target, offset) => {
    digested += input.length
    sha256(input, target, offset)
  }
  const staged = StagedDocument.ofLog(counting, limits)
  const { records } = buildLog({ doc, count: 1_000, recordBytes: 2_000 })
  for (const record of records) staged.append(record, at(0))
  let turns = 1
  for (let isDone = false; !isDone; turns++) {
    const before = staged.replica.appliedSeq
    digested = 0
    isDone = staged.writeOut(turn)
    const applied = staged.replica.appliedSeq - before
    t.ok(applied <= turn.records && digested <= turn.bytes + 65_536, `${applied} ${digested}`)
  }
  t.ok(turns >= 10)
  t.equal(staged.replica.lastSnapshot?.manifest.at.seq, 1_000)
  t.notOk(staged.lacksSnapshot(1_000))
  const [replica, ring] = [new Replica(sha256), new RecordRing(limits, zeroPosition)]
  staged.moveTo(replica, ring, at(0))
  t.match(replica.state(), { n: 1_000 })
})

t.test('what is not created yet cannot be written out, and lacks nothing', async t => {
  const labels = [{ pattern: '/odds', label: 1 }]
  const definition = { variant: 'ab'.repeat(32), viewKey: 'cd'.repeat(16), labels }
  const { records } = buildLog({ doc, count: 2, definition })
  const staged = StagedDocument.ofLog(sha256, limits)
  const [defined, created] = records
  if (defined !== undefined) staged.append(defined, at(0))
  const turn = { records: 10, bytes: 100_000 }
  t.ok(staged.lacksSnapshot(1), 'it may have a state')
  t.ok(staged.writeOut(turn))
  t.notOk(staged.lacksSnapshot(1), 'it has none')
  if (created !== undefined) staged.append(created, at(0))
  t.ok(staged.lacksSnapshot(1))
  while (!staged.writeOut(turn));
  t.equal(staged.replica.lastSnapshot?.manifest.at.seq, 2)
})
