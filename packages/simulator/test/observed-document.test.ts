import { buildLog, sha256 } from '@fanfold/conformance'
import { parseDocumentKey, type ViewerFrame } from '@fanfold/protocol'
import t from 'tap'
import { History } from '../src/history.ts'
import { ObservedDocument } from '../src/observed-document.ts'
import { Problems } from '../src/problems.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const doc = parseDocumentKey('acme/match/final')

/** A document at a viewer, and a log of ten records whose state at seq s > 1 is `{"n": s}`. */
function makeDocument() {
  const history = new History(sha256, new Problems(new VirtualClock()))
  history.recordsAreDurable(doc, buildLog({ doc, count: 10 }).records)
  return new ObservedDocument(doc, history)
}

const snapshot = (seq: number, n = seq): Extract<ViewerFrame, { type: 'snapshot' }> => ({
  type: 'snapshot',
  doc,
  epoch: 1,
  seq,
  position: `p${seq}`,
  view: { n },
})

const delta = (seq: number, overrides = {}): Extract<ViewerFrame, { type: 'delta' }> => ({
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
  const document = makeDocument()
  t.same(document.takeSnapshot(snapshot(3)), { kind: 'taken' })
  t.same(document.takeDelta(delta(4)), { kind: 'taken' })
  t.same(document.takeDelta(delta(5)), { kind: 'taken' })
  t.equal(document.shownSeq, 5)
  t.same(document.ranges, [{ from: 3, to: 5 }])
})

t.test('ranges adjoin: a gap, an overlap and a delta before any view do not fit', async t => {
  const document = makeDocument()
  t.match(document.takeDelta(delta(4)), { kind: 'misfit' })
  document.takeSnapshot(snapshot(3))
  t.match(document.takeDelta(delta(5)), { kind: 'misfit', message: /from 4 to 1:5, view at 1:3/ })
  t.match(document.takeDelta(delta(3)), { kind: 'misfit' })
  t.match(document.takeDelta(delta(4, { patch: [{ op: 'remove', path: '/m' }] })), {
    kind: 'misfit',
  })
})

t.test('a view that the log does not make is wrong', async t => {
  const document = makeDocument()
  t.match(document.takeSnapshot(snapshot(3, 4)), { kind: 'wrong', message: /view at 3: state/ })
  document.takeSnapshot(snapshot(3))
  const patch = [{ op: 'replace', path: '/n', value: 5 }]
  t.match(document.takeDelta(delta(4, { patch })), { kind: 'wrong' })
})

t.test('a view ahead of what is durable is wrong', async t => {
  t.match(makeDocument().takeSnapshot(snapshot(11)), {
    kind: 'wrong',
    message: /the log ends at 10/,
  })
})

t.test('it resumes from the view of its last position, and shows nothing twice', async t => {
  const document = makeDocument()
  t.equal(document.resume(), undefined)
  document.takeSnapshot(snapshot(3))
  document.takeDelta(delta(4, { position: 'p4' }))
  document.takeDelta(delta(5))
  t.equal(document.resume(), 'p4')
  t.same(document.takeDelta(delta(5)), { kind: 'taken' })
  t.equal(document.shownSeq, 5)
  t.same(document.takeDelta(delta(6)), { kind: 'taken' })
  t.equal(document.shownSeq, 6)
})

t.test('an older snapshot does not take back what was shown', async t => {
  const document = makeDocument()
  document.takeSnapshot(snapshot(5))
  t.same(document.takeSnapshot(snapshot(3)), { kind: 'taken' })
  t.equal(document.shownSeq, 5)
  t.equal(document.counts.repeats, 1)
})
