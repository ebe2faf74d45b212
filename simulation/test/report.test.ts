import t from 'tap'
import { CampaignResult } from '../src/campaign.ts'
import { failureLines, progressLine, summaryLines } from '../src/report.ts'
import type { Outcome } from '../src/run-world.ts'

const outcome = (problems: readonly string[]): Outcome => ({
  task: { world: 'catch-up', seed: 'catch-up 7', nodes: undefined, isTwice: false },
  events: 1_234_567,
  virtualMs: 1_800_000,
  problems,
  happenings: [['caught-up tail', 3]],
})

const command = "npm run simulate -- --seed 'catch-up 7' --world catch-up"

t.test('progress is seeds, events, their rate, virtual time and failures', async t => {
  const result = new CampaignResult(['catch-up'])
  t.equal(progressLine(result, 0), '0 seeds, 0 events, 0 events/s, 0.00 virtual hours, 0 failed')
  result.add(outcome([]))
  t.equal(
    progressLine(result, 2_000),
    '1 seeds, 1,234,567 events, 617,284 events/s, 0.50 virtual hours, 0 failed',
  )
})

t.test('a failure is some problems and the command that repeats it', async t => {
  t.same(failureLines(outcome(['one', 'two'])), [
    "FAILED catch-up 'catch-up 7'",
    '  one',
    '  two',
    `  ${command}`,
  ])
  const many = failureLines(outcome(Array.from({ length: 7 }, (_, index) => `problem ${index}`)))
  t.same(many.slice(-3), ['  problem 4', '  and 2 more', `  ${command}`])
})

t.test('a summary has the table, the figures and the list of failures', async t => {
  const result = new CampaignResult(['random', 'catch-up'])
  result.add(outcome([]))
  const well = summaryLines(result, 1_000)
  t.match(well[1], /^worlds 'catch-up', 1 seeds .* from 250 seeds on/)
  t.ok(well.includes('       1            3 * caught-up tail'))
  t.ok(well.includes('       0            0 * proxy ended'))
  t.notOk(
    well.some(line => line.includes("worlds 'random'")),
    'none of them ran',
  )
  t.equal(well.at(-1), 'all is well')
  result.add(outcome(['wrong']))
  t.same(summaryLines(result, 1_000).slice(-2), [`FAILED: ${command}`, 'not all is well'])
})

t.test('what never happened is named', async t => {
  const result = new CampaignResult(['catch-up'])
  for (let count = 0; count < 250; count++) result.add(outcome([]))
  const lines = summaryLines(result, 1_000)
  t.ok(lines.includes("NEVER in worlds 'catch-up': proxy ended"))
  t.notOk(lines.includes("NEVER in worlds 'catch-up': caught-up tail"))
  t.equal(lines.at(-1), 'not all is well')
})
