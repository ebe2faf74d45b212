/*
 * What an edge variant imports as `fanfold`: the same words as a definition, without what only the
 * authority runs. There is no `message` here: in an edge variant nothing may be left of one.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { reducersProblems, rulesOf } from './declared-rules.ts'
import { DefinitionError } from './definition-error.ts'
import { nameOf, typeProblems } from './document-definition.ts'
import type { EdgeDefinition, EdgeReducer } from './edge-definition.ts'
import { checkEdge, edgeMembers } from './edge-members.ts'
import { isObject, read, strangers } from './members.ts'
import { type AnyReduction, declare, itself } from './message.ts'
import type { Voice } from './reductions/reduction.ts'
import { type EdgeWatched, watchedEveryMs } from './watched.ts'

export { everybody, nobody } from './audience-rules.ts'
export { DefinitionError } from './definition-error.ts'
export { guard } from './guard.ts'
export * from './reductions/library.ts'

const members: readonly PropertyKey[] = ['type', 'reducers', 'watched', ...edgeMembers]

/**
 * Checks what is left of a definition's literal, and freezes it.
 *
 * @throws DefinitionError `FANFOLD_DEFINITION_INVALID` with everything that is wrong
 */
export function defineDocument(spec: unknown): EdgeDefinition {
  if (!isObject(spec)) throw new DefinitionError('edge variant', ['it is an object literal'])
  const { edge, problems } = checkEdge(spec)
  const all = [
    ...strangers(spec, members, ''),
    ...typeProblems(spec),
    ...reducersProblems(spec),
    ...problems,
  ]
  if (all.length > 0) throw new DefinitionError(`edge variant of ${nameOf(spec)}`, all)
  const reducers = rulesOf(Reflect.get(spec, 'reducers') ?? {})
  const watching = rulesOf(Reflect.get(spec, 'watched') ?? {})
  const type = read(spec, 'type')
  // All has been checked, the rules name by name to be what `reducer` and `watched` return.
  return Object.freeze({ type, reducers, watched: watching, ...edge }) as EdgeDefinition
}

/** Declares a reducer; what its sum does is the authority's. */
export function reducer(rule: {
  readonly message: StandardSchemaV1
  readonly of?: ((value: unknown, voice: Voice) => unknown) | undefined
  readonly into: AnyReduction
}): () => EdgeReducer {
  const { message: schema, of = itself, into } = rule
  return declare(Object.freeze({ schema, of, into }))
}

/** Declares what an edge watches; what the sum does is the authority's. */
export function watched<ViewState>(rule: {
  readonly everyMs?: number | undefined
  readonly of: (viewState: ViewState | undefined) => unknown
  readonly into: AnyReduction
}): () => EdgeWatched<ViewState> {
  const { everyMs = watchedEveryMs.default, of, into } = rule
  return declare(Object.freeze({ everyMs, of, into }))
}
