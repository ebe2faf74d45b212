import t from 'tap'
import {
  decodeDefinition,
  definitionPart,
  definitionPartBytesMax,
  encodeDefinitionParts,
  isDefinitionInBounds,
  isSameDefinition,
  type LabelRule,
  type RecordedDefinition,
  recordedDefinition,
} from '../src/recorded-definition.ts'

const viewKey = 'ab'.repeat(16)
const hash = (digit: string): string => digit.repeat(64)
const definition = (
  variants: readonly [number, string | undefined][],
  labels: readonly LabelRule[] = [],
): RecordedDefinition =>
  recordedDefinition({
    variants: variants.map(([ceiling, hash]) => ({ ceiling, hash })),
    viewKey,
    labels,
  })
const odds: LabelRule = { pattern: '/odds', label: 1 }
const notes: LabelRule = { pattern: '/notes', label: 3 }

const partsOf = (of: RecordedDefinition, patches = new Map()): [number, unknown][] =>
  encodeDefinitionParts(of, patches).map(([tag, payload]) => [
    tag,
    JSON.parse(String(Buffer.from(payload))),
  ])

t.test('each part says the variant of links with its ceiling, and its own labels', async t => {
  const of = definition(
    [
      [0, hash('a')],
      [3, hash('c')],
    ],
    [notes, odds],
  )
  t.same(partsOf(of), [
    [0, { variant: hash('a'), viewKey }],
    [1, { variant: hash('a'), labels: ['/odds'] }],
    [3, { variant: hash('c'), labels: ['/notes'] }],
  ])
  t.same(decodeDefinition(partsOf(of)), of)
})

t.test('a part that has only a patch says which variant is in force there', async t => {
  const patches = new Map([
    [2, [{ op: 'remove', path: '/x' }]],
    [5, []],
  ])
  const parts = partsOf(definition([[0, hash('a')]]), patches)
  t.same(parts, [
    [0, { variant: hash('a'), viewKey }],
    [2, { variant: hash('a'), patch: [{ op: 'remove', path: '/x' }] }],
  ])
  t.same(decodeDefinition(parts), definition([[0, hash('a')]]))
})

t.test('a ceiling without a variant has none, whatever those below have', async t => {
  const of = definition(
    [
      [0, hash('a')],
      [1, undefined],
    ],
    [odds],
  )
  t.equal(of.variant, undefined)
  t.same(decodeDefinition(partsOf(of)), of)
  t.equal(decodeDefinition(partsOf(of).slice(0, 1))?.variant, hash('a'))
  t.equal(definition([]).variant, undefined)
})

t.test('definitions are the same whatever the order they were written in', async t => {
  const one = definition(
    [
      [1, hash('b')],
      [0, hash('a')],
    ],
    [notes, odds, odds],
  )
  const two = definition(
    [
      [0, hash('a')],
      [1, hash('b')],
      [3, hash('b')],
    ],
    [odds, notes],
  )
  t.ok(isSameDefinition(one, two))
  t.ok(isSameDefinition(one, { ...two, viewKey: 'cd'.repeat(16) }))
  t.notOk(isSameDefinition(one, definition([[0, hash('a')]], [odds, notes])))
  t.notOk(
    isSameDefinition(
      one,
      definition(
        [
          [0, hash('a')],
          [1, hash('b')],
        ],
        [odds],
      ),
    ),
  )
})

t.test('a part is in bounds at the limit, and not one byte past it', async t => {
  const rest =
    JSON.stringify(definitionPart(definition([], [odds]), 1)).length - odds.pattern.length
  // A comma after the label and one after the list are counted too.
  const sized = (bytes: number): RecordedDefinition =>
    definition([], [{ pattern: `/${'x'.repeat(bytes - rest - 3)}`, label: 1 }])
  t.ok(isDefinitionInBounds(sized(definitionPartBytesMax)))
  t.notOk(isDefinitionInBounds(sized(definitionPartBytesMax + 1)))
})
