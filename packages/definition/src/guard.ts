/*
 * Schemas at an edge. The libraries that authors write schemas with are large, and hold code: an edge
 * variant has the JSON Schema of what they accept, which is data, and one validator serves them all.
 * It accepts or refuses, and changes nothing.
 */
import { type Schema, Validator } from '@cfworker/json-schema'
import { adoptJson, documentLimits } from '@fanfold/document'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>

/**
 * A schema that accepts the JSON values which a JSON Schema (draft 2020-12) accepts, within the
 * limits of documents. What it says of a refused value names places of the schema only.
 */
export function guard(schema: JsonSchema): StandardSchemaV1<unknown> {
  // The validator takes any object for a schema, and members that it does not know for notes.
  const validator = new Validator(schema as Schema | boolean, '2020-12', true)
  return {
    '~standard': { version: 1, vendor: 'fanfold', validate: value => validate(validator, value) },
  }
}

function validate(validator: Validator, value: unknown): StandardSchemaV1.Result<unknown> {
  // Within the limits a value is JSON and no deeper than recursion may go.
  const adopted = adoptJson(value, documentLimits)
  if (!adopted.ok) return refuse('the value is no JSON within the limits')
  try {
    const { valid, errors } = validator.validate(adopted.value)
    if (valid) return { value: adopted.value }
    // The innermost comes last; for the schema `false` the location is one in the value.
    const error = errors.findLast(({ keyword }) => keyword !== 'false')
    return refuse(`the value does not match ${placeOf(error?.keywordLocation)}`)
  } catch {
    return refuse('the value cannot be checked by the schema')
  }
}

const refuse = (message: string): StandardSchemaV1.FailureResult => ({ issues: [{ message }] })

const placeOf = (location: string | undefined): string =>
  location === undefined ? 'the schema' : `the schema at ${location.slice(0, 200)}`
