import t from 'tap'
import type { Runner } from '../src/campaign.ts'
import { shrinkWorld } from '../src/shrink-world.ts'
import { WorldProcess } from '../src/world-process.ts'
import { buildOutcome } from './build-outcome.ts'
import { plantUrl } from './command.ts'

/** Runs no world: one fails when a rule says so. */
const runner = (problemOf: (options: { edges?: number }) => string): Runner => ({
  run: async task => buildOutcome({ task, problems: [problemOf(task.options ?? {})] }),
})

const world = { world: 'random', seed: 'random 1', nodes: undefined }

t.test('a world is made smaller while it fails in the same way', async t => {
  const problemOf = ({ edges = 0 }: { edges?: number }): string =>
    edges > 2 ? `at ${edges} µs: lost in acme/board/0: ${edges}` : 'at 7 µs: something else'
  const { isLeast, ...shrunk } = await shrinkWorld({
    world,
    options: { writes: 50, edges: 8 },
    problems: ['at 50 µs: lost in acme/board/0: 50'],
    runners: [runner(problemOf), runner(problemOf), runner(problemOf)],
    mayGoOn: () => true,
    tell: () => undefined,
  })
  t.ok(isLeast)
  t.match(shrunk.world, { seed: 'random 1', options: { writes: 0, edges: 3, proxies: 0 } })
  t.same(shrunk.problems, ['at 3 µs: lost in acme/board/0: 3'])
})

t.test('when the time is over it is as small as it came to be', async t => {
  const told: number[] = []
  const { runs, isLeast } = await shrinkWorld({
    world,
    options: { writes: 50 },
    problems: ['wrong'],
    runners: [runner(() => 'wrong')],
    mayGoOn: runs => runs < 5,
    tell: runs => told.push(runs),
  })
  t.notOk(isLeast)
  t.equal(runs, 5)
  t.same(told, [1, 2, 3, 4, 5])
})

t.test('a fault planted in edges takes few viewers and messages', { timeout: 400_000 }, async t => {
  const runners = [1, 2].map(
    () => new WorldProcess({ execArgv: ['--import', plantUrl('lose-a-frame')] }),
  )
  t.teardown(() => {
    for (const runner of runners) runner.close()
  })
  const options = {
    proxies: 1,
    edges: 2,
    viewers: 8,
    documents: 1,
    documentsPerViewer: 1,
    writes: 30,
    busyMs: 1_000,
    convergeMaxMs: 2_000,
  }
  const [outcome] = await Promise.all(
    runners.slice(1).map(runner => runner.run({ ...world, options, isTwice: false })),
  )
  t.ok(outcome?.options, 'it fails')
  const shrunk = await shrinkWorld({
    world,
    options: outcome?.options,
    problems: outcome?.problems ?? [],
    runners,
    mayGoOn: runs => runs < 150,
    tell: () => undefined,
  })
  const {
    viewers = 0,
    viewersKept = Array.from({ length: viewers }),
    writes = 0,
  } = shrunk.world.options as { viewers?: number; viewersKept?: number[]; writes?: number }
  t.ok(viewersKept.length <= 2, `${viewersKept.length} viewers`)
  t.ok(writes < 30, `${writes} writes`)
  t.match(shrunk.problems[0], /viewer-/)
})
