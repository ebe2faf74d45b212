/*
 * A document's contract in one object literal: its type, its first state, and what may happen to it.
 *
 * A member that this version does not know is refused, not ignored: a privacy rule that is written
 * down and not enforced would be a leak.
 */
import { forbiddenKeys } from '@fanfold/document'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { DefinitionError } from './definition-error.ts'
import {
  isDeclaration,
  type MessageDeclaration,
  type MessageRule,
  type ReducerDeclaration,
  type ReducerRule,
} from './message.ts'

/** Schemas by the name of the message or reducer whose values they describe. */
export type Schemas = { readonly [name: string]: StandardSchemaV1 }

/** What an author writes. */
export type DocumentSpec<State, Messages extends Schemas, Reducers extends Schemas> = {
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
}

/** A checked definition. Without arguments: of any document. */
export type DocumentDefinition<
  State = unknown,
  Messages extends Schemas = Schemas,
  Reducers extends Schemas = Schemas,
> = {
  readonly type: string
  state(): State
  readonly messages: { readonly [Name in keyof Messages]: MessageRule<State, Messages[Name]> }
  readonly reducers: { readonly [Name in keyof Reducers]: ReducerRule<State, Reducers[Name]> }
}

/** The state of a definition's documents. */
export type StateOf<Definition extends DocumentDefinition> = ReturnType<Definition['state']>

/** What a viewer of a definition's documents sees: today, the state. */
export type ViewOf<Definition extends DocumentDefinition> = StateOf<Definition>

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
>(spec: DocumentSpec<State, Messages, Reducers>): DocumentDefinition<State, Messages, Reducers> {
  const problems = problemsOf(spec)
  if (problems.length > 0) throw new DefinitionError(nameOf(spec), problems)
  const { type, state, messages, reducers } = spec
  // Each declaration has been checked, name by name, to be what `message` or `reducer` returns.
  return Object.freeze({
    type,
    state,
    messages: rulesOf(messages),
    reducers: rulesOf(reducers ?? {}),
  }) as DocumentDefinition<State, Messages, Reducers>
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/
const nameMeaning = '1 to 80 of A-Z a-z 0-9 _ . ~ -, the first a letter or digit'
const members: readonly PropertyKey[] = ['type', 'state', 'messages', 'reducers']

function problemsOf(spec: unknown): string[] {
  if (!isObject(spec)) return ['a definition is an object literal']
  const problems: string[] = []
  for (const member of Reflect.ownKeys(spec)) {
    if (!members.includes(member)) {
      problems.push(`${String(member)}: this version knows no such member`)
    }
  }
  const type = read(spec, 'type')
  if (typeof type !== 'string' || !namePattern.test(type)) problems.push(`type: ${nameMeaning}`)
  if (typeof read(spec, 'state') !== 'function') {
    problems.push('state: a function that returns the state a document begins with')
  }
  const messages = read(spec, 'messages')
  if (isObject(messages)) problems.push(...ruleProblems('messages', messages))
  else problems.push('messages: an object of message(schema, handler)')
  const reducers = read(spec, 'reducers')
  if (isObject(reducers)) problems.push(...ruleProblems('reducers', reducers))
  else if (reducers !== undefined) problems.push('reducers: an object of reducer({ … })')
  return problems
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
  return schemaProblem(rule)
}

function reducerProblem(rule: unknown): string | undefined {
  if (!isObject(rule) || !('into' in rule)) return 'made by reducer({ message, into, apply })'
  if (!isObject(rule.into)) return 'into is a reduction'
  return schemaProblem(rule)
}

function schemaProblem(rule: object): string | undefined {
  const standard = read(read(rule, 'schema'), '~standard')
  return typeof read(standard, 'validate') === 'function'
    ? undefined
    : 'the schema is one of a library that speaks Standard Schema'
}

function rulesOf(declarations: { readonly [name: string]: () => unknown }): object {
  // Without a prototype: a name that a writer made up finds nothing.
  const rules: { [name: string]: unknown } = Object.create(null)
  for (const [name, declaration] of Object.entries(declarations)) rules[name] = declaration()
  return Object.freeze(rules)
}

function nameOf(spec: unknown): string {
  const type = read(spec, 'type')
  return typeof type === 'string' && namePattern.test(type) ? `definition ${type}` : 'definition'
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** A member of what may be anything; schemas of some libraries are functions. */
const read = (holder: unknown, name: string): unknown =>
  isObject(holder) || typeof holder === 'function' ? Reflect.get(holder, name) : undefined
