/*
 * Many small worlds in which nodes and viewers join late, come back, lag, and get damaged or lost what
 * they are sent. Each must be right, and together they must have gone every way there is.
 */
import { sha256 } from '@fanfold/conformance'
import t from 'tap'
import { Coverage, happeningsOf, sometimes } from '../src/coverage.ts'
import { drawWorld, numberedSeed } from '../src/drawn-world.ts'
import { type SimulationResult, simulate } from '../src/index.ts'

t.setTimeout(400_000)

const seeds = Array.from({ length: 60 }, (_, number) => numberedSeed('catch-up', number))

function run(seed: string): SimulationResult {
  const result = simulate({
    seed,
    sha256,
    ...drawWorld({ world: 'catch-up', seed, nodes: undefined }),
  })
  const command = `npm run simulate -- --seed '${seed}' --world catch-up`
  t.same(result.problems, [], `no problems: ${command}`)
  return result
}

t.test('whoever catches up, and whatever is in the way, ends where the log is', async t => {
  const coverage = new Coverage(sometimes['catch-up'], seeds.length)
  for (const seed of seeds) coverage.add(happeningsOf(run(seed)))
  t.same(coverage.missing(), [])
})
