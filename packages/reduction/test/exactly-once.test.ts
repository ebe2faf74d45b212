import { Prng } from '@fanfold/kernel'
import t from 'tap'
import type { Bug, Faults, WorldOptions } from './crowd-world.ts'
import { explore, wander } from './exploring.ts'

const faults: Faults = {
  losses: 2,
  copies: 2,
  proxyCrashes: 1,
  edgeCrashes: 1,
  authorityChanges: 1,
  seals: 1,
}
const large: WorldOptions = { edges: 3, proxies: 2, windows: [3, 3, 2], sendsMax: 5, faults }

t.test(
  'whatever goes wrong, what an edge is told of its windows is so, and each counts once',
  async t => {
    for (let seed = 0; seed < 1_500; seed++) {
      const problem = wander(large, new Prng(`crowd ${seed}`), 60)
      if (problem !== undefined) t.fail(`crowd ${seed}: ${problem}`)
    }
    t.pass('1,500 ways')
  },
)

t.test('with few steps, all ways are gone', async t => {
  const small: WorldOptions = { edges: 2, proxies: 2, windows: [1, 1], sendsMax: 1, faults: {} }
  const found: Record<string, number> = {}
  for (const kind of ['none', ...Object.keys(faults)]) {
    const { states, ends, problem } = explore({ ...small, faults: { [kind]: 1 } }, 100_000)
    t.equal(problem, undefined, kind)
    t.ok(ends > 0)
    found[kind] = states
  }
  t.ok((found['none'] ?? 0) >= 100, JSON.stringify(found))
  t.ok((found['proxyCrashes'] ?? 0) > (found['none'] ?? 0))
})

const bugs: readonly Bug[] = [
  'partial-apply',
  'no-contiguity',
  'mutable-window',
  'ledger-not-durable',
  'zombie-resends',
  'acknowledged-by-proxy',
]

for (const bug of bugs) {
  t.test(`a mistake is found: ${bug}`, async t => {
    const found = Array.from({ length: 100 }, (_, seed) =>
      wander({ ...large, bug }, new Prng(`crowd ${seed}`), 60),
    )
    t.ok(found.some(problem => problem !== undefined))
  })
}
