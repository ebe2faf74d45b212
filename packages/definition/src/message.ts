/*
 * What an author declares under `messages` and `reducers`.
 *
 * `message` and `reducer` return functions that `defineDocument` calls, not the rules themselves:
 * TypeScript leaves a generic call that returns a function for last, when the type of the state is
 * known from the rest of the literal. That is what lets a handler be written without annotations.
 */
import type { JsonValue } from '@fanfold/document'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Who sent a message, and when. */
export type By = {
  /** The subject of the sender's token. */
  readonly subject: string
  /** The claims of the sender's token. */
  readonly claims: Readonly<Record<string, unknown>>
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

/** How what a crowd says becomes one bounded value: a commutative monoid. */
export interface Reduction<Value, Sum> {
  /** The most bytes that an encoded sum has. */
  readonly bytesMax: number
  /** The sum of nothing. */
  empty(): Sum
  /** `sum` with one value more. */
  fold(sum: Sum, value: Value): Sum
  /** Both sums in one; the order does not matter. */
  merge(a: Sum, b: Sum): Sum
  /** A sum as it travels. */
  encode(sum: Sum): JsonValue
}

/** One reducer of a definition; what is summed up is between `into` and `apply`. */
export type ReducerRule<State, Schema extends StandardSchemaV1> = {
  readonly schema: Schema
  readonly into: Reduction<never, unknown>
  apply(state: State, sum: unknown): void
}

/** What `reducer` returns. */
export type ReducerDeclaration<State, Schema extends StandardSchemaV1> = () => ReducerRule<
  State,
  Schema
>

const declarations = new WeakSet<object>()

/** True for what `message` and `reducer` return. */
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

/** Declares a reducer: what a crowd may say, how it is summed up, and what the sum does. */
export function reducer<State, Schema extends StandardSchemaV1, Sum>(rule: {
  readonly message: Schema
  readonly into: Reduction<StandardSchemaV1.InferOutput<Schema>, Sum>
  readonly apply: (state: State, sum: Sum) => void
}): ReducerDeclaration<State, Schema> {
  const { message: schema, into, apply } = rule
  // The sum that reaches `apply` is always one that `into` made.
  return declare(Object.freeze({ schema, into, apply: (state, sum) => apply(state, sum as Sum) }))
}

/** Makes `rule` what `message` or `reducer` returns. */
export function declare<Rule>(rule: Rule): () => Rule {
  const declaration = (): Rule => rule
  declarations.add(declaration)
  return declaration
}
