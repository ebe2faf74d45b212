import t from 'tap'
import { Coverage, happeningsOf, sometimes, sometimesSeedsMin } from '../src/coverage.ts'
import { worldNames } from '../src/drawn-world.ts'
import type { SimulationCounts } from '../src/simulate.ts'

t.test('a row says in how many worlds something happened, and how often', async t => {
  const coverage = new Coverage(sometimes['catch-up'])
  coverage.add([
    ['caught-up tail', 3],
    ['moon', 1],
  ])
  coverage.add([['caught-up tail', 2]])
  const rows = coverage.rows()
  const row = (name: string) => rows.find(one => one.name === name)
  t.equal(coverage.seeds, 2)
  t.same(row('caught-up tail'), { name: 'caught-up tail', seeds: 2, count: 5, isExpected: true })
  t.same(row('moon'), { name: 'moon', seeds: 1, count: 1, isExpected: false })
  t.same(row('proxy ended'), { name: 'proxy ended', seeds: 0, count: 0, isExpected: true })
  const names = rows.map(({ name }) => name)
  t.same(names, names.toSorted())
})

t.test('what must happen is missed from so many worlds on, and not before', async t => {
  for (const world of worldNames) {
    const [first = '', ...others] = sometimes[world]
    const coverage = new Coverage(sometimes[world])
    for (let seed = 1; seed < sometimesSeedsMin; seed++) coverage.add(others.map(name => [name, 1]))
    t.same(coverage.missing(), [], 'too few to say so')
    coverage.add([])
    t.same(coverage.missing(), [first])
    coverage.add([[first, 1]])
    t.same(coverage.missing(), [])
  }
})

t.test('what others have counted is added up', async t => {
  const [one, other] = [new Coverage(['rain']), new Coverage(['rain'], 3)]
  one.add([
    ['rain', 2],
    ['snow', 1],
  ])
  other.add([['snow', 4]])
  other.add([])
  other.merge(one.seeds, one.rows())
  t.equal(other.seeds, 3)
  t.same(other.rows(), [
    { name: 'rain', seeds: 1, count: 2, isExpected: true },
    { name: 'snow', seeds: 2, count: 5, isExpected: false },
  ])
  t.same(other.missing(), [])
})

t.test('what happened is the tally and the counts, without what did not', async t => {
  const none: SimulationCounts = {
    records: 0,
    takeovers: 0,
    answers: 0,
    linkFrames: 0,
    linkSnapshots: 0,
    congestions: 0,
    resyncs: 0,
    viewerSnapshots: 0,
    viewerDeltas: 0,
    viewerRepeats: 0,
    lags: 0,
    refusals: 0,
    variants: 0,
    failures: 0,
    viewsInPieces: 0,
    replayed: 0,
    damaged: 0,
    lost: 0,
  }
  const result = {
    seed: 'any',
    options: {},
    tally: [['resync', 2]] as const,
    counts: { ...none, lost: 4, damaged: 1 },
  }
  t.same(happeningsOf(result), [
    ['frames damaged', 1],
    ['pieces lost', 4],
    ['resync', 2],
  ])
})
