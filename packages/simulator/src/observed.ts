import type { ObservedDocument } from './observed-document.ts'
import type { ViewAssembly } from './view-assembly.ts'

/**
 * What a viewer does with a document on its connection: nothing, observe it, wait for `left`, ask again
 * some time because it was refused, or nothing any more because it was deleted.
 */
type Phase = 'idle' | 'observing' | 'leaving' | 'refused' | 'ended'

/** A document that a viewer wants, and how far it has got with that. */
export type Observed = {
  readonly document: ObservedDocument
  phase: Phase
  isWanted: boolean
  viewState: unknown
  /** The view state by which the last frame was made, as JSON; undefined before the first one. */
  answered: string | undefined
  /** Whether the edge has said last that it is cut off from what it shows. */
  isStale: boolean
  /** Whether it was refused for now, and asks once more some time. */
  isToAskAgain: boolean
  /** Requests that it has made once more while one waited: the edge may answer each, or the last alone. */
  asksBeside: number
  /** A view that is coming in pieces. */
  assembly: ViewAssembly | undefined
}

/** Refusals of what was asked for, after which the view is what it was. */
export const viewStateRefusals: ReadonlySet<string> = new Set([
  'FANFOLD_INVALID_VIEW_STATE',
  'FANFOLD_NO_VIEW_STATE',
])

/** Equal exactly for view states that ask for the same. */
export const viewStateJson = (viewState: unknown): string => JSON.stringify(viewState ?? null)

/** One that nothing was asked for yet. */
export const unasked = {
  phase: 'idle',
  isWanted: true,
  viewState: undefined,
  answered: undefined,
  isStale: false,
  isToAskAgain: false,
  asksBeside: 0,
  assembly: undefined,
} as const
