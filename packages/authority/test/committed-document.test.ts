import { buildLog, sha256 } from '@fanfold/conformance'
import { decodeExtra, encodeSnapshot, projectSnapshot, type Snapshot } from '@fanfold/document'
import { instant } from '@fanfold/kernel'
import t from 'tap'
import { CommittedDocument } from '../src/committed-document.ts'
import { LogSnapshotReading, LogSnapshotWriting } from '../src/log-snapshot.ts'
import { contextOf, doc, limitsOf } from './build-document.ts'

const log = buildLog({ doc, count: 20 })
const { chain } = contextOf()

/** A document with so many records of the log. */
function replayed(count: number, limits = limitsOf()): CommittedDocument {
  const document = new CommittedDocument(doc, chain, limits, () => instant(0))
  for (const record of log.records.slice(0, count)) document.replay(record)
  document.opened()
  return document
}

/** The snapshot for the log, made at once. */
function snapshotOf(document: CommittedDocument): Snapshot {
  const { position: at, state, definition } = document
  const writing = new LogSnapshotWriting(document, sha256)
  writing.take(encodeSnapshot({ at, state, definition, sha256 }))
  for (;;) {
    const snapshot = writing.step()
    if (snapshot !== undefined) return snapshot
  }
}

/** A document that such a snapshot was read into. */
function restoredFrom(snapshot: Snapshot): CommittedDocument {
  const committed = new CommittedDocument(doc, chain, limitsOf(), () => instant(0))
  new LogSnapshotReading({ snapshot, committed, isCounting: false }).finish()
  committed.opened()
  return committed
}

t.test('the records of the log make the state, its size and its position', async t => {
  const document = replayed(20)
  t.same(document.state, { n: 20 })
  t.equal(document.stateBytes, replayed(19).stateBytes)
  t.match(document.position, log.end)
  t.equal(document.lastTimeMs, log.records[19]?.timeMs)
})

t.test('a record that does not follow, or was changed, is not taken', async t => {
  const document = replayed(5)
  const [, , , , , sixth, seventh] = log.records
  const other = buildLog({ doc, count: 6, seed: 'other' }).records[5]
  for (const wrong of [seventh, log.records[4], other]) {
    if (wrong !== undefined) t.throws(() => document.replay(wrong), { name: 'AssertionError' })
  }
  if (sixth !== undefined) document.replay(sixth)
  t.same(document.state, { n: 6 })
})

t.test(
  'a snapshot brings back how far the crowd is counted, however many sessions it has',
  async t => {
    const document = replayed(10)
    t.notOk(restoredFrom(snapshotOf(document)).hasLedger, 'of no crowd there is nothing')
    const opened = Array.from({ length: 20_000 }, (_, at) => at + 1)
    document.ledger.enter({ opened, sealed: [], counted: [] })
    const counted = [{ session: 1, after: 0, upTo: 7 }]
    document.ledger.enter({ opened: [], sealed: [2], counted })
    const { ledger } = restoredFrom(snapshotOf(document))
    t.same(ledger.encode(), document.ledger.encode())
    t.match(ledger.standingsOf([1, 2, 20_001]), [
      { state: 'open', upTo: 7 },
      { state: 'sealed', upTo: 0 },
      { state: 'unknown' },
    ])
  },
)

t.test('a snapshot brings back the state, the ids and the commit time', async t => {
  const document = replayed(10)
  document.window.add('ada', 'a1', { epoch: 1, seq: 9, timeMs: document.lastTimeMs })
  const snapshot = snapshotOf(document)
  const restored = restoredFrom(snapshot)
  t.match(restored, {
    state: { n: 10 },
    stateBytes: document.stateBytes,
    position: document.position,
    lastTimeMs: document.lastTimeMs,
  })
  t.match(restored.window.get('ada', 'a1'), { seq: 9 })
  t.equal(decodeExtra(projectSnapshot(snapshot, 239)), undefined, 'authorities alone keep the ids')
})

t.test('a snapshot without a state is of a deleted document', async t => {
  const { end: at } = log
  const restored = restoredFrom(
    encodeSnapshot({ at, state: undefined, definition: undefined, sha256 }),
  )
  t.match(restored, { isDeleted: true, state: undefined, stateBytes: 0 })
})

t.test('a snapshot is due after so many records or bytes, and then not again', async t => {
  const limits = limitsOf({ snapshotEveryRecords: 10 })
  t.equal(replayed(9).isSnapshotDue(limits), false)
  const document = replayed(10)
  t.equal(document.isSnapshotDue(limits), true)
  document.snapshotBegun()
  t.equal(document.isSnapshotDue(limits), false)
  const bytes = log.records.slice(0, 9).reduce((sum, record) => sum + record.bytes.length, 0)
  t.equal(replayed(9).isSnapshotDue(limitsOf({ snapshotEveryBytes: bytes })), true)
  t.equal(replayed(9).isSnapshotDue(limitsOf({ snapshotEveryBytes: bytes + 1 })), false)
})

t.test('ids that have left the window are forgotten at the end of the log', async t => {
  const document = new CommittedDocument(
    doc,
    chain,
    limitsOf({ idempotency: { commitsMax: 5, ageMaxMs: 600_000 } }),
    () => instant(0),
  )
  document.window.add('ada', 'a1', { epoch: 1, seq: 1, timeMs: 0 })
  for (const record of log.records) document.replay(record)
  document.opened()
  t.equal(document.window.count, 0)
})
