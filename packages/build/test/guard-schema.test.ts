import { isDeepStrictEqual } from 'node:util'
import { guard } from '@fanfold/definition/edge-library'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { guardSchema } from '../src/guard-schema.ts'

const tree = z.object({
  name: z.string().max(3),
  get children() {
    return z.array(tree).max(2)
  },
})

const schemas = {
  text: z.string().min(1).max(3),
  number: z.number().gt(-2).lte(3),
  integer: z.int(),
  multiple: z.int().multipleOf(3),
  boolean: z.boolean(),
  nothing: z.null(),
  never: z.never(),
  unknown: z.unknown(),
  json: z.json(),
  literal: z.literal(['a', 1, null]),
  enumeration: z.enum(['a', 'b']),
  nullable: z.boolean().nullable(),
  object: z.object({ a: z.int(), b: z.string().optional() }),
  strict: z.strictObject({ a: z.int(), b: z.string().optional() }),
  loose: z.looseObject({ a: z.int() }),
  rest: z.object({ a: z.int() }).catchall(z.boolean()),
  partial: z.strictObject({ a: z.int() }).partial(),
  array: z.array(z.int()).min(1).max(2),
  tuple: z.tuple([z.int(), z.string()]),
  openTuple: z.tuple([z.int()], z.string()),
  optionalTuple: z.tuple([z.int(), z.string().optional()]),
  map: z.record(z.string().max(1), z.int()),
  mapOfSome: z.record(z.enum(['a', 'b']), z.int()),
  mapOfFew: z.partialRecord(z.enum(['a', 'b']), z.int()),
  union: z.union([z.int(), z.array(z.null())]),
  tagged: z.discriminatedUnion('a', [
    z.object({ a: z.literal(1), b: z.string() }),
    z.strictObject({ a: z.literal(2) }),
  ]),
  both: z.intersection(z.object({ a: z.int() }), z.object({ b: z.string() })),
  bothOrEither: z.intersection(
    z.object({ a: z.int().optional() }),
    z.union([z.object({ b: z.string() }), z.object({ c: z.int() })]),
  ),
  pattern: z.string().regex(/^[ab]+$/),
  texts: z.string().startsWith('a').endsWith('b').includes('ab'),
  lower: z.string().lowercase(),
  date: z.iso.date(),
  template: z.templateLiteral(['a', z.number()]),
  readonly: z.array(z.int()).readonly(),
  branded: z.int().brand('id'),
  recursive: tree,
  described: z.object({ a: z.int().describe('not for edges') }).meta({ title: 'nor this' }),
}

// Small, so that many are accepted; without what is counted otherwise (code points for code units).
const value = fc.letrec(tie => ({
  leaf: fc.oneof(
    fc.constantFrom<unknown>(null, true, false, 'a', 'b', 'ab', 'aab', 'a1', 'A', '', '2020-02-29'),
    fc.integer({ min: -4, max: 4 }),
    fc.constantFrom<unknown>(0.5, 1e300, -1e300, 2 ** 53, '2021-02-29', 'a-1.5', 'aaaa', 'a\n'),
  ),
  any: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'name', 'children'), tie('any'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).any

for (const [name, schema] of Object.entries(schemas)) {
  t.test(
    `a guard accepts what zod accepts and leaves as it is, and nothing else: ${name}`,
    async t => {
      const made = guardSchema(schema)
      t.ok(made.ok, made.ok ? '' : made.problems.join('; '))
      if (!made.ok) return
      const { validate } = guard(made.schema)['~standard']
      const property = fc.property(value, one => {
        const byGuard = validate(one)
        const isAccepted = !('then' in byGuard) && byGuard.issues === undefined
        const { success, data } = schema.safeParse(one)
        return isAccepted === (success && isDeepStrictEqual(data, one))
      })
      const result = fc.check(property, { numRuns: 1_000 })
      t.notOk(result.failed, fc.defaultReportMessage(result) ?? '')
      t.notMatch(JSON.stringify(made.schema), /not for edges|nor this|\$schema/)
    },
  )
}

const taken: { readonly [Name in keyof typeof schemas]?: unknown } = {
  text: 'ab',
  number: 2.5,
  multiple: 6,
  literal: null,
  enumeration: 'a',
  object: { a: 1, b: '' },
  strict: { a: 1, b: '' },
  loose: { a: 1, more: 1 },
  rest: { a: 1, more: true },
  partial: {},
  array: [1, 2],
  tuple: [1, ''],
  openTuple: [1, '', ''],
  optionalTuple: [1],
  map: { a: 1 },
  mapOfSome: { a: 1, b: 1 },
  mapOfFew: { a: 1 },
  tagged: { a: 1, b: '' },
  both: { a: 1, b: '' },
  texts: 'a ab b',
  date: '2020-02-29',
  template: 'a-1.5',
  recursive: { name: 'a', children: [{ name: 'b', children: [] }] },
  described: { a: 1 },
  json: { a: [{ b: null }] },
}

t.test('members that zod would leave out are refused', async t => {
  const one = z.object({ page: z.int() })
  const named = { page: 1, more: 1 }
  const shapes: readonly (readonly [z.ZodType, unknown])[] = [
    [one, named],
    [z.object({}), { more: 1 }],
    [z.object({ in: one }), { in: named }],
    [z.array(one), [named]],
    [z.union([z.int(), one]), named],
    [z.intersection(one, z.object({ a: z.int() })), { ...named, a: 1 }],
    [z.intersection(one, z.object({ a: one })), { page: 1, a: named }],
    [z.intersection(one, z.union([z.object({ a: z.int() }), z.object({})])), named],
    [tree, { name: 'a', children: [{ name: 'b', children: [], more: 1 }] }],
  ]
  for (const [schema, value] of shapes) {
    const made = guardSchema(schema)
    const result = made.ok ? guard(made.schema)['~standard'].validate(value) : undefined
    t.match(result, { issues: [{}] }, JSON.stringify(value))
    t.ok(schema.safeParse(value).success)
  }
})

t.test('values that chance may not hit are accepted', async t => {
  for (const [name, schema] of Object.entries(schemas)) {
    const one: unknown = Reflect.get(taken, name)
    if (one === undefined) continue
    const made = guardSchema(schema)
    const result = made.ok ? guard(made.schema)['~standard'].validate(one) : undefined
    t.same(result, { value: one }, name)
  }
})

t.test('what JSON Schema cannot say is refused, with its place', async t => {
  const cases: [schema: unknown, expected: RegExp][] = [
    [z.string().transform(Number), /has pipe, .*another value/],
    [z.string().refine(text => text > 'a'), /the schema has custom, .*code/],
    [z.object({ a: z.object({ b: z.int().refine(n => n > 1) }) }), /^a\.b has custom/],
    [z.array(z.object({ b: z.string().trim() })), /^b has overwrite/],
    [z.union([z.int(), z.string().toLowerCase()]), /has overwrite/],
    [z.record(z.string().trim(), z.int()), /has overwrite/],
    [z.tuple([z.int()], z.string().trim()), /has overwrite/],
    [z.lazy(() => z.string().trim()), /has overwrite/],
    [z.object({}).catchall(z.string().trim()), /has overwrite/],
    [z.object({ a: z.int() }).refine(() => true), /has custom/],
    [z.object({ a: z.int().default(1) }), /^a has default/],
    [z.int().prefault(1), /has prefault/],
    [z.int().catch(1), /has catch/],
    [z.coerce.number(), /has coerce/],
    [z.preprocess(one => one, z.int()), /has pipe|has transform/],
    [z.stringbool(), /has pipe|transform/],
    [z.promise(z.int()), /has promise/],
    [z.string().regex(/a/i), /flags i/],
    [z.url(), /the format url/],
    [z.string().includes('a', { position: 2 }), /the format includes/],
    [z.intersection(z.strictObject({}), z.object({})), /intersection of strict/],
    [z.record(z.number(), z.int()), /keys that are no text/],
    [z.date(), /has date/],
    [z.bigint(), /has bigint/],
    [z.undefined(), /has undefined/],
    [z.set(z.int()), /has set/],
    [z.custom(() => true), /has custom/],
    [z.string().regex(new RegExp(['a', '{'].join(''))), /with the flag u/],
  ]
  for (const [schema, expected] of cases) {
    const made = guardSchema(schema)
    t.match(made.ok ? '' : made.problems.join('; '), expected)
  }
})

const ofVendor = (input: unknown, output: () => unknown = () => ({})): unknown => ({
  '~standard': { version: 1, vendor: 'other', jsonSchema: { input: () => input, output } },
})

t.test('a library that does not say its schemas as JSON Schema is named', async t => {
  const silent = { '~standard': { version: 1, vendor: 'old', validate: () => ({ value: 1 }) } }
  t.match(guardSchema(silent), { ok: false, problems: [/is of old, which does not say/] })
  t.match(guardSchema(undefined), { ok: false, problems: [/^not a schema/] })
  const throwing = ofVendor({}, () => {
    throw new Error('a transform')
  })
  t.match(guardSchema(throwing), { ok: false, problems: ['as JSON Schema: a transform'] })
})

t.test('keywords that the guard does not check are refused', async t => {
  t.same(guardSchema(ofVendor({ type: 'string', title: 'x', properties: { title: true } })), {
    ok: true,
    schema: { type: 'string', properties: { title: true } },
  })
  const cases: [schema: unknown, expected: RegExp][] = [
    [{ format: 'email' }, /says format/],
    [{ items: [{}] }, /a schema is an object/],
    [{ $dynamicRef: '#a' }, /says \$dynamicRef/],
    [{ unevaluatedProperties: false }, /says unevaluatedProperties/],
    [{ $ref: 'https://example.com/schema' }, /another document/],
    [{ pattern: '(' }, /with the flag u/],
    [{ properties: JSON.parse('{"__proto__": {}}') }, /__proto__/],
  ]
  for (const [schema, expected] of cases) {
    const made = guardSchema(ofVendor(schema))
    t.match(made.ok ? '' : made.problems.join('; '), expected)
  }
})
