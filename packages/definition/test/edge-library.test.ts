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

t.test('a literal that has more than an edge knows is refused', async t => {
  t.throws(() => edgeLibrary.defineDocument({ ...forEdges, state: () => ({}), messages: {} }), {
    code: 'FANFOLD_DEFINITION_INVALID',
    problems: [
      'state: this version knows no such member',
      'messages: this version knows no such member',
    ],
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
    'initialState',
    'mergingOf',
    'message',
    'validateMessage',
  ]
  const missing = Object.keys(library).filter(name => !(name in edgeLibrary))
  t.same(missing.toSorted(), onlyThere)
})
