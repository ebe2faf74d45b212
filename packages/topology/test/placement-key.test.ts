import { parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { placementKeyOf } from '../src/placement-key.ts'

const keyOf = (text: string): string => placementKeyOf(parseDocumentKey(text))

await t.test('documents of one group are placed together, whatever their types', async t => {
  t.equal(keyOf('acme/match/final~~a'), keyOf('acme/chat/final~~b'))
  t.equal(keyOf('acme/match/final~~'), keyOf('acme/match/final~~a~~b'))
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$/)
  fc.assert(
    fc.property(name, name, name, name, name, (tenant, type, group, one, other) => {
      const place = keyOf(`${tenant}/${type}/${group}~~${one}`)
      return (
        place === keyOf(`${tenant}/${other}/${group}~~${other}`) &&
        place !== keyOf(`${tenant}x/${type}/${group}~~${one}`) &&
        place !== keyOf(`${tenant}/${type}/${group}x~~${one}`) &&
        place !== keyOf(`${tenant}/${type}/${group}`)
      )
    }),
    { numRuns: 10_000 },
  )
})

await t.test('a key without a group is placed by itself', async t => {
  for (const key of ['acme/match/final', 'acme/match/final~a', 'acme~~a/match/b', 'acme/m~~a/b']) {
    t.equal(keyOf(key), key)
  }
})
