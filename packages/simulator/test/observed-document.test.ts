import { parseDocumentKey, type ViewerFrame } from '@fanfold/protocol'
import t from 'tap'
import { type Judge, ObservedDocument } from '../src/observed-document.ts'

const doc = parseDocumentKey('acme/match/final')

/** The view at seq s is `{"n": s}`, and the log ends at 10. */
const judge: Judge = ({ seq }, { json }) => {
  if (seq > 10) return 'the log ends at 10'
  const { n } = JSON.parse(json)
  return n === seq ? undefined : `state has ${n}`
}

/** A document at a viewer whose frames are judged. */
function makeDocument() {
  const document = new ObservedDocument(doc)
  return {
    document,
    takeSnapshot: (frame: SnapshotFrame) => document.takeSnapshot(frame, judge),
    takeDelta: (frame: DeltaFrame) => document.takeDelta(frame, judge),
  }
}

type SnapshotFrame = Extract<ViewerFrame, { type: 'snapshot' }>
type DeltaFrame = Extract<ViewerFrame, { type: 'delta' }>

const snapshot = (seq: number, n = seq): SnapshotFrame => ({
  type: 'snapshot',
  doc,
  epoch: 1,
  seq,
  position: `p${seq}`,
  view: { n },
})

const delta = (seq: number, overrides = {}): DeltaFrame => ({
  type: 'delta',
  doc,
  epoch: 1,
  from: seq - 1,
  seq,
  patch: [{ op: 'replace', path: '/n', value: seq }],
  time: 0,
  ...overrides,
})

t.test('a snapshot and the deltas after it lead on', async t => {
  const { document, takeSnapshot, takeDelta } = makeDocument()
  t.same(takeSnapshot(snapshot(3)), { kind: 'taken' })
  t.same(takeDelta(delta(4)), { kind: 'taken' })
  t.same(takeDelta(delta(5)), { kind: 'taken' })
  t.equal(document.shownSeq, 5)
  t.same(document.ranges, [{ from: 3, to: 5 }])
})

t.test('ranges adjoin: a gap, an overlap and a delta before any view do not fit', async t => {
  const { takeSnapshot, takeDelta } = makeDocument()
  t.match(takeDelta(delta(4)), { kind: 'misfit' })
  takeSnapshot(snapshot(3))
  t.match(takeDelta(delta(5)), { kind: 'misfit', message: /from 4 to 1:5, view at 1:3/ })
  t.match(takeDelta(delta(3)), { kind: 'misfit' })
  t.match(takeDelta(delta(4, { patch: [{ op: 'remove', path: '/m' }] })), {
    kind: 'misfit',
  })
})

t.test('a view that the log does not make is wrong', async t => {
  const { takeSnapshot, takeDelta } = makeDocument()
  t.match(takeSnapshot(snapshot(3, 4)), { kind: 'wrong', message: /view at 3: state/ })
  takeSnapshot(snapshot(3))
  const patch = [{ op: 'replace', path: '/n', value: 5 }]
  t.match(takeDelta(delta(4, { patch })), { kind: 'wrong' })
})

t.test('a view ahead of what is durable is wrong', async t => {
  t.match(makeDocument().takeSnapshot(snapshot(11)), {
    kind: 'wrong',
    message: /the log ends at 10/,
  })
})

t.test('it resumes from the view of its last position, and shows nothing twice', async t => {
  const { document, takeSnapshot, takeDelta } = makeDocument()
  t.equal(document.resume(), undefined)
  takeSnapshot(snapshot(3))
  takeDelta(delta(4, { position: 'p4' }))
  takeDelta(delta(5))
  t.equal(document.resume(), 'p4')
  t.same(takeDelta(delta(5)), { kind: 'taken' })
  t.equal(document.shownSeq, 5)
  t.same(takeDelta(delta(6)), { kind: 'taken' })
  t.equal(document.shownSeq, 6)
})

t.test('an older snapshot does not take back what was shown', async t => {
  const { document, takeSnapshot } = makeDocument()
  takeSnapshot(snapshot(5))
  t.same(takeSnapshot(snapshot(3)), { kind: 'taken' })
  t.equal(document.shownSeq, 5)
  t.equal(document.counts.repeats, 1)
})

t.test('another view of the same place is a step to where it was', async t => {
  const { document, takeSnapshot, takeDelta } = makeDocument()
  takeSnapshot(snapshot(3))
  const patch = [{ op: 'add', path: '/page', value: 2 }]
  t.same(takeDelta(delta(3, { from: 3, position: 'p3b', patch })), { kind: 'taken' })
  t.equal(document.view?.json, '{"n":3,"page":2}')
  t.equal(document.resume(), 'p3b')
})
