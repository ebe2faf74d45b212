import type { JsonObject, JsonValue } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { ViewAssembly } from '../src/view-assembly.ts'
import { encodedFrames, framesOf, openedFrames, type PiecesFrames } from './pieces.ts'

/** The view that the frames make beside `shown`; undefined when one does not fit. */
function assemble(frames: PiecesFrames, shown?: JsonValue): unknown {
  const assembly = new ViewAssembly(frames.begin)
  const fits = frames.pieces.every(piece =>
    assembly.take(piece, JSON.stringify(piece).length, shown),
  )
  return fits ? assembly.end(frames.end)?.view : undefined
}

/** Names that no member of a document has. */
const forbidden = /__proto__|constructor|prototype/g
/** JSON without what no document holds: such a member, or -0. */
const json = fc
  .jsonValue({ maxDepth: 4 })
  .map(value => JSON.stringify(value).replaceAll(forbidden, 'p'))
  .map(text => JSON.parse(text) as JsonValue)
const object = fc
  .dictionary(
    fc.string({ maxLength: 8 }).map(name => name.replaceAll(forbidden, 'p')),
    json,
  )
  .map(value => JSON.parse(JSON.stringify(value)) as JsonObject)

t.test('a view as an edge cuts it is made again', t => {
  const large = fc
    .tuple(fc.array(object, { minLength: 1, maxLength: 8 }), fc.nat({ max: 3_000 }))
    .map(
      ([parts, size]): JsonObject => ({
        parts,
        rows: Array.from({ length: size }, (_, id) => ({ id, text: 'x'.repeat(80) })),
      }),
    )
  const counts = new Set<boolean>()
  fc.assert(
    fc.property(large, view => {
      const frames = encodedFrames(view)
      counts.add(frames.pieces.length > 1)
      t.same(assemble(frames), view)
    }),
    { numRuns: 30 },
  )
  t.ok(counts.has(true), 'some came in several pieces')
  t.end()
})

t.test('any JSON is made again of any cuts, whatever is shown meanwhile', t => {
  fc.assert(
    fc.property(json, fc.option(json), fc.integer({ min: 1, max: 5 }), (view, shown, pairsMax) => {
      const text = JSON.stringify(shown)
      t.same(assemble(openedFrames(view, pairsMax), shown ?? undefined), view)
      t.equal(JSON.stringify(shown), text, 'what is shown stays as it is')
    }),
  )
  t.end()
})

t.test('what equals the part that is shown is that part', t => {
  const shown = { items: { a: { n: [1] }, b: { n: [2] } } }
  const frames = framesOf([
    [
      ['', {}],
      ['/items', {}],
    ],
    [['/items/a', { n: [1] }]],
    [['/items/b', { n: [3] }]],
  ])
  const view = assemble(frames, shown) as typeof shown
  t.same(view, { items: { a: { n: [1] }, b: { n: [3] } } })
  t.equal(view.items.a, shown.items.a)
  t.not(view.items.b, shown.items.b)
  t.end()
})

const root = ['', { list: [1], map: {} }] as const

t.test('pieces that are not what was announced do not fit', t => {
  const two = framesOf([[root], [['/list/1', 2]]])
  const [first, second] = two.pieces
  if (first === undefined || second === undefined) throw new Error('two pieces')
  const { begin } = two
  const wrong: { readonly [name: string]: Omit<PiecesFrames, 'all'> } = {
    'out of order': { ...two, pieces: [second, first] },
    'twice the same': { ...two, pieces: [first, first] },
    'too few': { ...two, pieces: [first] },
    'too many': { ...two, begin: { ...begin, pieces: 1 } },
    none: { ...two, begin: { ...begin, pieces: 0 }, pieces: [] },
    'more bytes': {
      ...two,
      begin: { ...begin, bytes: 100 },
      pieces: [first, { ...second, pairs: [['/list/1', 'x'.repeat(2_000)]] }],
    },
  }
  for (const [name, frames] of Object.entries(wrong)) {
    t.equal(assemble({ ...frames, all: [] }), undefined, name)
  }
  t.same(assemble(two), { list: [1, 2], map: {} })
  t.end()
})

t.test('a pair that does not fit is refused', t => {
  const pairs: unknown[] = [
    undefined,
    null,
    'pair',
    [],
    ['/map/a'],
    [7, 1],
    ['map', 1],
    ['/map/~2', 1],
    ['', {}],
    ['/none/a', 1],
    ['/list/0', 2],
    ['/list/2', 2],
    ['/list/x', 2],
    ['/list/length', 2],
    ['/map/__proto__', 1],
    ['/map/constructor/x', 1],
    ['/map/prototype', 1],
    ['/toString/x', 1],
  ]
  for (const pair of pairs) {
    const frames = framesOf([[root], [pair as readonly [string, unknown]]])
    t.equal(assemble(frames), undefined, JSON.stringify(pair))
  }
  t.equal(assemble(framesOf([[['/a', 1]]])), undefined, 'nothing is there before the root')
  t.end()
})

t.test('a view of very many pairs looks at no container again', t => {
  const many = Array.from({ length: 262_144 }, (_, n): [string, unknown] => [`/${n}`, n])
  const { begin, pieces } = framesOf([[['', {}]], many])
  const assembly = new ViewAssembly(begin)
  const opened = pieces.map(piece => assembly.take(piece, 0, {}) && assembly.opened.size)
  t.same(opened, [1, 0])
  t.end()
})
