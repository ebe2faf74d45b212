import type { DocumentDefinition, ReducerName, ReducerValue } from '@fanfold/definition'

/** How to add. */
export type AddOptions = {
  /**
   * Puts what one viewer says in order, for reducers that keep its latest (`vote`): an integer of 0 … 2^53 − 1, the edge's
   * wall clock, ms, by default.
   */
  readonly stamp?: number | undefined
}

/**
 * What became of what was added: it is `counted`, or it is `unknown` whether it is or will be, as the connection or the
 * observation ended before, or the edge cannot tell.
 */
export type AddOutcome = 'counted' | 'unknown'

/** What `add` takes where nothing is known of the definition. */
export type AnyAddCall = [reducer: string, value: unknown, options?: AddOptions]

/** What `add` takes: one tuple for each reducer of the definition, so that the name decides what the value may be. */
export type AddCall<Definition extends DocumentDefinition> = {
  [Name in ReducerName<Definition>]: [
    reducer: Name,
    value: ReducerValue<Definition, Name>,
    options?: AddOptions,
  ]
}[ReducerName<Definition>]
