/*
 * What zod leaves out of its JSON Schema in silence. Its schemas tell what they are made of under
 * `_zod.def`; kinds that are not known here are refused, so that a new one is not taken on trust.
 */
import { read } from './read.ts'

/** Kinds of which the JSON Schema says all. */
const exact = new Set([
  ...['string', 'number', 'int', 'boolean', 'null', 'any', 'unknown', 'never', 'literal', 'enum'],
  ...['array', 'tuple', 'object', 'record', 'union', 'optional', 'nullable', 'nonoptional'],
  ...['lazy', 'readonly', 'template_literal', 'intersection'],
])

/** Checks of which the JSON Schema says all; `string_format` for some formats. */
const exactChecks = new Set([
  ...['less_than', 'greater_than', 'multiple_of', 'number_format', 'min_length', 'max_length'],
  ...['length_equals', 'string_format'],
])
const exactFormats = new Set([
  ...['regex', 'email', 'uuid', 'guid', 'nanoid', 'cuid', 'cuid2', 'ulid', 'xid', 'ksuid'],
  ...['ipv4', 'cidrv4', 'e164', 'date', 'time', 'datetime', 'duration', 'emoji'],
  ...['lowercase', 'uppercase', 'starts_with', 'ends_with', 'includes', 'template_literal'],
])

const why: Readonly<Record<string, string>> = {
  transform: 'it makes another value of what it is given',
  pipe: 'it makes another value of what it is given',
  default: 'it puts in a value of its own; let the view do that',
  prefault: 'it puts in a value of its own; let the view do that',
  catch: 'it puts in a value of its own; let the view do that',
  overwrite: 'it makes another value of what it is given',
  custom: 'it is code',
  promise: 'it is asynchronous',
}

/** Everything in a schema of zod that its JSON Schema does not say, each with its place. */
export function zodProblems(schema: unknown): readonly string[] {
  const problems: string[] = []
  const seen = new Set<unknown>()
  const refuse = (place: string, kind: string): void => {
    const reason = why[kind]
    const end = reason === undefined ? '' : `: ${reason}`
    problems.push(`${place || 'the schema'} has ${kind}, which JSON Schema cannot say${end}`)
  }
  const visitCheck = (def: unknown, place: string): void => {
    const check = String(read(def, 'check'))
    if (!exactChecks.has(check)) {
      refuse(place, check)
      return
    }
    if (check !== 'string_format') return
    const format = String(read(def, 'format'))
    const pattern = read(def, 'pattern')
    const isExact = exactFormats.has(format) && pattern instanceof RegExp
    if (!isExact || read(def, 'position') !== undefined) refuse(place, `the format ${format}`)
    else if (pattern.flags !== '' && pattern.flags !== 'u') {
      refuse(place, `a pattern with the flags ${pattern.flags}`)
    }
  }
  const visit = (value: unknown, place: string): void => {
    const def = read(read(value, '_zod'), 'def')
    if (def === undefined || seen.has(value)) return
    seen.add(value)
    const type = String(read(def, 'type'))
    if (!exact.has(type)) refuse(place, type)
    if (read(def, 'coerce') === true) refuse(place, 'coerce')
    if (read(def, 'check') !== undefined) visitCheck(def, place)
    for (const check of listOf(read(def, 'checks'))) {
      visitCheck(read(read(check, '_zod'), 'def'), place)
    }
    if (type === 'record' && !isTextKind(read(def, 'keyType')))
      refuse(place, 'keys that are no text')
    if (type === 'intersection' && [read(def, 'left'), read(def, 'right')].some(isStrict)) {
      refuse(place, 'an intersection of strict objects')
    }
    for (const [name, child] of childrenOf(def))
      visit(child, name === '' ? place : join(place, name))
  }
  visit(schema, '')
  return problems
}

/** The schemas that a schema is made of, with the name of the member they are for, if it has one. */
function childrenOf(def: unknown): [string, unknown][] {
  const single = [
    'element',
    'innerType',
    'keyType',
    'valueType',
    'left',
    'right',
    'rest',
    'in',
    'out',
  ]
  const getter = read(def, 'getter')
  const shape = read(def, 'shape')
  return [
    ...single.map((name): [string, unknown] => ['', read(def, name)]),
    ['', typeof getter === 'function' ? getter() : undefined],
    ['', read(def, 'catchall')],
    ...['items', 'options', 'parts'].flatMap(name =>
      listOf(read(def, name)).map((one): [string, unknown] => ['', one]),
    ),
    ...(typeof shape === 'object' && shape !== null ? Object.entries(shape) : []),
  ]
}

const isTextKind = (schema: unknown): boolean => {
  const type = String(read(read(read(schema, '_zod'), 'def'), 'type'))
  return ['string', 'enum', 'template_literal'].includes(type)
}

/** True for an object that takes no members but those it names. */
const isStrict = (schema: unknown): boolean =>
  read(read(read(read(read(schema, '_zod'), 'def'), 'catchall'), '_zod'), 'def') !== undefined

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const join = (place: string, name: string): string => (place === '' ? name : `${place}.${name}`)
