import t from 'tap'
import { CampaignResult, failureOf } from '../src/campaign-result.ts'
import { failureLines, progressLine, shrunkLines, summaryLines } from '../src/report.ts'
import type { Outcome } from '../src/run-world.ts'
import { buildOutcome, buildTask } from './build-outcome.ts'

const facts = { commit: 'abc', node: 'v20', cpu: 'any', cores: 2 }
const command = "npm run simulate -- --seed 'catch-up 7' --world catch-up"

const outcome = (problems: readonly string[], number = 7): Outcome =>
  buildOutcome({
    task: buildTask({ world: 'catch-up', seed: `catch-up ${number}`, number }),
    events: 1_234_567,
    virtualMs: 1_800_000,
    problems,
    happenings: [['caught-up tail', 3]],
    options: { edges: 1 },
  })

t.test('progress is seeds, events, their rate, virtual time and failures', async t => {
  const result = new CampaignResult()
  t.equal(progressLine(result, 0), '0 seeds, 0 events, 0 events/s, 0.00 virtual hours, 0 failed')
  result.add(outcome([]))
  t.equal(
    progressLine(result, 2_000),
    '1 seeds, 1,234,567 events, 617,284 events/s, 0.50 virtual hours, 0 failed',
  )
})

t.test(
  'a failure is some problems, what it was run with, and the command that repeats it',
  async t => {
    const end = ['  commit abc, node v20', '  options {"edges":1}', `  ${command}`]
    const few = failureLines(failureOf(outcome(['one', 'two'])), facts)
    t.same(few, ["FAILED catch-up 'catch-up 7'", '  one', '  two', ...end])
    const problems = Array.from({ length: 7 }, (_, index) => `problem ${index}`)
    const many = failureLines(failureOf(outcome(problems)), facts)
    t.same(many.slice(-5), ['  problem 4', '  and 2 more', ...end])
  },
)

t.test('a summary has the table, the figures and the list of failures', async t => {
  const result = new CampaignResult()
  result.add(outcome([], 1))
  const well = summaryLines(result, 1_000, [facts])
  t.match(well[1], /^worlds 'catch-up', 1 seeds of 1,234,567 events or more .* from 250 seeds on/)
  t.ok(well.includes('commit abc, node v20, 2 cores of any'))
  t.notOk(
    well.some(line => line.includes("worlds 'random'")),
    'none of them ran',
  )
  t.equal(well.at(-1), 'all is well')
  result.add(outcome(['wrong']))
  t.same(summaryLines(result, 1_000, [facts]).slice(-2), [`FAILED: ${command}`, 'not all is well'])
})

t.test('what never happened is named', async t => {
  const result = new CampaignResult()
  for (let number = 0; number < 250; number++) result.add(outcome([], number))
  const lines = summaryLines(result, 1_000, [facts])
  t.ok(lines.includes("NEVER in worlds 'catch-up': proxy ended"))
  t.notOk(lines.includes("NEVER in worlds 'catch-up': caught-up tail"))
  t.equal(lines.at(-1), 'not all is well')
})

t.test('a world that was made smaller is told with the command that runs it', async t => {
  const world = { world: 'random', seed: 'random 1', nodes: undefined, options: { edges: 1 } }
  const lines = shrunkLines({ world, problems: ['wrong'], runs: 7, isLeast: false })
  t.same(lines, [
    "SHRUNK random 'random 1' by 7 runs, until the time was over",
    '  wrong',
    `  npm run simulate -- --seed 'random 1' --world random --options '{"edges":1}'`,
  ])
})
