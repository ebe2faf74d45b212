/*
 * A document's contract in one object literal: its type, its first state, what may happen to it, and
 * who sees what of it.
 *
 * A member that this version does not know is refused, not ignored: a privacy rule that is written
 * down and not enforced would be a leak.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type CrowdBudget, crowdBudgetOf, crowdProblems, sumsProblems } from './crowd-budget.ts'
import {
  isRuleName,
  messagesProblems,
  nameMeaning,
  reducersProblems,
  rulesOf,
} from './declared-rules.ts'
import type { DeepPartial, DeepReadonly } from './deep.ts'
import { DefinitionError } from './definition-error.ts'
import type { EdgeDefinition } from './edge-definition.ts'
import { checkEdge, type EdgeSpec, edgeMembers } from './edge-members.ts'
import { isObject, read, strangers } from './members.ts'
import type { MessageDeclaration, MessageRule, ReducerDeclaration, ReducerRule } from './message.ts'
import { type PresenceDeclaration, type PresenceRule, presenceProblems } from './presence.ts'
import type { PatternText } from './privacy-rules.ts'
import type { WatchedDeclaration, WatchedRule } from './watched.ts'

/** Schemas by the name of the message or reducer whose values they describe. */
export type Schemas = { readonly [name: string]: StandardSchemaV1 }

/** The schema of a definition whose viewers have no view state. */
export type NoViewState = StandardSchemaV1<undefined>

/** What a rule does not hide: all when there are no rules, otherwise any part of it. */
export type VisibleOf<State, Hidden extends PatternText> = [Hidden] extends [never]
  ? State
  : DeepPartial<State>

/** What an author writes. */
export type DocumentSpec<
  State,
  Messages extends Schemas,
  Reducers extends Schemas = Record<never, never>,
  Audience = Record<never, never>,
  Patterns extends PatternText = never,
  Labelled extends PatternText = never,
  ViewStateSchema extends StandardSchemaV1 = NoViewState,
  View = VisibleOf<State, Patterns | Labelled>,
> = {
  /** The document's type: the middle of its key `<tenant>/<type>/<id>`. */
  readonly type: string
  /** The state a document begins with: JSON, its root an object. */
  readonly state: () => State
  /** What writers may send; handled at the authority, one after the other. */
  readonly messages: {
    readonly [Name in keyof Messages]: MessageDeclaration<State, Messages[Name]>
  }
  /** What a crowd may say. */
  readonly reducers?:
    | { readonly [Name in keyof Reducers]: ReducerDeclaration<State, Reducers[Name]> }
    | undefined
  /** Where a crowd looks, by what its view states say. */
  readonly watched?:
    | {
        readonly [name: string]: WatchedDeclaration<
          State,
          DeepReadonly<StandardSchemaV1.InferInput<ViewStateSchema>>
        >
      }
    | undefined
  /** What the number of viewers does to the state. */
  readonly presence?: PresenceDeclaration<State> | undefined
  /** How much of what the crowd says reaches the authority. */
  readonly crowd?: Partial<CrowdBudget> | undefined
} & EdgeSpec<
  Audience,
  Patterns,
  Labelled,
  ViewStateSchema,
  VisibleOf<State, Patterns | Labelled>,
  View
>

/** A checked definition. Without arguments: of any document. */
export type DocumentDefinition<
  State = unknown,
  Messages extends Schemas = Schemas,
  Reducers extends Schemas = Schemas,
  View = State,
  ViewState = unknown,
> = Omit<EdgeDefinition, 'reducers' | 'watched'> & {
  state(): State
  readonly messages: { readonly [Name in keyof Messages]: MessageRule<State, Messages[Name]> }
  readonly reducers: { readonly [Name in keyof Reducers]: ReducerRule<State, Reducers[Name]> }
  readonly watched: { readonly [name: string]: WatchedRule<State> }
  /** Undefined: nobody counts viewers for the document. */
  readonly presence: PresenceRule<State> | undefined
  readonly crowd: CrowdBudget
  /** For the compiler only; there is no such value. */
  readonly types?: { readonly view: View; readonly viewState: ViewState } | undefined
}

/** The state of a definition's documents. */
export type StateOf<Definition extends DocumentDefinition> = ReturnType<Definition['state']>

/**
 * What a viewer of a definition's documents sees: what `view` returns; without one the state, of
 * which any part may be missing when there are rules or labels.
 */
export type ViewOf<Definition extends DocumentDefinition> = NonNullable<Definition['types']>['view']

/** What a viewer may say of what it looks at; `undefined` where there is no view state. */
export type ViewStateOf<Definition extends DocumentDefinition> = NonNullable<
  Definition['types']
>['viewState']

/** The names of a definition's messages. */
export type MessageName<Definition extends DocumentDefinition> = keyof Definition['messages'] &
  string

/** What a sender gives as the value of a message. */
export type MessageValue<
  Definition extends DocumentDefinition,
  Name extends MessageName<Definition>,
> = StandardSchemaV1.InferInput<Definition['messages'][Name]['schema']>

/** The names of a definition's reducers. */
export type ReducerName<Definition extends DocumentDefinition> = keyof Definition['reducers'] &
  string

/** What one of the crowd gives as the value of a reducer. */
export type ReducerValue<
  Definition extends DocumentDefinition,
  Name extends ReducerName<Definition>,
> = StandardSchemaV1.InferInput<Definition['reducers'][Name]['schema']>

/**
 * Checks a definition and freezes it.
 *
 * @throws DefinitionError `FANFOLD_DEFINITION_INVALID` with everything that is wrong
 */
export function defineDocument<
  State extends object,
  const Messages extends Schemas,
  const Reducers extends Schemas = Record<never, never>,
  Audience = Record<never, never>,
  Patterns extends PatternText = never,
  Labelled extends PatternText = never,
  ViewStateSchema extends StandardSchemaV1 = NoViewState,
  View extends object = VisibleOf<State, Patterns | Labelled>,
>(
  spec: DocumentSpec<
    State,
    Messages,
    Reducers,
    Audience,
    Patterns,
    Labelled,
    ViewStateSchema,
    View
  >,
): DocumentDefinition<
  State,
  Messages,
  Reducers,
  View,
  StandardSchemaV1.InferInput<ViewStateSchema>
> {
  if (!isObject(spec)) throw new DefinitionError('definition', [notLiteral])
  const { edge, problems } = checkEdge(spec)
  const all = [...ownProblems(spec), ...problems]
  if (all.length > 0) throw new DefinitionError(nameOf(spec), all)
  const { type, state } = spec
  const crowd = crowdBudgetOf(spec.crowd)
  const rules = {
    messages: rulesOf(spec.messages),
    reducers: rulesOf(spec.reducers ?? {}),
    watched: rulesOf(spec.watched ?? {}),
    presence: spec.presence?.(),
  }
  const tooLarge = sumsProblems({ ...rules.reducers, ...rules.watched }, crowd)
  if (tooLarge.length > 0) throw new DefinitionError(nameOf(spec), tooLarge)
  // Each declaration has been checked, name by name, to be what `message` and its like return.
  return Object.freeze({ type, state, crowd, ...rules, ...edge }) as DocumentDefinition<
    State,
    Messages,
    Reducers,
    View,
    StandardSchemaV1.InferInput<ViewStateSchema>
  >
}

const notLiteral = 'a definition is an object literal'
const members: readonly PropertyKey[] = [
  ...['type', 'state', 'messages', 'reducers', 'watched', 'presence', 'crowd'],
  ...edgeMembers,
]

/** What is wrong with the members that only an authority has, and with those that nobody knows. */
function ownProblems(spec: object): string[] {
  const problems = [...strangers(spec, members, ''), ...typeProblems(spec)]
  if (typeof read(spec, 'state') !== 'function') {
    problems.push('state: a function that returns the state a document begins with')
  }
  problems.push(
    ...messagesProblems(read(spec, 'messages')),
    ...reducersProblems(spec),
    ...presenceProblems(read(spec, 'presence')),
    ...crowdProblems(read(spec, 'crowd')),
  )
  return problems
}

/** What is wrong with the name of the type. */
export function typeProblems(spec: object): string[] {
  const type = read(spec, 'type')
  return isRuleName(type) ? [] : [`type: ${nameMeaning}`]
}

/** What a definition is called in an error. */
export function nameOf(spec: object): string {
  return typeProblems(spec).length === 0 ? `definition ${read(spec, 'type')}` : 'definition'
}
