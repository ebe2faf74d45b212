import type { JsonValue } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { type TrackerStep, ViewTracker } from '../src/view-tracker.ts'
import { delta, snapshot } from './frames.ts'

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
