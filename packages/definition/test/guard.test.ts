import t from 'tap'
import { guard } from '../src/guard.ts'

const schema = {
  type: 'object',
  properties: { page: { type: 'integer', minimum: 0 }, sort: { enum: ['name', 'time'] } },
  required: ['page'],
  additionalProperties: false,
}

const ask = (value: unknown, by: Parameters<typeof guard>[0] = schema): unknown =>
  guard(by)['~standard'].validate(value)

t.test('a guard accepts what its JSON Schema accepts, as a copy', async t => {
  const value = { page: 3, sort: 'name' }
  t.same(ask(value), { value })
  t.same(ask([{}, 1], true), { value: [{}, 1] })
})

t.test('a refusal names the place in the schema, and nothing of the value', async t => {
  for (const [value, place] of [
    [{ page: 'secret' }, /#\/properties\/page\/type$/],
    [{ page: 1, sort: 'secret' }, /#\/properties\/sort\/enum$/],
    [{ page: 1, secret: 1 }, /#\/additionalProperties$/],
    [{}, /#\/required$/],
    ['secret', /#\/type$/],
    [{ page: 1n }, /no JSON/],
    [{ secret: undefined }, /no JSON/],
  ] as const) {
    const text = JSON.stringify(ask(value))
    t.match((ask(value) as { issues: { message: string }[] }).issues[0]?.message, place)
    t.notMatch(text, /secret/)
  }
  t.match(JSON.stringify(ask({ secret: 1 }, { additionalProperties: false })), /not match/)
})

t.test('a value that is too deep, and a schema without end, are refused', async t => {
  const list = { $ref: '#/$defs/list', $defs: { list: { items: { $ref: '#/$defs/list' } } } }
  const nest = (depth: number): unknown => {
    let value: unknown = []
    for (let level = 0; level < depth; level++) value = [value]
    return value
  }
  t.match(ask(nest(60), list), { value: [] })
  t.match(ask(nest(65), list), { issues: [{ message: /limits/ }] })
  t.match(ask(nest(100_000), list), { issues: [{ message: /limits/ }] })
  t.match(ask(1, { $ref: '#' }), { issues: [{ message: /cannot be checked/ }] })
})
