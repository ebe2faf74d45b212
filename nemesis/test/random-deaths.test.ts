import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { drawDeaths, type Mortal } from '../src/faults/random-deaths.ts'

const mortals: Mortal[] = ['authority', 'proxy', 'edge'].flatMap(role =>
  ['eu', 'us', 'eu', 'us'].map((region, index) => ({ name: `${role}-${index}`, role, region })),
)
const rounds = 1_000

/** All who are drawn, in many rounds in which these are away. */
function drawn(away: readonly string[]): readonly (readonly string[])[] {
  const prng = new Prng('deaths')
  return Array.from({ length: rounds }, () => drawDeaths(prng, mortals, new Set(away)))
}

t.test('one or two different nodes die, of each role as many', async t => {
  const found = drawn([])
  t.ok(found.every(names => names.length >= 1 && names.length <= 2))
  t.ok(found.every(names => new Set(names).size === names.length))
  t.ok(found.filter(names => names.length === 2).length > rounds / 3)
  for (const role of ['authority', 'proxy', 'edge']) {
    const share = found.flat().filter(name => name.startsWith(role)).length / found.flat().length
    t.ok(share > 0.28 && share < 0.38, `${role}: ${share}`)
  }
})

t.test('who is away cannot die, and the last of its kind is spared', async t => {
  const away = ['authority-0', 'authority-1', 'authority-2', 'edge-0', 'proxy-0']
  const names = new Set(drawn(away).flat())
  for (const name of away) t.notOk(names.has(name), name)
  t.notOk(names.has('authority-3'), 'the only authority')
  t.notOk(names.has('edge-2'), 'the only edge of eu')
  t.ok(names.has('proxy-2'), 'without a proxy a region goes on')
  t.ok(names.has('edge-1') && names.has('edge-3'), 'edges of us')
})

t.test('all of a kind may die at one instant', async t => {
  const pairs = drawn([]).map(names => names.toSorted().join())
  t.ok(pairs.includes('edge-0,edge-2'))
})
