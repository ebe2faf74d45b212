/*
 * What the viewers of one document say: the sums of it, on their way up, and who wants to know what became of
 * which window. A viewer is told of a window as a whole, so what is kept is one list of ids for each viewer in each
 * window, and there are a few windows at a time.
 */
import type { EdgeReducer, Voice } from '@fanfold/definition'
import { AssertionError, type Instant } from '@fanfold/kernel'
import type { AddId, ViewerId } from '@fanfold/protocol'
import { type Downward, type Folded, Origin, type Upward } from '@fanfold/reduction'

/** What became of a window; `lost`: it goes with the document, and nobody can tell whether it counts. */
export type CrowdOutcome = 'counted' | 'unknown' | 'lost'

/** What one viewer says to a reducer. */
export type Saying = {
  readonly name: string
  readonly reducer: EdgeReducer
  readonly operand: unknown
  readonly voice: Voice
}

/** What one viewer looks at. */
export type Watched = Pick<Saying, 'name' | 'operand' | 'voice'> & Pick<EdgeReducer, 'into'>

/** A viewer that wants to know what becomes of what it says. */
export type Asker = { readonly viewer: ViewerId; readonly id: AddId }

/** A window of which it is known what became of it, and who wants to know. */
export type SettledWindow = {
  readonly outcome: CrowdOutcome
  readonly messages: number
  readonly ids: ReadonlyMap<ViewerId, readonly AddId[]>
}

/** What is told of a document's crowd; it is called from inside the methods of `DocumentCrowd`. */
export type DocumentCrowdPort = {
  settled(window: SettledWindow): void
  /** The definition's own code could not write down the sums: they are lost, and that was told. */
  failed(error: unknown): void
}

type Window = { messages: number; readonly ids: Map<ViewerId, AddId[]> }

/** What an edge hears of one document. */
export class DocumentCrowd {
  readonly #port: DocumentCrowdPort
  #origin = new Origin()
  readonly #windows = new Map<number, Window>()
  /** Until when the document is followed without viewers, for what they said; undefined while it has some. */
  keptUntil: Instant | undefined

  constructor(port: DocumentCrowdPort) {
    this.#port = port
  }

  /** True when nothing of what was said waits to be counted. */
  get isIdle(): boolean {
    return this.#origin.isIdle
  }

  /** A viewer says something. */
  fold({ name, reducer, operand, voice }: Saying, asker: Asker | undefined): Folded {
    const folded = this.#origin.fold(name, reducer.into, operand, voice)
    if (folded.kind !== 'folded') return folded
    const window = this.#windows.get(folded.window) ?? { messages: 0, ids: new Map() }
    this.#windows.set(folded.window, window)
    window.messages++
    if (asker === undefined) return folded
    const ids = window.ids.get(asker.viewer)
    if (ids === undefined) window.ids.set(asker.viewer, [asker.id])
    else ids.push(asker.id)
    return folded
  }

  /** A viewer looks somewhere: nobody waits to hear what becomes of that. */
  watch({ name, into, operand, voice }: Watched): Folded {
    return this.#origin.fold(name, into, operand, voice)
  }

  /** What goes up now; undefined for nothing. */
  next(): Upward | undefined {
    try {
      return this.#origin.say()
    } catch (error) {
      if (error instanceof AssertionError) throw error
      this.giveUp()
      this.#port.failed(error)
      return undefined
    }
  }

  /** What went up is answered. */
  answered(answer: Downward): void {
    for (const { window, kind } of this.#origin.take(answer)) this.#settle(window, kind)
  }

  /** What is not counted goes with the document. */
  giveUp(): void {
    for (const window of this.#windows.keys()) this.#settle(window, 'lost')
    this.#origin = new Origin()
  }

  /** The viewer is gone: nobody is to be told what becomes of what it said. */
  forget(viewer: ViewerId): void {
    for (const { ids } of this.#windows.values()) ids.delete(viewer)
  }

  #settle(window: number, outcome: CrowdOutcome): void {
    const settled = this.#windows.get(window)
    if (settled === undefined) return
    this.#windows.delete(window)
    this.#port.settled({ outcome, ...settled })
  }
}
