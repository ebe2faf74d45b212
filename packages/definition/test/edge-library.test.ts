import t from 'tap'
import { z } from 'zod'
import * as edgeLibrary from '../src/edge-library.ts'
import * as library from '../src/index.ts'

const tally = library.count()

const forEdges = {
  type: 'game',
  observe: { allow: () => true },
  privacy: { '/odds': library.nobody },
  labels: { '/odds': 3 },
}

t.test('what is left of a literal means at an edge what it means in the definition', async t => {
  const variant = edgeLibrary.defineDocument({
    ...forEdges,
    reducers: { cheer: edgeLibrary.reducer({ message: z.string(), into: tally }) },
  })
  const whole = library.defineDocument({ ...forEdges, state: () => ({}), messages: {} })
  t.equal(variant.type, 'game')
  for (const name of ['rules', 'isOpen', 'labels', 'view', 'viewState'] as const) {
    t.same(variant[name], whole[name], name)
  }
  t.equal(variant.observe?.allow({ id: 'a', claims: {} }), true)
  t.equal(variant.reducers['cheer']?.into, tally)
  t.ok(Object.isFrozen(variant))
})

t.test('what is watched is watched at an edge by the same words', async t => {
  const of = (viewState: { page: number } | undefined): string => `page ${viewState?.page ?? 0}`
  const watching = { everyMs: 2_000, of, into: tally }
  const variant = edgeLibrary.defineDocument({
    ...forEdges,
    viewState: z.strictObject({ page: z.int() }),
    watched: {
      pages: edgeLibrary.watched(watching),
      always: edgeLibrary.watched({ ...watching, everyMs: undefined }),
    },
  })
  t.same(variant.watched, { pages: watching, always: { ...watching, everyMs: 1_000 } })
  t.same(library.watchedBy(variant, 'pages', { page: 3 }), {
    ok: true,
    operand: 'page 3',
  })
  t.throws(() => edgeLibrary.defineDocument({ ...forEdges, watched: { a: () => 1 } }), {
    message: /watched.a: made by watched.*; watched: .* there is no viewState/,
  })
})

t.test('a literal that has more than an edge knows is refused', async t => {
  const whole = { ...forEdges, state: () => ({}), messages: {}, crowd: {}, presence: () => ({}) }
  t.throws(() => edgeLibrary.defineDocument(whole), {
    code: 'FANFOLD_DEFINITION_INVALID',
    problems: ['state', 'messages', 'crowd', 'presence'].map(
      name => `${name}: this version knows no such member`,
    ),
  })
  t.throws(() => edgeLibrary.defineDocument({ ...forEdges, reducers: { cheer: () => 1 } }), {
    message: /reducers.cheer: made by reducer/,
  })
  t.throws(() => edgeLibrary.defineDocument(undefined), { code: 'FANFOLD_DEFINITION_INVALID' })
})

t.test('all that authors call is there, but what only an authority runs', async t => {
  const onlyThere = [
    'applySum',
    'covers',
    'definitionLimits',
    'heardBy',
    'initialState',
    'mergingOf',
    'message',
    'partBytesMax',
    'presence',
    'validateMessage',
    'watchedBy',
  ]
  const missing = Object.keys(library).filter(name => !(name in edgeLibrary))
  t.same(missing.toSorted(), onlyThere)
})
