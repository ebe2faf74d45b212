/*
 * Some worlds in which viewers say much while nodes die: each thing counts as often as it is to, and together they have
 * gone through what a crowd's way up is for.
 */
import { sha256 } from '@fanfold/conformance'
import t from 'tap'
import { Coverage, happeningsOf } from '../../src/coverage.ts'
import { drawWorld, numberedSeed } from '../../src/drawn-world.ts'
import { simulate } from '../../src/index.ts'

t.setTimeout(400_000)

const seeds = Array.from({ length: 12 }, (_, number) => numberedSeed('crowd', number))

t.test('what viewers say counts as often as they are told', async t => {
  const expected = ['saying counted', 'told counted', 'session sealed', 'presence told']
  const coverage = new Coverage(expected, seeds.length)
  for (const seed of seeds) {
    const result = simulate({
      seed,
      sha256,
      ...drawWorld({ world: 'crowd', seed, nodes: undefined }),
    })
    t.same(result.problems, [], `npm run simulate -- --seed '${seed}' --world crowd`)
    coverage.add(happeningsOf(result))
  }
  t.same(coverage.missing(), [])
})
