import { numberedSeed } from '@fanfold/simulator'
import t from 'tap'
import { differenceOf, runOnce, runTask } from '../src/run-world.ts'
import type { NamedWorld } from '../src/world-kinds.ts'

const world: NamedWorld = {
  world: 'catch-up',
  seed: numberedSeed('catch-up', 0),
  nodes: undefined,
}

t.test('a world that is right has what happened in it, and no problems', async t => {
  const outcome = await runTask({ ...world, isTwice: true })
  t.same(outcome.problems, [])
  t.ok(outcome.events > 0 && outcome.virtualMs > 0)
  t.ok(outcome.happenings.some(([name]) => name === 'records'))
})

t.test('a run that is another one the second time is a difference', async t => {
  const result = await runOnce(world)
  t.equal(differenceOf(result, result), undefined)
  const other = { ...result, traceHash: 'ab', events: 7 }
  t.match(differenceOf(result, other), /another run of the same seed .*; then ab, 7 events$/)
})

t.test('a world with options of its own is not drawn', async t => {
  const options = { viewers: 0, writes: 0, edges: 1, proxies: 0 }
  const outcome = await runTask({ ...world, options, isTwice: false })
  t.same(outcome.problems, [])
  t.ok(outcome.events < (await runTask({ ...world, isTwice: false })).events)
  const { problems } = await runTask({ ...world, options: { moons: 1 }, isTwice: false })
  t.match(problems, [/^thrown: RangeError: no option is moons 1/])
})

t.test('what throws is a problem of its world', async t => {
  const { problems, events } = await runTask({ ...world, nodes: 1, isTwice: false })
  t.equal(problems.length, 1)
  t.match(problems[0], /^thrown: .*a tree has 2 nodes or more, got 1/)
  t.equal(events, 0)
})
