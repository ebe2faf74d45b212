import t from 'tap'
import { CampaignResult } from '../src/campaign-result.ts'
import { coverageLines, crossingLines } from '../src/coverage-lines.ts'
import { buildOutcome } from './build-outcome.ts'

/** The lines of a campaign of one world. */
function open(overrides: Parameters<typeof buildOutcome>[0]) {
  const result = new CampaignResult()
  result.add(buildOutcome(overrides))
  const [kind] = result.kinds
  if (kind === undefined) throw new Error('there is a kind')
  return { happened: coverageLines(kind), crossed: crossingLines(kind) }
}

t.test(
  'a row says in how many worlds something happened, how often, and whether it must',
  async t => {
    const { happened } = open({ happenings: [['caught-up tail', 3]] })
    t.match(happened[1], /^worlds 'random', 1 seeds of 10 events or more .* from 250 seeds on/)
    t.ok(happened.includes('       1            3 * caught-up tail'))
    t.ok(happened.includes('       0            0 * proxy ended'))
  },
)

t.test('effects amid faults are a table of both', async t => {
  const { crossed } = open({
    crossings: [
      ['link-send', 'crash', 7],
      ['fact', 'drain', 7],
    ],
  })
  t.match(crossed[1], /^effects amid faults in worlds 'random'/)
  const columns = crossed[2]?.trim().split(', ') ?? []
  const place = columns.findIndex(column => column.endsWith(' crash'))
  const row =
    crossed
      .find(line => line.startsWith('  link-send '))
      ?.trim()
      .split(/ +/) ?? []
  t.equal(row[place + 1], '1')
  t.equal(row.filter(cell => cell === '.').length, columns.length - 1)
})

t.test('without faults there is no table of them', async t => {
  t.same(open({}).crossed, [])
})
