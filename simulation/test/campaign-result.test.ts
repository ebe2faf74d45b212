import { sometimes, sometimesSeedsMin } from '@fanfold/simulator'
import t from 'tap'
import { CampaignResult } from '../src/campaign-result.ts'
import { buildOutcome, buildTask } from './build-outcome.ts'

const numbered = (number: number) => buildTask({ number })

t.test('a world with problems makes a campaign wrong, and is listed', async t => {
  const result = new CampaignResult()
  result.add(buildOutcome({ task: buildTask({ isTwice: true }) }))
  t.ok(result.isRight)
  for (let number = 1; number <= 101; number++) {
    result.add(buildOutcome({ task: numbered(number), problems: ['wrong'], options: { edges: 1 } }))
  }
  t.notOk(result.isRight)
  t.match(result, { seeds: 102, twice: 1, failed: 101, events: 1_020, virtualMs: 102_000 })
  t.equal(result.failures.length, 100, 'the others are counted')
  t.match(result.failures[0], { world: { seed: 'random 1' }, options: { edges: 1 } })
})

t.test('of a failure some problems are kept, and of each so much', async t => {
  const result = new CampaignResult()
  const problems = Array.from({ length: 9 }, () => 'x'.repeat(5_000))
  result.add(buildOutcome({ problems }))
  const [failure] = result.failures
  t.equal(failure?.problemCount, 9)
  t.same(
    failure?.problems,
    Array.from({ length: 5 }, () => 'x'.repeat(2_000)),
  )
})

t.test(
  'a campaign in which something never happened is wrong, when it was long enough',
  async t => {
    const result = new CampaignResult()
    for (let number = 1; number < sometimesSeedsMin; number++) {
      result.add(buildOutcome({ task: numbered(number) }))
    }
    t.ok(result.isRight)
    result.add(buildOutcome({ task: numbered(0) }))
    t.notOk(result.isRight)
    t.same(
      result.missing().map(([{ world }, name]) => [world, name]),
      sometimes.random.map(name => ['random', name]),
    )
  },
)

t.test(
  'worlds of another size, and those that once found something, are counted apart',
  async t => {
    const result = new CampaignResult()
    result.add(buildOutcome({ task: buildTask({ nodes: 20 }), events: 7 }))
    result.add(buildOutcome({ events: 9 }))
    result.add(buildOutcome({ task: buildTask({ number: 1 }), events: 8 }))
    result.add(buildOutcome({ task: buildTask({ number: undefined, regression: 'credit' }) }))
    t.match(result, { seeds: 3, regressions: 1, events: 24 })
    t.same(
      result.kinds.map(({ nodes, seeds, eventsMin }) => [nodes, seeds, eventsMin]),
      [
        [undefined, 2, 8],
        [20, 1, 7],
      ],
    )
  },
)

t.test('the figures of campaigns add up to those of one', async t => {
  const [whole, first, second] = [new CampaignResult(), new CampaignResult(), new CampaignResult()]
  for (let number = 0; number < 10; number++) {
    const outcome = buildOutcome({
      task: numbered(number),
      events: 100 - number,
      happenings: [['rain', number + 1]],
      crossings: [['link-send', 'crash', 2]],
      problems: number === 3 ? ['wrong'] : [],
    })
    whole.add(outcome)
    ;(number < 6 ? first : second).add(outcome)
  }
  const sum = new CampaignResult()
  for (const part of [first, second]) sum.merge(JSON.parse(JSON.stringify(part.figures(5))))
  t.same(sum.figures(10), JSON.parse(JSON.stringify(whole.figures(10))))
  t.match(sum.figures(10).worlds, [{ ranges: [[0, 9]], eventsMin: 91, seeds: 10 }])
  t.throws(() => sum.merge(first.figures(5)), /seeds 0 to 5 are counted twice/)
})

t.test('a campaign of many seeds holds no more than one of some', async t => {
  const result = new CampaignResult()
  const sizes: number[] = []
  for (let number = 0; number < 20_000; number++) {
    // Two at a time end in another order now and then.
    const swapped = number % 7 === 0 ? number + 1 : number % 7 === 1 ? number - 1 : number
    result.add(buildOutcome({ task: numbered(swapped), problems: ['x'.repeat(3_000)] }))
    if (number === 999 || number === 19_999) sizes.push(JSON.stringify(result.figures(1)).length)
  }
  const [few = 0, many = 0] = sizes
  t.ok(many - few < 200, `${few} bytes, then ${many}`)
})
