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

/** What a viewer with a view state sees at a seq: some members come, change and go. */
const viewAt = (viewState: number, seq: number): { [key: string]: JsonValue } =>
  Object.fromEntries(
    Array.from({ length: 5 }, (_, key) => [
      `k${key}`,
      Math.floor((seq + viewState * 5 + key * 3) / (key + 2)),
    ])
      .filter(([, value]) => Number(value) % 3 !== 0)
      .map(([key, value]) => [key, { value }] as [string, JsonValue]),
  )

type Views = { readonly [key: string]: JsonValue }

const patchBetween = (before: Views, after: Views): readonly unknown[] => {
  const removed = Object.keys(before).filter(key => !(key in after))
  const changed = Object.keys(after).filter(
    key => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  )
  return [
    ...removed.map(key => ({ op: 'remove', path: `/${key}` })),
    ...changed.map(key => ({ op: 'add', path: `/${key}`, value: after[key] })),
  ]
}

/** An edge with one viewer: what is due to it, as frames for the tracker. */
class ModelEdge {
  readonly tracker = new ViewTracker()
  readonly #isDense: boolean
  /** Where the document is for this edge, and the number that it gives to that place. */
  #place = 10
  #number = 10
  #viewState = 0
  #asked = 0
  /** The count of what was seen goes on: an edge that is behind can be told. */
  #mayWait = true
  isMisfit = false

  constructor(isDense: boolean) {
    this.#isDense = isDense
  }

  /** The tracker shows what the edge shows, or waits for an edge that is behind. */
  get isExact(): boolean {
    const { held, isFollowing } = this.tracker
    if (held === undefined || this.isMisfit) return true
    if (!isFollowing) return this.#mayWait && this.#number < held.seq
    return held.seq === this.#number && same(held.view, viewAt(this.#viewState, this.#place))
  }

  /** Answers an observe: by what follows the position that it carried, or by a snapshot. */
  observe({ lag, canResume }: { readonly lag: number; readonly canResume: boolean }): void {
    const position = this.tracker.resume()
    const at = position?.split('.').map(Number)
    this.isMisfit = false
    this.#viewState = this.#asked
    this.#mayWait = !this.#isDense
    if (at !== undefined && at[2] === this.#viewState && canResume) {
      this.#mayWait = true
      this.#number = at[0] ?? 0
      this.#place = at[1] ?? 0
      return
    }
    // A viewer that gives its position waits at the edge until that has caught up.
    this.#place = Math.max(this.#place - lag, at?.[1] ?? 1)
    this.#number = this.#isDense ? lag : this.#place
    const fields = this.#isDense ? { numbering: 'dense' as const } : {}
    const view = viewAt(this.#viewState, this.#place)
    this.#take(
      this.tracker.takeSnapshot(
        snapshot({ seq: this.#number, position: this.#position(), view, ...fields }),
      ),
    )
  }

  write(span: number, hasPosition: boolean): void {
    this.#step(this.#place + span, this.#viewState, hasPosition)
  }

  move(viewState: number): void {
    this.#asked = viewState
    this.#step(this.#place, viewState, true)
  }

  /** Another view state while there is no connection. */
  ask(viewState: number): void {
    this.#asked = viewState
  }

  lose(): void {
    this.#place += 1
    this.#number += 1
  }

  repeat(): void {
    const seq = this.#number
    this.#take(this.tracker.takeDelta(delta({ from: seq - 1, seq })))
  }

  #step(place: number, viewState: number, hasPosition: boolean): void {
    const before = viewAt(this.#viewState, this.#place)
    const from = this.#number
    this.#number += place - this.#place
    this.#place = place
    this.#viewState = viewState
    const patch = structuredClone(patchBetween(before, viewAt(viewState, place)))
    const position = hasPosition ? { position: this.#position() } : {}
    this.#take(this.tracker.takeDelta(delta({ from, seq: this.#number, patch, ...position })))
  }

  #position(): string {
    return `${this.#number}.${this.#place}.${this.#viewState}`
  }

  #take(step: TrackerStep): void {
    this.isMisfit ||= step.kind === 'misfit'
  }
}

t.test('under losses, moves, resumes and lagging edges the view is the one at its place', t => {
  const small = fc.integer({ min: 0, max: 4 })
  const viewState = fc.integer({ min: 0, max: 2 })
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('write' as const), small, fc.boolean()) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('move' as const), viewState) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('observe' as const), small, fc.boolean()) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('ask' as const), viewState) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('lose' as const)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('repeat' as const)) },
  )
  const holds = () =>
    fc.assert(
      fc.property(fc.boolean(), fc.array(action, { maxLength: 60 }), (isDense, actions) => {
        const edge = new ModelEdge(isDense)
        edge.observe({ lag: 0, canResume: true })
        for (const one of actions) {
          if (edge.isMisfit) {
            edge.tracker.restart()
            edge.observe({ lag: 0, canResume: true })
          }
          const highest = edge.tracker.held?.seq ?? 0
          switch (one[0]) {
            case 'write':
              edge.write(one[1], one[2])
              break
            case 'move':
              edge.move(one[1])
              break
            case 'observe':
              edge.observe({ lag: one[1], canResume: one[2] })
              break
            case 'ask':
              edge.ask(one[1])
              edge.observe({ lag: 0, canResume: true })
              break
            case 'lose':
              edge.lose()
              edge.write(1, false)
              break
            case 'repeat':
              edge.repeat()
              break
          }
          const isForward = isDense || (edge.tracker.held?.seq ?? 0) >= highest
          if (!edge.isExact || !isForward) return false
        }
        return true
      }),
      { numRuns: 1_000 },
    )
  t.doesNotThrow(holds)
  t.end()
})

function same(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: JsonValue): unknown {
  return Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1))
}
