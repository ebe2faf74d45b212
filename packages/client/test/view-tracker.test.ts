import { isJsonObject, type JsonValue } from '@fanfold/document'
import fc from 'fast-check'
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

t.test('a position is forgotten with the view state that it belongs to', t => {
  const tracker = following()
  tracker.forgetPosition()
  t.equal(tracker.resume(), undefined)
  t.equal(tracker.held?.seq, 10)
  t.end()
})

/** The state at a seq: some members come, change and go. */
const stateAt = (seq: number): JsonValue =>
  Object.fromEntries(
    Array.from({ length: 5 }, (_, key) => [`k${key}`, Math.floor((seq + key * 3) / (key + 2))])
      .filter(([, value]) => Number(value) % 3 !== 0)
      .map(([key, value]) => [key, { value }] as [string, JsonValue]),
  )

const patchBetween = (from: number, seq: number): readonly unknown[] => {
  const before = stateAt(from) as { [key: string]: JsonValue }
  const after = stateAt(seq) as { [key: string]: JsonValue }
  const removed = Object.keys(before).filter(key => !(key in after))
  const changed = Object.keys(after).filter(
    key => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  )
  return [
    ...removed.map(key => ({ op: 'remove', path: `/${key}` })),
    ...changed.map(key => ({ op: 'add', path: `/${key}`, value: after[key] })),
  ]
}

t.test('under losses, resumes and lagging edges the view is always the state at its seq', t => {
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('delta'),
        span: fc.integer({ min: 0, max: 3 }),
        hasPosition: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('reconnect'), lag: fc.integer({ min: 0, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat') }) },
  )
  const holds = () =>
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), actions => {
        const tracker = new ViewTracker()
        let sent = 10
        let highest = 0
        let isMisfit = false
        const take = (step: TrackerStep) => {
          isMisfit ||= step.kind === 'misfit'
          const { held } = tracker
          if (held === undefined) return true
          const isTrue =
            JSON.stringify(sorted(held.view)) === JSON.stringify(sorted(stateAt(held.seq)))
          const isForward = held.seq >= highest
          highest = held.seq
          return isTrue && isForward
        }
        const observe = (lag: number): boolean => {
          const position = tracker.resume()
          if (position !== undefined && lag === 0) {
            sent = Number(position.slice(1))
            return true
          }
          sent = Math.max(1, sent - lag)
          return take(
            tracker.takeSnapshot(
              snapshot({ seq: sent, position: `p${sent}`, view: stateAt(sent) }),
            ),
          )
        }
        if (!observe(0)) return false
        for (const one of actions) {
          if (isMisfit) {
            isMisfit = false
            tracker.restart()
            if (!observe(0)) return false
          }
          const span = 'span' in one ? one.span : 1
          switch (one.kind) {
            case 'delta': {
              const from = sent
              sent += span
              const fields = { from, seq: sent, patch: structuredClone(patchBetween(from, sent)) }
              const position =
                'hasPosition' in one && one.hasPosition ? { position: `p${sent}` } : {}
              if (!take(tracker.takeDelta(delta({ ...fields, ...position })))) return false
              break
            }
            case 'repeat':
              if (!take(tracker.takeDelta(delta({ from: sent - 1, seq: sent })))) return false
              break
            case 'lose':
              sent += 1
              break
            case 'reconnect':
              if (!observe('lag' in one ? one.lag : 0)) return false
              break
          }
        }
        return true
      }),
      { numRuns: 500 },
    )
  t.doesNotThrow(holds)
  t.end()
})

function sorted(value: JsonValue): unknown {
  return Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1))
}
