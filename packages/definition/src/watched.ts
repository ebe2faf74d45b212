/*
 * Where a crowd looks: edges fold what their viewers' view states say, now and then, without a message from
 * anybody. What is said of a viewer depends on its view state alone: an edge asks once for all that share one.
 */
import { type EveryMsRange, everyMsProblem } from './every-ms.ts'
import { type AnyReduction, type At, declare } from './message.ts'
import type { Reduction } from './reductions/reduction.ts'
import { unawaited } from './unawaited.ts'

/** What edges watch, as an edge has it. */
export type EdgeWatched<ViewState = unknown> = {
  /** How often each viewer is looked at, ms. */
  readonly everyMs: number
  // A method, so that rules of any view state are rules of `unknown`.
  of(viewState: ViewState | undefined): unknown
  readonly into: AnyReduction
}

/** What edges watch; what is summed up is between `of`, `into` and `apply`. */
export type WatchedRule<State, ViewState = unknown> = EdgeWatched<ViewState> & {
  apply(state: State, result: unknown, at: At): void
}

/** What `watched` returns. */
export type WatchedDeclaration<State, ViewState = unknown> = () => WatchedRule<State, ViewState>

/** How often viewers may be looked at, ms. */
export const watchedEveryMs: EveryMsRange = { min: 250, max: 60_000, default: 1_000 }

/**
 * Declares what edges watch. Every `everyMs` (250 … 60,000 ms, default 1,000) each edge folds what `of` gives,
 * once for each viewer of the document that it has at that time. So what `apply` gets counts looks, not viewers:
 * those of one time span are about sum × everyMs / span viewers, and their shares say where the crowd looks.
 *
 * @param rule.of what is summed up of a view state, which is undefined for a viewer that shares none; undefined
 *   for nothing. It must depend on nothing else
 * @param rule.into how it is summed up, on every tier of the tree
 * @param rule.apply runs at the authority only, once for each sum that comes: it changes the state in place
 */
export function watched<State, ViewState, Operand, Sum, Result>(rule: {
  readonly everyMs?: number | undefined
  readonly of: (viewState: ViewState | undefined) => Operand | undefined
  readonly into: Reduction<NoInfer<Operand>, Sum, Result>
  readonly apply: (state: State, result: NoInfer<Result>, at: At) => void
}): WatchedDeclaration<State, ViewState> {
  const { everyMs = watchedEveryMs.default, of, into, apply } = rule
  return declare(Object.freeze({ everyMs, of, into, apply }))
}

/** What is wrong with how often it is, `undefined` for nothing. */
export const watchedEveryMsProblem = (everyMs: unknown): string | undefined =>
  everyMsProblem(everyMs, watchedEveryMs)

/** What is said of a viewer; an operand that is undefined is nothing. */
export type Watched =
  | { readonly ok: true; readonly operand: unknown }
  /** `of` failed: it counts as nothing, and is a fault of the definition, for its operator to know. */
  | {
      readonly ok: false
      readonly code: 'FANFOLD_RULE_FAILED'
      readonly place: string
      readonly error: unknown
    }

const nothing: Watched = Object.freeze({ ok: true, operand: undefined })

/**
 * What `name` under `watched` says of each viewer with one view state. Runs authors' code, and throws nothing.
 *
 * @param viewState frozen, as the schema has let it through; undefined of viewers that share none
 */
export function watchedBy(
  definition: { readonly watched: { readonly [name: string]: EdgeWatched } },
  name: string,
  viewState: unknown,
): Watched {
  const rule = Object.hasOwn(definition.watched, name) ? definition.watched[name] : undefined
  if (rule === undefined) return nothing
  try {
    const operand = unawaited(rule.of(viewState))
    if (!(operand instanceof Promise)) return { ok: true, operand }
    return failure(name, new Error('it is synchronous, this one returned a promise'))
  } catch (error) {
    return failure(name, error)
  }
}

const failure = (name: string, error: unknown): Watched => ({
  ok: false,
  code: 'FANFOLD_RULE_FAILED',
  place: `watched.${name}`,
  error,
})
