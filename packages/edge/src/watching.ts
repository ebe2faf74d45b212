/*
 * Where crowds look: of each document whose definition watches something, what the view states of its viewers say is
 * folded now and then, as if each of them had said it. What is asked is asked once for all that share a view.
 */
import { watchedBy } from '@fanfold/definition'
import { after, Deadlines, earliest, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { Cohort } from './cohort.ts'
import { ruleFailed } from './delivery.ts'
import type { EdgeDocument } from './edge-document.ts'
import type { Turn } from './turn.ts'

export type WatchingOptions = {
  readonly turn: Turn
  readonly get: (doc: DocumentKey) => EdgeDocument | undefined
  /** Folds so many looks at once; false when there is no room for one more now. */
  readonly fold: (doc: DocumentKey, look: Look) => boolean
  /** Runs what concerns one document alone. */
  readonly guard: (doc: DocumentKey, step: () => void) => void
}

/** What viewers that share a view look at. */
export type Look = {
  readonly name: string
  readonly operand: unknown
  readonly viewers: number
}

/** Watches where viewers look. */
export class Watching {
  readonly #options: WatchingOptions
  /** When each document is looked at next, by the name of what is watched. */
  readonly #nextAt = new Map<DocumentKey, Map<string, Instant>>()
  readonly #due = new Deadlines<DocumentKey>()

  constructor(options: WatchingOptions) {
    this.#options = options
  }

  /** Documents that are watched. */
  get count(): number {
    return this.#nextAt.size
  }

  /** The document may have viewers, or another definition. */
  note(doc: DocumentKey): void {
    if (this.#due.get(doc) !== undefined) return
    const rules = this.#options.get(doc)?.watched
    if (rules === undefined) return
    this.#plan(doc, Object.entries(rules.definition.watched))
  }

  /** The document is followed no more. */
  forget(doc: DocumentKey): void {
    this.#nextAt.delete(doc)
    this.#due.set(doc, undefined)
  }

  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  tick(): void {
    for (const doc of this.#due.due(this.#options.turn.now)) {
      this.#options.guard(doc, () => this.#look(doc))
    }
  }

  /** What is new is looked at when its time is over for the first time. */
  #plan(doc: DocumentKey, rules: readonly [string, { readonly everyMs: number }][]): void {
    const { now } = this.#options.turn
    const before = this.#nextAt.get(doc)
    const nextAt = new Map<string, Instant>()
    let first: Instant | undefined
    for (const [name, { everyMs }] of rules) {
      const at = before?.get(name) ?? after(now, milliseconds(everyMs))
      nextAt.set(name, at)
      first = earliest(first, at)
    }
    this.#nextAt.set(doc, nextAt)
    this.#due.set(doc, first)
  }

  #look(doc: DocumentKey): void {
    const { turn, get } = this.#options
    const watched = get(doc)?.watched
    // Nobody is there: whoever comes begins it anew.
    if (watched === undefined) {
      this.forget(doc)
      return
    }
    const { definition, cohorts } = watched
    const rules = Object.entries(definition.watched)
    const nextAt = this.#nextAt.get(doc)
    for (const [name, { everyMs }] of rules) {
      const at = nextAt?.get(name)
      if (at === undefined || at > turn.now) continue
      nextAt?.set(name, after(turn.now, milliseconds(everyMs)))
      this.#fold(doc, name, watched, cohorts)
    }
    this.#plan(doc, rules)
  }

  #fold(
    doc: DocumentKey,
    name: string,
    { definition }: Pick<NonNullable<EdgeDocument['watched']>, 'definition'>,
    cohorts: Iterable<Cohort>,
  ): void {
    const { turn, fold } = this.#options
    for (const cohort of cohorts) {
      const seen = watchedBy(definition, name, cohort.wish.viewState)
      if (!seen.ok) {
        turn.fact(ruleFailed(doc, seen))
        // It fails for the others too, or for one that nobody should learn of by what is counted.
        return
      }
      const { operand } = seen
      if (operand === undefined) continue
      // Until windows are counted there is no room: what is not seen now is seen the next time.
      if (!fold(doc, { name, operand, viewers: cohort.size })) return
    }
  }
}
