import { availableParallelism } from 'node:os'
import t from 'tap'
import { runTasks } from '../src/campaign.ts'
import {
  formatRegression,
  parseRegression,
  type Regression,
  readRegressions,
  writeRegression,
} from '../src/regressions.ts'
import { repeatCommand } from '../src/repeat-command.ts'
import type { Task } from '../src/run-world.ts'
import { WorldProcess } from '../src/world-process.ts'

t.setTimeout(400_000)

const regression: Regression = {
  name: 'credit',
  world: 'catch-up',
  seed: 'catch-up 428',
  found: 'a parent got no credit',
  options: {
    edges: 2,
    writesKept: [3, 7],
    faults: [{ kind: 'crash', node: 'proxy-0', atMs: 4.5, forMs: 100 }],
  },
}

t.test('every world that once found something is right', async t => {
  const regressions = readRegressions()
  t.ok(regressions.length > 0)
  const runners = Array.from({ length: availableParallelism() }, () => new WorldProcess())
  t.teardown(() => {
    for (const runner of runners) runner.close()
  })
  const tasks = regressions.map(({ name, world, seed, options }): Task => {
    return { world, seed, nodes: undefined, options, regression: name, isTwice: false }
  })
  await runTasks(
    tasks.values(),
    runners,
    () => true,
    ({ task, problems }) => {
      t.same(problems, [], repeatCommand(task))
    },
  )
})

t.test('a world is kept in a file and read from it', async t => {
  const folder = t.testdir()
  writeRegression(regression, folder)
  writeRegression({ ...regression, name: 'another' }, folder)
  t.same(readRegressions(folder), [{ ...regression, name: 'another' }, regression])
})

t.test('in a file a fault is a line, and so are indexes', async t => {
  const lines = formatRegression(regression).split('\n')
  t.ok(lines.includes('      { "kind": "crash", "node": "proxy-0", "atMs": 4.5, "forMs": 100 }'))
  t.ok(lines.includes('    "writesKept": [3, 7],'))
})

t.test('what holds no world is refused', async t => {
  const text = (fields: object): string => JSON.stringify({ ...regression, ...fields })
  t.same(parseRegression('credit', text({})), regression)
  t.throws(() => parseRegression('x', 'moon'), SyntaxError)
  t.throws(() => parseRegression('x', '7'), /x holds no world/)
  t.throws(() => parseRegression('x', text({ world: 'moon' })), /a world is one of .*, got 'moon'/)
  t.throws(() => parseRegression('x', text({ found: '' })), /x says its found in words, got ""/)
  t.throws(() => parseRegression('x', text({ options: undefined })), /x has options/)
  t.throws(() => writeRegression({ ...regression, name: '../x' }, '/nowhere'), /got '..\/x'/)
})
