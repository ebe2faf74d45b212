/*
 * What a definition says, asked: is this a value of that message, what of it is summed up, what does a document begin
 * with.
 */
import {
  adoptJson,
  type DocumentLimits,
  documentLimits,
  isJsonObject,
  type JsonObject,
  type JsonProblem,
} from '@fanfold/document'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DocumentDefinition } from './document-definition.ts'
import type { EdgeDefinition, EdgeReducer } from './edge-definition.ts'
import type { Voice } from './reductions/reduction.ts'
import { unawaited } from './unawaited.ts'

/** A message's value as its schema returns it, or why it is none. */
export type ValidMessage =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly code: 'FANFOLD_NO_MESSAGE' | InvalidCode
      readonly message: string
    }

/** Asks the schema of message `name` about `value`. Runs authors' code, and throws nothing. */
export function validateMessage(
  definition: DocumentDefinition,
  name: string,
  value: unknown,
): ValidMessage {
  const rule = Object.hasOwn(definition.messages, name) ? definition.messages[name] : undefined
  if (rule === undefined) {
    const message = `${definition.type} has no message ${name.slice(0, 100)}`
    return { ok: false, code: 'FANFOLD_NO_MESSAGE', message }
  }
  return ask(rule.schema, `${definition.type}.${name}`, value)
}

/** What one of the crowd says: who sums it up, and what of it; or why nobody does. */
export type Heard =
  | { readonly ok: true; readonly reducer: EdgeReducer; readonly operand: unknown }
  | {
      readonly ok: false
      readonly code: 'FANFOLD_NO_REDUCER' | InvalidCode
      readonly message: string
    }

/** Asks reducer `name` of an edge about `value`, said by `voice`. Runs authors' code, and throws nothing. */
export function heardBy(
  { type, reducers }: Pick<EdgeDefinition, 'type' | 'reducers'>,
  name: string,
  value: unknown,
  voice: Voice,
): Heard {
  const reducer = Object.hasOwn(reducers, name) ? reducers[name] : undefined
  if (reducer === undefined) {
    const message = `${type} has no reducer ${name.slice(0, 100)}`
    return { ok: false, code: 'FANFOLD_NO_REDUCER', message }
  }
  const at = `${type}.${name}`
  const valid = ask(reducer.schema, at, value)
  if (!valid.ok) return valid
  try {
    return { ok: true, reducer, operand: unawaited(reducer.of(valid.value, voice)) }
  } catch (error) {
    const message = `${at}: its of threw: ${describeThrown(error)}`
    return { ok: false, code: 'FANFOLD_INVALID_VALUE', message }
  }
}

type InvalidCode = 'FANFOLD_INVALID_VALUE' | 'FANFOLD_ASYNC_SCHEMA'

/** A value as its schema returns it, or why it is none. */
type Asked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: InvalidCode; readonly message: string }

/** Asks the schema of what is `at` in a definition. */
function ask(schema: StandardSchemaV1, at: string, value: unknown): Asked {
  try {
    const result = schema['~standard'].validate(value)
    if (isThenable(result)) {
      // Nobody waits for it; what it rejects with is not news.
      result.then(ignore, ignore)
      return { ok: false, code: 'FANFOLD_ASYNC_SCHEMA', message: `${at}: its schema is async` }
    }
    if (result.issues === undefined) return { ok: true, value: result.value }
    const message = `${at}: ${describeIssues(result.issues)}`
    return { ok: false, code: 'FANFOLD_INVALID_VALUE', message }
  } catch (error) {
    const message = `${at}: its schema threw: ${describeThrown(error)}`
    return { ok: false, code: 'FANFOLD_INVALID_VALUE', message }
  }
}

/** The state a document begins with, or why it has none. */
export type InitialState =
  | { readonly ok: true; readonly state: JsonObject; readonly bytes: number }
  | {
      readonly ok: false
      readonly code: JsonProblem['code'] | 'FANFOLD_HANDLER_FAILED'
      readonly message: string
    }

/** Makes a fresh state by the definition. Runs authors' code, and throws nothing. */
export function initialState(
  definition: DocumentDefinition,
  limits: DocumentLimits = documentLimits,
): InitialState {
  let made: unknown
  try {
    made = unawaited(definition.state())
  } catch (error) {
    const message = `the state of ${definition.type}: ${describeThrown(error)}`
    return { ok: false, code: 'FANFOLD_HANDLER_FAILED', message }
  }
  const adopted = adoptJson(made, limits)
  if (!adopted.ok) {
    const { code, message } = adopted.problem
    return { ok: false, code, message: `the state of ${definition.type}: ${message}` }
  }
  if (!isJsonObject(adopted.value)) {
    const message = `the state of ${definition.type}: the root is an object`
    return { ok: false, code: 'FANFOLD_NOT_JSON', message }
  }
  const bytesMax = limits.patchBytesMax.value
  if (adopted.bytes > bytesMax) {
    const message = `the state of ${definition.type}: at most ${bytesMax} bytes, got ${adopted.bytes}`
    return { ok: false, code: 'FANFOLD_TOO_LARGE', message }
  }
  return { ok: true, state: adopted.value, bytes: adopted.bytes }
}

const issuesMax = 5

function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const named = issues.slice(0, issuesMax).map(issue => {
    const path = (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part))
    const text = issue.message.slice(0, 200)
    return path.length === 0 ? text : `${path.join('.').slice(0, 100)}: ${text}`
  })
  const rest = issues.length - named.length
  return rest > 0 ? `${named.join('; ')}; and ${rest} more` : named.join('; ')
}

/** What was thrown, as a text of at most 500 characters. */
export const describeThrown = (error: unknown): string =>
  (error instanceof Error ? String(error.message) : `threw a ${typeof error}`).slice(0, 500)

const isThenable = (value: object): value is PromiseLike<unknown> =>
  'then' in value && typeof value.then === 'function'

const ignore = (): void => undefined
