import type { WarmDocument } from '@fanfold/document'
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { after, damaged, doc, recordsOf, snapshotAt } from './build-stream.ts'
import { head, live, log, Rig, records, welcome } from './following-rig.ts'

/** What was kept of the document: a snapshot of the tenth record and five more. */
const kept: WarmDocument = { snapshot: snapshotAt(head), records: log.slice(10, 15), ceiling: 239 }

/** A rig that follows the document from what was kept. */
function warmed(warm: WarmDocument, rig = new Rig()): Rig {
  rig.open()
  rig.follow(doc, warm)
  return rig
}

const have = (rig: Rig): LinkFrame[] => rig.sent().filter(({ kind }) => kind === 'join')

t.test('what was kept is gone on from, and only the tail is asked for', async t => {
  const rig = warmed(kept)
  t.match(have(rig), [{ kind: 'join', have: after(log[14]) }])
  t.ok(rig.following.get(doc)?.hasState, 'it is served at once')
  t.equal(rig.staleMs, 0, 'and may be old')
  rig.take([welcome('tail'), records(log.slice(15, 20))])
  t.equal(rig.staleMs, undefined)
  t.match(rig.following.get(doc)?.replica.state(), { n: 20 })
  t.equal(rig.following.get(doc)?.ring.base.seq, 10)
  t.equal(rig.following.get(doc)?.upstream.ceiling, 239)
})

t.test('what does not verify is not believed', async t => {
  const [piece] = kept.snapshot.pieces
  const turned = piece?.slice() ?? new Uint8Array(1)
  turned[3] = (turned[3] ?? 0) ^ 1
  const { snapshot } = kept
  const bad: WarmDocument[] = [
    { ...kept, snapshot: { ...snapshot, pieces: [turned] } },
    { ...kept, snapshot: { ...snapshot, pieces: [] } },
    { ...kept, records: [damaged(log[10] ?? never(), 8)] },
    { ...kept, records: log.slice(11, 13) },
    { ...kept, records: recordsOf(11, 'another').slice(10) },
  ]
  for (const warm of bad) {
    const rig = warmed(warm)
    t.match(have(rig), [{ kind: 'join', have: undefined }])
    t.notOk(rig.following.get(doc)?.hasState)
  }
})

t.test('what was kept under another ceiling is given up', async t => {
  const rig = warmed(kept)
  rig.take([welcome('tail', 7, doc, 3)])
  t.notOk(rig.following.get(doc)?.hasState)
  t.match(have(rig).at(-1), { kind: 'join', have: undefined })
})

t.test('a large document that was kept is read in by turns where its state is needed', async t => {
  const rig = warmed(
    { ...kept, snapshot: snapshotAt(head, 20_000) },
    new Rig({ largeStateBytes: 10_000 }),
  )
  t.match(have(rig), [{ kind: 'join', have: after(log[14]) }])
  t.notOk(rig.following.get(doc)?.hasState)
  rig.pass(0)
  t.same(rig.events(), ['reset'])
  t.match(rig.following.get(doc)?.replica.state(), { n: 15 })
})

t.test('what is worth being kept is the last snapshot and the records since', async t => {
  const rig = live()
  rig.take([records(log.slice(10, 14))])
  const kept = rig.following.get(doc)?.keepable()
  t.equal(kept?.snapshot.manifest.at.seq, 10)
  t.same(
    kept?.records.map(({ seq }) => seq),
    [11, 12, 13, 14],
  )
  const again = warmed(kept ?? never())
  t.match(have(again), [{ kind: 'join', have: after(log[13]) }])
})

t.test(
  'records that are applied are kept as long as the ring has them, then a new snapshot is',
  async t => {
    const rig = live()
    rig.take([records(log.slice(10, 14))])
    const follower = rig.following.get(doc)
    follower?.replica.state()
    t.equal(follower?.keepable()?.records.length, 4)
    follower?.ring.reset(after(log[13]))
    const kept = follower?.keepable()
    t.equal(kept?.snapshot.manifest.at.seq, 14)
    t.equal(kept?.records.length, 0)
  },
)

t.test('of nothing nothing is worth being kept', async t => {
  const rig = new Rig()
  rig.follow()
  t.equal(rig.following.get(doc)?.keepable(), undefined)
})

function never(): never {
  throw new Error('the log has records')
}
