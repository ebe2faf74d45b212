import { isJsonObject } from '@fanfold/document'
import t from 'tap'
import { type TrackerStep, ViewTracker } from '../src/view-tracker.ts'
import { delta, snapshot } from './frames.ts'

const following = (): ViewTracker => {
  const tracker = new ViewTracker()
  tracker.resume()
  tracker.takeSnapshot(snapshot())
  return tracker
}

const stillOf = (tracker: ViewTracker): unknown => {
  const view = tracker.held?.view
  return isJsonObject(view) ? view['still'] : undefined
}

/** An operation that leads to what a viewer with another view state sees. */
const other = { op: 'replace', path: '/count', value: 'other' }

const describe = (step: TrackerStep): string =>
  step.kind === 'changed' ? `${step.change.kind} ${step.change.from}-${step.change.seq}` : step.kind

t.test('a snapshot is the first view, and a delta leads on from it', t => {
  const tracker = new ViewTracker()
  t.equal(tracker.resume(), undefined)
  t.equal(tracker.held, undefined)
  t.equal(describe(tracker.takeSnapshot(snapshot())), 'snapshot 0-10')
  const before = stillOf(tracker)
  const step = tracker.takeDelta(delta())
  t.match(step, { change: { kind: 'delta', epoch: 1, from: 10, seq: 11, time: 1011 } })
  t.match(tracker.held, { seq: 11, view: { count: 11 } })
  t.equal(stillOf(tracker), before)
  t.equal(tracker.isFollowing, true)
  t.end()
})

t.test('a delta may span several seqs, or none', t => {
  const tracker = following()
  t.equal(describe(tracker.takeDelta(delta({ from: 10, seq: 15 }))), 'delta 10-15')
  t.equal(describe(tracker.takeDelta(delta({ from: 15, seq: 15 }))), 'delta 15-15')
  t.equal(tracker.held?.seq, 15)
  t.end()
})

t.test('what does not fit is never applied', t => {
  for (const frame of [
    delta({ from: 11, seq: 12 }),
    delta({ from: 9, seq: 11 }),
    delta({ from: 10, seq: 9 }),
    delta({ epoch: 0 }),
    delta({ patch: [{ op: 'remove', path: '/none' }] }),
    delta({ patch: [{ op: 'add', path: '/__proto__/x', value: 1 }] }),
    delta({ patch: ['nonsense'] }),
  ]) {
    const tracker = following()
    const { held } = tracker
    t.equal(tracker.takeDelta(frame).kind, 'misfit', JSON.stringify(frame))
    t.equal(tracker.held, held)
  }
  t.end()
})

t.test('a delta that is covered already is passed over', t => {
  const tracker = following()
  tracker.takeDelta(delta())
  t.equal(describe(tracker.takeDelta(delta())), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ from: 3, seq: 8 }))), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ seq: 12 }))), 'delta 11-12')
  t.end()
})

t.test('deltas before the first snapshot and after a restart are passed over', t => {
  const tracker = new ViewTracker()
  t.equal(tracker.takeDelta(delta()).kind, 'unchanged')
  tracker.takeSnapshot(snapshot())
  tracker.restart()
  t.equal(tracker.isFollowing, false)
  t.equal(tracker.takeDelta(delta()).kind, 'unchanged')
  t.equal(tracker.resume(), undefined)
  t.equal(tracker.held?.seq, 10)
  t.end()
})

t.test('an epoch may rise with a delta', t => {
  const tracker = following()
  t.equal(describe(tracker.takeDelta(delta({ epoch: 2 }))), 'delta 10-11')
  t.equal(tracker.held?.epoch, 2)
  t.equal(tracker.takeDelta(delta({ epoch: 1, seq: 12 })).kind, 'misfit')
  t.end()
})

t.test('resumes from the last position, and shows nothing that was seen before', t => {
  const tracker = following()
  tracker.takeDelta(delta({ seq: 11, position: 'p1.11' }))
  tracker.takeDelta(delta({ seq: 12 }))
  tracker.takeDelta(delta({ seq: 13 }))
  const seen = tracker.held?.view
  t.equal(tracker.resume(), 'p1.11')
  t.equal(tracker.isFollowing, false)
  t.equal(describe(tracker.takeDelta(delta({ seq: 12 }))), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ seq: 13 }))), 'unchanged')
  t.equal(tracker.held?.view, seen)
  t.equal(tracker.isFollowing, true)
  t.equal(describe(tracker.takeDelta(delta({ seq: 14 }))), 'delta 13-14')
  t.end()
})

t.test('a delta of a resume that spans what was seen fits, as one step', t => {
  const tracker = following()
  tracker.takeDelta(delta({ seq: 11 }))
  tracker.takeDelta(delta({ seq: 12 }))
  t.equal(tracker.resume(), 'p1.10')
  t.equal(describe(tracker.takeDelta(delta({ from: 10, seq: 20 }))), 'snapshot 12-20')
  t.match(tracker.held, { seq: 20, view: { count: 20, still: { deep: [1] } } })
  t.end()
})

t.test('a position of the view itself needs no way back', t => {
  const tracker = following()
  tracker.takeDelta(delta({ position: 'p1.11' }))
  t.equal(tracker.resume(), 'p1.11')
  t.equal(tracker.isFollowing, true)
  t.equal(describe(tracker.takeDelta(delta({ seq: 12 }))), 'delta 11-12')
  t.end()
})

t.test('a resume whose first delta does not adjoin is a misfit', t => {
  const tracker = following()
  tracker.takeDelta(delta({ seq: 11 }))
  tracker.resume()
  t.equal(tracker.takeDelta(delta({ from: 11, seq: 12 })).kind, 'misfit')
  t.equal(tracker.held?.seq, 11)
  t.end()
})

t.test('a snapshot of an edge that is behind waits until its deltas have caught up', t => {
  const tracker = following()
  tracker.resume()
  t.equal(describe(tracker.takeSnapshot(snapshot({ seq: 8 }))), 'unchanged')
  t.equal(tracker.held?.seq, 10)
  t.equal(tracker.isFollowing, false)
  t.equal(describe(tracker.takeDelta(delta({ seq: 9 }))), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ from: 9, seq: 12 }))), 'snapshot 10-12')
  t.equal(tracker.isFollowing, true)
  t.end()
})

t.test('a snapshot of a higher epoch replaces the view, also by a lower seq', t => {
  const tracker = following()
  t.equal(describe(tracker.takeSnapshot(snapshot({ epoch: 2, seq: 9 }))), 'snapshot 10-9')
  t.equal(describe(tracker.takeSnapshot(snapshot({ epoch: 1, seq: 30 }))), 'unchanged')
  t.match(tracker.held, { epoch: 2, seq: 9 })
  t.end()
})

t.test('a snapshot keeps the parts of the view that are equal', t => {
  const tracker = following()
  const before = stillOf(tracker)
  tracker.takeSnapshot(snapshot({ seq: 30 }))
  t.equal(stillOf(tracker), before)
  t.equal(describe(tracker.takeSnapshot(snapshot({ seq: 30 }))), 'unchanged')
  t.equal(
    describe(tracker.takeSnapshot(snapshot({ seq: 30, view: { other: 1 } }))),
    'snapshot 30-30',
  )
  t.end()
})

t.test('a move at the seq of the view leads to another view, exactly once', t => {
  const tracker = following()
  const move = delta({ from: 10, seq: 10, position: 'q1.10', patch: [other] })
  const step = tracker.takeDelta(move)
  t.match(step, { change: { kind: 'delta', from: 10, seq: 10, patch: [other] } })
  t.match(tracker.held, { seq: 10, view: { count: 'other' } })
  t.equal(tracker.isFollowing, true)
  t.equal(tracker.resume(), 'q1.10')
  t.equal(tracker.isFollowing, true)
  t.equal(describe(tracker.takeDelta(delta())), 'delta 10-11')
  t.end()
})

t.test('a move at an older seq leads on unseen, and is shown where the view was', t => {
  const tracker = following()
  tracker.takeDelta(delta({ seq: 11 }))
  tracker.takeDelta(delta({ seq: 12 }))
  const before = stillOf(tracker)
  t.equal(tracker.resume(), 'p1.10')
  t.equal(describe(tracker.takeDelta(delta({ seq: 11 }))), 'unchanged')
  const move = delta({ from: 11, seq: 11, position: 'q1.11', patch: [other] })
  t.equal(describe(tracker.takeDelta(move)), 'unchanged')
  t.match(tracker.held, { seq: 12, view: { count: 12 } })
  const quiet = delta({ seq: 12, patch: [] })
  t.equal(describe(tracker.takeDelta(quiet)), 'snapshot 12-12')
  t.match(tracker.held, { seq: 12, view: { count: 'other' } })
  t.equal(stillOf(tracker), before)
  t.equal(tracker.isFollowing, true)
  t.equal(tracker.resume(), 'q1.11')
  t.end()
})

t.test('a move back to the view that is seen is not seen', t => {
  const tracker = following()
  tracker.takeDelta(delta({ seq: 11 }))
  const seen = tracker.held?.view
  tracker.resume()
  t.equal(describe(tracker.takeDelta(delta({ from: 10, seq: 10, patch: [other] }))), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ seq: 11 }))), 'unchanged')
  t.equal(tracker.held?.view, seen)
  t.equal(tracker.isFollowing, true)
  t.end()
})

t.test('a snapshot of another view at an older seq waits, and is shown where the view was', t => {
  const tracker = following()
  tracker.restart()
  tracker.resume()
  const view = { count: 'other', still: { deep: [1] } }
  t.equal(describe(tracker.takeSnapshot(snapshot({ seq: 9, view }))), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ seq: 10, patch: [] }))), 'snapshot 10-10')
  t.match(tracker.held, { view })
  t.end()
})

t.test('what a catch-up repeats keeps its parts', t => {
  const tracker = following()
  const set = () => [{ op: 'replace', path: '/still', value: { deep: [2] } }]
  tracker.takeDelta(delta({ patch: set() }))
  const before = stillOf(tracker)
  tracker.resume()
  t.equal(describe(tracker.takeDelta(delta({ from: 10, seq: 14, patch: set() }))), 'snapshot 11-14')
  t.equal(stillOf(tracker), before)
  t.end()
})

t.test('a snapshot that begins a count of its own, or ends one, is taken whatever its seq', t => {
  const tracker = following()
  const dense = { numbering: 'dense' } as const
  t.equal(describe(tracker.takeSnapshot(snapshot({ seq: 3, ...dense }))), 'snapshot 10-3')
  t.match(tracker.takeDelta(delta({ seq: 4 })), { change: { from: 3, numbering: 'dense' } })
  t.equal(tracker.resume(), 'p1.3')
  t.equal(describe(tracker.takeSnapshot(snapshot({ seq: 1, ...dense }))), 'snapshot 4-1')
  t.equal(describe(tracker.takeSnapshot(snapshot({ seq: 0 }))), 'snapshot 1-0')
  t.equal(describe(tracker.takeSnapshot(snapshot({ epoch: 0, ...dense }))), 'unchanged')
  t.end()
})

t.test('within one count a resume shows nothing that was seen before', t => {
  const tracker = new ViewTracker()
  tracker.takeSnapshot(snapshot({ numbering: 'dense' }))
  tracker.takeDelta(delta({ seq: 11 }))
  tracker.takeDelta(delta({ seq: 12 }))
  t.equal(tracker.resume(), 'p1.10')
  t.equal(describe(tracker.takeDelta(delta({ seq: 11 }))), 'unchanged')
  t.equal(describe(tracker.takeDelta(delta({ from: 11, seq: 13 }))), 'snapshot 12-13')
  t.end()
})
