/*
 * An author's schema as data: the JSON Schema of the values that it takes. What JSON Schema cannot
 * say exactly is refused; a guard that lets through what the schema does not would be none.
 */
import type { JsonSchema } from '@fanfold/definition'
import { read } from './read.ts'
import { zodProblems } from './zod-problems.ts'

/** The JSON Schema of what a schema takes, or why it has none. */
export type GuardSchema =
  | { readonly ok: true; readonly schema: JsonSchema }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Asks a schema of any library that speaks Standard JSON Schema. */
export function guardSchema(schema: unknown): GuardSchema {
  const standard = read(schema, '~standard')
  if (standard === undefined) return refuse('not a schema: give one of a library, say zod')
  const vendor = String(read(standard, 'vendor'))
  const converter = read(standard, 'jsonSchema')
  const input = read(converter, 'input')
  const output = read(converter, 'output')
  if (typeof input !== 'function' || typeof output !== 'function') {
    return refuse(
      `the schema is of ${vendor}, which does not say it as JSON Schema: a library is needed that speaks Standard JSON Schema (zod from 4.2 on)`,
    )
  }
  const own = vendor === 'zod' ? zodProblems(schema) : []
  if (own.length > 0) return refuse(...own)
  try {
    const options = { target: 'draft-2020-12' }
    const said: unknown = Reflect.apply(input, converter, [options])
    // It throws where what comes out is no JSON, though what goes in may be.
    Reflect.apply(output, converter, [options])
    const { schema, problems } = copySchema(said, vendor === 'zod')
    return problems.length > 0 ? refuse(...problems) : { ok: true, schema }
  } catch (error) {
    return refuse(`as JSON Schema: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const refuse = (...problems: readonly string[]): GuardSchema => ({ ok: false, problems })

/** Keywords with a value that says all; those with a schema, with several, and with named ones. */
const plain = new Set([
  ...['type', 'const', 'enum', 'required', 'minItems', 'maxItems', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', '$ref'],
  ...['minProperties', 'maxProperties', 'minContains', 'maxContains', 'uniqueItems', 'pattern'],
  ...['dependentRequired'],
])
const oneSchema = new Set([
  ...['additionalProperties', 'propertyNames', 'items', 'contains', 'not', 'if', 'then', 'else'],
])
const manySchemas = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const namedSchemas = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas'])
/** They say nothing of what is accepted, and what they say is not for edges. */
const notes = new Set([
  ...['$schema', 'title', 'description', 'examples', 'default', '$comment', 'deprecated'],
  ...['readOnly', 'writeOnly'],
])

/** A copy with the keywords that decide, and everything in it that the guard does not know. */
function copySchema(
  said: unknown,
  isZod: boolean,
): { readonly schema: JsonSchema; readonly problems: readonly string[] } {
  const problems: string[] = []
  const patternProblem = (pattern: unknown): void => {
    try {
      new RegExp(String(pattern), 'u')
    } catch {
      problems.push(`the pattern ${pattern} is none with the flag u, which JSON Schema takes`)
    }
  }
  /** @param isPart whether others say of the same value what it may have besides */
  const copy = (schema: unknown, isPart = false): JsonSchema => {
    if (typeof schema === 'boolean') return schema
    if (!isRecord(schema)) {
      problems.push('as JSON Schema: a schema is an object or a boolean')
      return false
    }
    const made: Record<string, unknown> = {}
    for (const [keyword, value] of Object.entries(schema)) {
      if (notes.has(keyword)) continue
      if (keyword === 'format' && (isZod || 'pattern' in schema)) continue
      if (keyword === 'pattern') patternProblem(value)
      if (keyword === '$ref' && !String(value).startsWith('#')) problems.push(elsewhere)
      if (plain.has(keyword)) made[keyword] = value
      else if (oneSchema.has(keyword)) made[keyword] = copy(value)
      else if (manySchemas.has(keyword) && Array.isArray(value)) {
        const arePart = keyword === 'allOf' || (isPart && keyword !== 'prefixItems')
        made[keyword] = value.map(one => copy(one, arePart))
      } else if (namedSchemas.has(keyword) && isRecord(value)) {
        if (Object.hasOwn(value, '__proto__')) problems.push('no member is named __proto__')
        if (keyword === 'patternProperties') Object.keys(value).forEach(patternProblem)
        made[keyword] = Object.fromEntries(
          Object.entries(value).map(([name, one]) => [name, copy(one)]),
        )
      } else problems.push(`as JSON Schema it says ${keyword}, which an edge does not check`)
    }
    // A tuple of zod has no elements after those it names, which its JSON Schema does not say.
    if (isZod && 'prefixItems' in made && !('items' in made)) made['items'] = false
    // An object of zod leaves out what it does not name. An edge changes nothing, and what it took
    // over would be the viewer's word, unchecked and in as many forms as there are names.
    if (isZod && !isPart) {
      if ('allOf' in made) made['unevaluatedProperties'] = false
      else if ('properties' in made) made['additionalProperties'] ??= false
    }
    return made
  }
  return { schema: copy(said), problems }
}

const elsewhere = 'as JSON Schema it refers to another document'

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
