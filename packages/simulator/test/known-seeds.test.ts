import t from 'tap'
import { parseKnownSeeds } from '../src/known-seeds.ts'
import { knownSeeds } from './known-seeds.ts'

t.test('a line is a kind of world and a seed, and says after # what it found', async t => {
  const text = '# all\n\ncatch-up: catch-up 428   # credit\nrandom: any text: at all\n'
  t.same(parseKnownSeeds(text), [
    { world: 'catch-up', seed: 'catch-up 428', nodes: undefined },
    { world: 'random', seed: 'any text: at all', nodes: undefined },
  ])
})

t.test('a line that names no world is refused by its number', async t => {
  for (const line of ['moon: 1', 'catch-up', 'catch-up:']) {
    t.throws(() => parseKnownSeeds(`# one\n${line}`), {
      name: 'RangeError',
      message: `line 2 names a world of random, catch-up, faults, got '${line}'`,
    })
  }
})

t.test('the list of the package has the worlds that found a credit gone astray', async t => {
  const seeds = knownSeeds.map(({ seed }) => seed)
  t.ok(seeds.includes('catch-up 428'))
  t.ok(seeds.includes('catch-up 1057'))
})
