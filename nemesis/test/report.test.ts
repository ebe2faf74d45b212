import t from 'tap'
import { outcomeLines, reportMarkdown } from '../src/report.ts'
import type { Outcome } from '../src/run-scenario.ts'

const outcome: Outcome = {
  name: 'edge-killed',
  does: 'kill -9 of an edge',
  seed: 'x',
  directory: '/tmp/there',
  seconds: 12.34,
  load: 1,
  schedule: [],
  expectations: [
    { what: 'nobody waits longer, ms', seen: 1_234, atMost: 2_000 },
    { what: 'deaths', seen: 3, atLeast: 3, atMost: 3 },
  ],
  verdict: undefined,
  seen: undefined,
  problems: [],
}
const late = { what: 'nobody waits longer, ms', seen: 3_000, atMost: 2_000 }
const failed = { ...outcome, expectations: [late], problems: ['nobody waits longer, ms: 3000'] }

t.test('what was expected stands beside what was seen', async t => {
  const [first, ...rest] = outcomeLines(outcome)
  t.match(first, /^ok +edge-killed, 12\.3 s, load 1\.0/)
  t.same(
    rest.map(line => line.trim()),
    ['nobody waits longer, ms: 1,234 (≤ 2,000)', 'deaths: 3 (≥ 3, ≤ 3)'],
  )
})

t.test('what failed says where its files are, and how to run it again', async t => {
  const lines = outcomeLines(failed).join('\n')
  t.match(lines, /^FAIL edge-killed/)
  t.match(lines, /nobody waits longer, ms: 3,000 \(≤ 2,000\) \*\*no\*\*/)
  t.match(lines, /PROBLEM nobody waits longer, ms: 3000/)
  t.match(lines, /\/tmp\/there/)
  t.match(lines, /npm run nemesis -- --scenario edge-killed --seed 'x'/)
})

t.test('times may be longer on a machine that has more to run than processors', async t => {
  const excused = outcomeLines({ ...failed, load: 2 }).join('\n')
  t.notMatch(excused, /\*\*no\*\*/)
  t.match(excused, /3,000 \(≤ 2,000\) \*late, as the machine was busy\*/)
  const tooLate = { ...late, seen: 6_001 }
  t.match(outcomeLines({ ...failed, expectations: [tooLate], load: 9 }).join('\n'), /\*\*no\*\*/)
})

t.test('the table has a row for each scenario, and for each that could not run', async t => {
  const command = 'npm run nemesis -- --all'
  const skipped = [{ name: 'storm', why: 'needs root' }]
  const table = reportMarkdown({ command, outcomes: [outcome, failed], skipped })
  t.match(table, /2 scenarios, 1 failed, 1 not run/)
  t.equal(table.split('\n').filter(line => line.startsWith('| edge-killed')).length, 2)
  t.match(table, /\| storm \| not run here: needs root/)
})
