import t from 'tap'
import { doc, snapshot } from './frames.ts'
import { build, live } from './observation-builder.ts'

t.test('what is added goes out once, with an id, and ends as the server says', async t => {
  const { observation, asked } = live()
  const outcomes = [
    observation.add('cheer', { team: 'home' }),
    observation.add('poll', 'home', { stamp: 7 }),
  ]
  t.same(asked.slice(1), [
    { type: 'add', doc, reducer: 'cheer', value: { team: 'home' }, id: 1, stamp: undefined },
    { type: 'add', doc, reducer: 'poll', value: 'home', id: 2, stamp: 7 },
  ])
  observation.receive({ type: 'unknown', doc, id: 2 })
  observation.receive({ type: 'counted', doc, id: 1 })
  observation.receive({ type: 'counted', doc, id: 1 })
  observation.receive({ type: 'counted', doc, id: 'another' })
  t.same(await Promise.all(outcomes), ['counted', 'unknown'])
})

t.test('what is not heard rejects with the code, and leaves the observation as it is', async t => {
  const { observation, statuses, errors } = live()
  const outcome = observation.add('cheer', 7)
  observation.receive({
    type: 'rejected',
    doc,
    id: 1,
    reducer: 'cheer',
    code: 'FANFOLD_OVERLOADED',
    message: 'too much',
    retryAfter: 100,
  })
  await t.rejects(outcome, { name: 'FanfoldError', code: 'FANFOLD_OVERLOADED', doc })
  t.equal(observation.status, 'live')
  t.same(statuses, ['connecting', 'live'])
  t.same(errors, [])
})

t.test(
  'what is not answered when the connection is lost is unknown, and not sent again',
  async t => {
    const { observation, asked, attach } = live()
    const outcome = observation.add('cheer', 1)
    observation.detach()
    t.equal(await outcome, 'unknown')
    attach()
    observation.receive(snapshot())
    t.equal(asked.filter(frame => 'reducer' in frame).length, 1)
    const late = observation.add('cheer', 2)
    observation.receive({ type: 'counted', doc, id: 1 })
    observation.receive({ type: 'counted', doc, id: 2 })
    t.equal(await late, 'counted', 'ids are not used again')
  },
)

t.test('what is not answered when the observation ends is unknown', async t => {
  const { observation } = live()
  const outcome = observation.add('cheer', 1)
  observation.close()
  t.equal(await outcome, 'unknown')
  await t.rejects(observation.add('cheer', 1), { code: 'FANFOLD_NOT_SENT' })
})

t.test('what cannot be sent rejects, and nothing goes out', async t => {
  const { observation, asked } = build()
  await t.rejects(observation.add('cheer', 1), { code: 'FANFOLD_NOT_SENT', doc })
  observation.attach(frame => asked.push(frame))
  const circle: unknown[] = []
  circle.push(circle)
  await t.rejects(observation.add('cheer', circle), { code: 'FANFOLD_NOT_JSON' })
  await t.rejects(observation.add('cheer', 1, { stamp: -1 }), { code: 'FANFOLD_BAD_OPTION' })
  await t.rejects(observation.add('cheer', 1, { stamp: 2 ** 53 }), { code: 'FANFOLD_BAD_OPTION' })
  await t.rejects(observation.add('r'.repeat(81), 1), { code: 'FANFOLD_BAD_OPTION' })
  await t.rejects(observation.add('cheer', 'x'.repeat(65_536)), { code: 'FANFOLD_BAD_OPTION' })
  t.equal(asked.length, 1, 'the observe alone')
})

t.test('so many may wait, and one more is not sent', async t => {
  const { observation, asked } = live()
  const outcomes = Array.from({ length: 1_024 }, () => observation.add('cheer', 1))
  await t.rejects(observation.add('cheer', 3), { code: 'FANFOLD_TOO_MANY_IN_FLIGHT' })
  t.equal(asked.length, 1_025)
  observation.receive({ type: 'counted', doc, id: 1 })
  const another = observation.add('cheer', 4)
  observation.close()
  t.equal(await another, 'unknown')
  t.equal((await Promise.all(outcomes)).filter(outcome => outcome === 'counted').length, 1)
})
