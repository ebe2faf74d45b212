/*
 * What an author declares under `messages` and `reducers`.
 *
 * `message`, `reducer` and their like return functions that `defineDocument` calls, not the rules themselves:
 * TypeScript leaves a generic call that returns a function for last, when the type of the state is
 * known from the rest of the literal. That is what lets a handler be written without annotations.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Reduction, Voice } from './reductions/reduction.ts'

/** Who sent a message, and when. */
export type By = {
  /** The subject of the sender's token. */
  readonly subject: string
  /** The claims of the sender's token. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Commit time, in milliseconds since 1970; never goes back within a document. */
  readonly timeMs: number
}

/** When a sum, or the number of viewers, is applied. */
export type At = {
  /** Commit time, in milliseconds since 1970; never goes back within a document. */
  readonly timeMs: number
}

/** What a message does to the state: it changes it in place, or throws and changes nothing. */
export type Handler<State, Value> = (state: State, value: Value, by: By) => void

/** One message of a definition. */
export type MessageRule<State, Schema extends StandardSchemaV1> = {
  readonly schema: Schema
  // A method, so that rules of any state are rules of `unknown`.
  handler(state: State, value: StandardSchemaV1.InferOutput<Schema>, by: By): void
}

/** What `message` returns. */
export type MessageDeclaration<State, Schema extends StandardSchemaV1> = () => MessageRule<
  State,
  Schema
>

/** A reduction of whatever; its sums come from itself alone. */
export type AnyReduction = Reduction<never, unknown, unknown>

/** One reducer of a definition; what is summed up is between `of`, `into` and `apply`. */
export type ReducerRule<State, Schema extends StandardSchemaV1> = {
  readonly schema: Schema
  of(value: StandardSchemaV1.InferOutput<Schema>, voice: Voice): unknown
  readonly into: AnyReduction
  apply(state: State, result: unknown, at: At): void
}

/** What `reducer` returns. */
export type ReducerDeclaration<State, Schema extends StandardSchemaV1> = () => ReducerRule<
  State,
  Schema
>

const declarations = new WeakSet<object>()

/** True for what `message`, `reducer`, `watched` and `presence` return. */
export const isDeclaration = (value: unknown): value is () => unknown =>
  typeof value === 'function' && declarations.has(value)

/**
 * Declares a message of a document.
 *
 * @param schema what its value must be: a schema of any library that speaks Standard Schema (zod,
 *   valibot, ArkType …), synchronous
 * @param handler runs at the authority only, once for each message
 */
export function message<State, Schema extends StandardSchemaV1>(
  schema: Schema,
  handler: Handler<State, StandardSchemaV1.InferOutput<Schema>>,
): MessageDeclaration<State, Schema> {
  return declare(Object.freeze({ schema, handler }))
}

/**
 * Declares a reducer: what a crowd may say, how it is summed up, and what a sum does to the state.
 *
 * @param rule.message what one of the crowd may say, a schema as for `message`
 * @param rule.of what of it is summed up; the message itself when not said
 * @param rule.into how it is summed up, on every tier of the tree
 * @param rule.apply runs at the authority only, once for each sum that comes: it changes the state in place
 */
export function reducer<State, Schema extends StandardSchemaV1, Sum, Result>(rule: {
  readonly message: Schema
  readonly of?: undefined
  readonly into: Reduction<StandardSchemaV1.InferOutput<Schema>, Sum, Result>
  readonly apply: (state: State, result: Result, at: At) => void
}): ReducerDeclaration<State, Schema>
export function reducer<State, Schema extends StandardSchemaV1, Operand, Sum, Result>(rule: {
  readonly message: Schema
  readonly of: (value: StandardSchemaV1.InferOutput<Schema>, voice: Voice) => Operand
  readonly into: Reduction<NoInfer<Operand>, Sum, Result>
  readonly apply: (state: State, result: NoInfer<Result>, at: At) => void
}): ReducerDeclaration<State, Schema>
export function reducer(rule: {
  readonly message: StandardSchemaV1
  readonly of?: ((value: unknown, voice: Voice) => unknown) | undefined
  readonly into: AnyReduction
  readonly apply: (state: unknown, result: never, at: At) => void
}): ReducerDeclaration<unknown, StandardSchemaV1> {
  const { message: schema, of = itself, into, apply } = rule
  return declare(Object.freeze({ schema, of, into, apply }))
}

/** What of a message is summed up when nothing else is said. */
export const itself = (value: unknown): unknown => value

/** Makes `rule` what `message`, `reducer` and their like return. */
export function declare<Rule>(rule: Rule): () => Rule {
  const declaration = (): Rule => rule
  declarations.add(declaration)
  return declaration
}
