import { type LogRecord, partTags } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { decodeChange } from '../src/change.ts'
import { documentLimits } from '../src/document-limits.ts'
import { encodeDefinitionParts, recordedDefinition } from '../src/recorded-definition.ts'
import { LogBuilder } from './log-builder.ts'

const json = JSON.stringify
const viewKey = 'ab'.repeat(16)

/** A record whose parts have these texts, by tag. */
const recordOf = (
  kind: 'create' | 'delta' | 'definition' | 'delete' | 'claim' | 'session',
  parts: { readonly [tag: number]: string } = {},
): LogRecord => {
  const log = new LogBuilder()
  const tagged = Object.entries(parts).map(([tag, text]) => log.part(Number(tag), text))
  return log.addParts(kind, tagged)
}

const add = (path: string, value: unknown) => ({ op: 'add', path, value })

t.test('a create is the bare state, and then what is labelled', async t => {
  const parts = { 0: '{"n":1}', 2: json([add('/odds', 2)]), 3: json([add('/s', 3)]), 255: 'ada' }
  t.same(decodeChange(recordOf('create', parts)), {
    kind: 'create',
    patch: [add('', { n: 1 }), add('/odds', 2), add('/s', 3)],
  })
})

t.test(
  'the parts of a delta follow each other in order of labels, each may be missing',
  async t => {
    const parts = { 0: json([add('/a', 1)]), 1: json([add('/b', 2)]), 240: 'crowd' }
    const patchOf = (record: LogRecord) => decodeChange(record)
    t.same(patchOf(recordOf('delta', parts)), {
      kind: 'delta',
      patch: [add('/a', 1), add('/b', 2)],
    })
    t.same(patchOf(recordOf('delta', { 1: json([add('/b', 2)]) })), {
      kind: 'delta',
      patch: [add('/b', 2)],
    })
    t.same(patchOf(recordOf('delta')), { kind: 'delta', patch: [] })
  },
)

t.test('a definition is that of the highest part there, with the labels of all', async t => {
  const definition = recordedDefinition({
    variants: [0, 1, 2].map(ceiling => ({ ceiling, hash: String(ceiling).repeat(64) })),
    viewKey,
    labels: [
      { pattern: '/s', label: 2 },
      { pattern: '/odds', label: 1 },
    ],
  })
  const patches = new Map([[1, [{ op: 'remove', path: '/x' } as const]]])
  const encoded = encodeDefinitionParts(definition, patches)
  const texts = Object.fromEntries(
    encoded.map(([tag, payload]) => [tag, String(Buffer.from(payload))]),
  )
  t.same(decodeChange(recordOf('definition', texts)), {
    kind: 'definition',
    definition,
    patch: [{ op: 'remove', path: '/x' }],
  })
  const { 0: open = '', 1: middle = '' } = texts
  const below = decodeChange(recordOf('definition', { 0: open, 1: middle }))
  t.match(below, {
    definition: { variant: '1'.repeat(64), viewKey, labels: [{ pattern: '/odds', label: 1 }] },
  })
  t.match(decodeChange(recordOf('definition', { 0: open })), { definition: { labels: [] } })
})

t.test('a delete says so, and other records change nothing', async t => {
  t.same(decodeChange(recordOf('delete', { 0: '' })), { kind: 'delete' })
  t.same(decodeChange(recordOf('claim', { 255: 'x' })), { kind: 'none' })
  t.same(decodeChange(recordOf('session')), { kind: 'none' })
})

/** Arrays in arrays, so many. */
const nested = (count: number): string => '['.repeat(count) + ']'.repeat(count)

t.test('what is as deep as a document may be is taken', async t => {
  const { value: depth } = documentLimits.depthMax
  const state = `{"a":${nested(depth)}}`
  t.match(decodeChange(recordOf('create', { 0: state })), { kind: 'create' })
  const add = `{"op":"add","path":"","value":${state}}`
  t.match(decodeChange(recordOf('delta', { 0: `[${add}]` })), { kind: 'delta' })
  const part = `{"viewKey":"${viewKey}","patch":[${add}]}`
  t.match(decodeChange(recordOf('definition', { 0: part })), { kind: 'definition' })
  const deepest = json([{ op: 'remove', path: '/a'.repeat(depth) }])
  t.match(decodeChange(recordOf('delta', { 0: deepest })), { kind: 'delta' })
  const texts = json([{ op: 'add', path: '/a', value: `\\"${nested(1_000)}` }])
  t.match(decodeChange(recordOf('delta', { 0: texts })), { kind: 'delta' }, 'brackets in a text')
})

const wrong: readonly (readonly ['create' | 'delta' | 'definition', { [tag: number]: string }])[] =
  [
    ['create', {}],
    ['create', { 1: '[]' }],
    ['create', { 0: '[]' }],
    ['create', { 0: 'null' }],
    ['create', { 0: '{' }],
    ['create', { 0: '{}', 1: '{}' }],
    ['delta', { 0: '{}' }],
    ['delta', { 0: '[1]' }],
    ['delta', { 0: '[]', 1: '[null]' }],
    ['delta', { 0: '[{"op":"add","path":"/a"}]' }],
    ['delta', { 0: '[{"op":"remove"}]' }],
    ['delta', { 0: '[{"op":"remove","path":7}]' }],
    ['delta', { 0: '[{"op":"move","path":"/a"}]' }],
    ['delta', { 0: '[{"op":"move","from":"/b","path":"/a"}]' }],
    ['delta', { 0: '[{"op":"copy","from":"","path":"/a"}]' }],
    ['delta', { 0: json([{ op: 'remove', path: '/a'.repeat(65) }]) }],
    ['delta', { 0: `[{"op":"add","path":"/a","value":${nested(100_000)}}]` }],
    ['create', { 0: `{"a":${nested(100_000)}}` }],
    ['definition', { 0: json({ viewKey }), 1: `{"labels":${nested(100_000)}}` }],
    ['delta', { 0: '[{"op":"merge","path":"/a"}]' }],
    ['definition', {}],
    ['definition', { 1: '{}' }],
    ['definition', { 0: '{}' }],
    ['definition', { 0: '[]' }],
    ['definition', { 0: json({ viewKey: 'AB'.repeat(16) }) }],
    ['definition', { 0: json({ viewKey: 'ab' }) }],
    ['definition', { 0: json({ viewKey, variant: 'ab' }) }],
    ['definition', { 0: json({ viewKey, variant: null }) }],
    ['definition', { 0: json({ viewKey, labels: ['/odds'] }) }],
    ['definition', { 0: json({ viewKey }), 1: '7' }],
    ['definition', { 0: json({ viewKey }), 1: json({ labels: '/odds' }) }],
    ['definition', { 0: json({ viewKey }), 1: json({ labels: ['odds'] }) }],
    ['definition', { 0: json({ viewKey }), 1: json({ labels: ['/__proto__'] }) }],
    ['definition', { 0: json({ viewKey }), 1: json({ labels: [7] }) }],
    ['definition', { 0: json({ viewKey }), 1: json({ patch: {} }) }],
    ['definition', { 0: json({ viewKey }), 1: json({ labels: [`/${'x'.repeat(50_000)}`] }) }],
  ]

t.test('parts that are not what they should be are refused', async t => {
  for (const [kind, parts] of wrong) {
    t.equal(decodeChange(recordOf(kind, parts)), undefined, `${kind} ${json(parts).slice(0, 80)}`)
  }
})

t.test('whatever a part holds, nothing is thrown', async t => {
  const kind = fc.constantFrom('create' as const, 'delta' as const, 'definition' as const)
  const text = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ viewKey: fc.constant(viewKey), labels: fc.jsonValue(), patch: fc.jsonValue() })
      .map(json),
    fc.array(fc.record({ op: fc.constantFrom('add', 'move'), path: fc.jsonValue() })).map(json),
  )
  const property = fc.property(kind, text, text, (kind, first, second) => {
    decodeChange(recordOf(kind, { [partTags.public]: first, 1: second }))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000 }))
})
