/*
 * A document's contract in one object literal: its type, its first state, what may happen to it, and
 * who sees what of it.
 *
 * A member that this version does not know is refused, not ignored: a privacy rule that is written
 * down and not enforced would be a leak.
 */
import { forbiddenKeys } from '@fanfold/document'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DeepPartial } from './deep.ts'
import { DefinitionError } from './definition-error.ts'
import type { EdgeDefinition } from './edge-definition.ts'
import { checkEdge, type EdgeSpec, edgeMembers } from './edge-members.ts'
import { isObject, read, schemaProblem, strangers } from './members.ts'
import {
  isDeclaration,
  type MessageDeclaration,
  type MessageRule,
  type ReducerDeclaration,
  type ReducerRule,
} from './message.ts'
import type { PatternText } from './privacy-rules.ts'
import { reductionProblem } from './reductions/reduction.ts'
import { mergingOf } from './reductions/shapes.ts'

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
  /** What a crowd may say; declared only, in this version nothing folds it. */
  readonly reducers?:
    | { readonly [Name in keyof Reducers]: ReducerDeclaration<State, Reducers[Name]> }
    | undefined
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
> = EdgeDefinition & {
  state(): State
  readonly messages: { readonly [Name in keyof Messages]: MessageRule<State, Messages[Name]> }
  readonly reducers: { readonly [Name in keyof Reducers]: ReducerRule<State, Reducers[Name]> }
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
  const { type, state, messages, reducers } = spec
  const rules = { messages: rulesOf(messages), reducers: rulesOf(reducers ?? {}) }
  // Each declaration has been checked, name by name, to be what `message` or `reducer` returns.
  return Object.freeze({ type, state, ...rules, ...edge }) as DocumentDefinition<
    State,
    Messages,
    Reducers,
    View,
    StandardSchemaV1.InferInput<ViewStateSchema>
  >
}

const notLiteral = 'a definition is an object literal'
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/
const nameMeaning = '1 to 80 of A-Z a-z 0-9 _ . ~ -, the first a letter or digit'
const members: readonly PropertyKey[] = ['type', 'state', 'messages', 'reducers', ...edgeMembers]

/** What is wrong with the members that only an authority has, and with those that nobody knows. */
function ownProblems(spec: object): string[] {
  const problems = [...strangers(spec, members, ''), ...typeProblems(spec)]
  if (typeof read(spec, 'state') !== 'function') {
    problems.push('state: a function that returns the state a document begins with')
  }
  const messages = read(spec, 'messages')
  if (isObject(messages)) problems.push(...ruleProblems('messages', messages))
  else problems.push('messages: an object of message(schema, handler)')
  problems.push(...reducersProblems(spec))
  return problems
}

/** What is wrong with the name of the type. */
export function typeProblems(spec: object): string[] {
  const type = read(spec, 'type')
  return typeof type === 'string' && namePattern.test(type) ? [] : [`type: ${nameMeaning}`]
}

/** What is wrong with `reducers`. */
export function reducersProblems(spec: object): string[] {
  const reducers = read(spec, 'reducers')
  if (isObject(reducers)) return ruleProblems('reducers', reducers)
  return reducers === undefined ? [] : ['reducers: an object of reducer({ … })']
}

function ruleProblems(place: 'messages' | 'reducers', declarations: object): string[] {
  const problems: string[] = []
  for (const name of Reflect.ownKeys(declarations)) {
    const at = `${place}.${String(name)}`
    if (typeof name !== 'string' || !namePattern.test(name) || forbiddenKeys.has(name)) {
      problems.push(`${at}: a name is ${nameMeaning}`)
      continue
    }
    const declaration = read(declarations, name)
    const rule = isDeclaration(declaration) ? declaration() : undefined
    const problem = place === 'messages' ? messageProblem(rule) : reducerProblem(rule)
    if (problem !== undefined) problems.push(`${at}: ${problem}`)
  }
  return problems
}

function messageProblem(rule: unknown): string | undefined {
  if (!isObject(rule) || !('handler' in rule)) return 'made by message(schema, handler)'
  if (typeof rule.handler !== 'function') return 'the handler is a function'
  return schemaProblem(read(rule, 'schema'))
}

function reducerProblem(rule: unknown): string | undefined {
  if (!isObject(rule) || !('into' in rule)) return 'made by reducer({ message, of, into, apply })'
  if (typeof read(rule, 'of') !== 'function') return 'of: a function of the message'
  const problem = reductionProblem(rule.into)
  if (problem !== undefined) return problem
  // By a shape of the library tiers would merge sums that are not the library's.
  const shape = String(read(rule.into, 'shape'))
  if (!shape.startsWith('own/') && mergingOf(shape) === undefined) {
    return `into: the shape of a reduction of one's own begins with own/, got ${shape}`
  }
  return schemaProblem(read(rule, 'schema'))
}

/** The declared rules, by name. */
export function rulesOf(declarations: { readonly [name: string]: () => unknown }): object {
  // Without a prototype: a name that a writer made up finds nothing.
  const rules: { [name: string]: unknown } = Object.create(null)
  for (const [name, declaration] of Object.entries(declarations)) rules[name] = declaration()
  return Object.freeze(rules)
}

/** What a definition is called in an error. */
export function nameOf(spec: object): string {
  return typeProblems(spec).length === 0 ? `definition ${read(spec, 'type')}` : 'definition'
}
