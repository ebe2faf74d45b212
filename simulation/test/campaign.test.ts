import t from 'tap'
import { runTasks, tasksOf } from '../src/campaign.ts'
import type { Regression } from '../src/regressions.ts'
import type { Outcome, Task } from '../src/run-world.ts'
import type { CampaignSettings } from '../src/settings.ts'

const settings = (overrides: Partial<CampaignSettings> = {}): CampaignSettings => ({
  worlds: ['random', 'catch-up'],
  seeds: 3,
  from: 0,
  minutes: undefined,
  nodes: undefined,
  jobs: 1,
  result: undefined,
  isShrinking: true,
  ...overrides,
})

const known: readonly Regression[] = [
  {
    name: 'credit',
    world: 'catch-up',
    seed: 'catch-up 428',
    found: 'no credit',
    options: { edges: 1 },
  },
]

const seedsOf = (overrides: Partial<CampaignSettings>): string[] =>
  [...tasksOf(settings(overrides), known)].map(({ seed }) => seed)

const outcome = (task: Task): Outcome => ({
  task,
  events: 10,
  virtualMs: 1_000,
  problems: [],
  happenings: [],
  crossings: [],
})

t.test('a campaign runs what once found something, then each kind in turn', async t => {
  t.same(seedsOf({}), ['catch-up 428', 'random 0', 'catch-up 0', 'random 1'])
  t.same(seedsOf({ from: 7, worlds: ['random'] }), ['random 7', 'random 8', 'random 9'])
  const [first, second] = tasksOf(settings({ nodes: 9 }), known)
  t.match(first, { regression: 'credit', nodes: undefined, options: { edges: 1 } })
  t.match(second, { number: 0, nodes: 9, options: undefined })
})

t.test('without a number of seeds there is always another one', async t => {
  const tasks = tasksOf(settings({ seeds: undefined, worlds: ['random'] }), [])
  for (let count = 0; count < 5_000; count++) tasks.next()
  t.match(tasks.next(), { done: false, value: { seed: 'random 5000' } })
})

t.test('the first of every fifty worlds runs twice', async t => {
  const tasks = [...tasksOf(settings({ seeds: 149 }), known)]
  t.same(
    tasks.flatMap(({ isTwice }, index) => (isTwice ? [index] : [])),
    [0, 50, 100],
  )
})

t.test('all tasks are run, each once, by several at a time', async t => {
  const asked: string[][] = [[], []]
  const taken: string[] = []
  await runTasks(
    tasksOf(settings({ seeds: 20 }), []),
    asked.map(seeds => ({
      run: async task => {
        seeds.push(task.seed)
        return outcome(task)
      },
    })),
    () => true,
    ({ task }) => taken.push(task.seed),
  )
  t.same(taken.toSorted(), asked.flat().toSorted())
  t.equal(new Set(taken).size, 20)
  t.ok(
    asked.every(seeds => seeds.length > 0),
    'each has run some',
  )
})

t.test('when the time is over none is begun, and what runs is waited for', async t => {
  let left = 3
  const taken: string[] = []
  await runTasks(
    tasksOf(settings({ seeds: undefined }), []),
    [{ run: async task => outcome(task) }],
    () => left-- > 0,
    ({ task }) => taken.push(task.seed),
  )
  t.same(taken, ['random 0', 'catch-up 0', 'random 1'])
})
