import t from 'tap'
import { delta, doc, snapshot } from './frames.ts'
import { build, live } from './observation-builder.ts'

t.test('asks for the document, and shows its view', t => {
  const { observation, asked, statuses } = live({ viewState: { page: 1 }, maxRate: 5 })
  t.match(asked, [{ type: 'observe', doc, viewState: { page: 1 }, from: undefined, maxRate: 5 }])
  t.match(observation, { doc, view: { count: 10 }, seq: 10, epoch: 1, status: 'live' })
  t.same(statuses, ['connecting', 'live'])
  t.end()
})

t.test('a subscriber gets the view at once when there is one, then each that follows', t => {
  const { observation, attach } = build()
  const early: unknown[] = []
  const late: unknown[] = []
  const stop = observation.subscribe(view => early.push(view))
  t.same(early, [])
  attach()
  observation.receive(snapshot())
  observation.subscribe(view => late.push(view))
  stop()
  observation.receive(delta())
  t.match(early, [{ count: 10 }])
  t.match(late, [{ count: 10 }, { count: 11 }])
  t.end()
})

t.test('is stale without a line, and resumes on the next', t => {
  const { observation, asked, attach, statuses } = live()
  observation.receive(delta({ position: 'p1.11' }))
  observation.detach()
  t.equal(observation.status, 'stale')
  attach()
  t.match(asked.at(-1), { type: 'observe', from: 'p1.11' })
  t.equal(observation.status, 'stale')
  observation.receive({ type: 'status', doc, status: 'live', since: 1 })
  t.same(statuses, ['connecting', 'live', 'stale', 'live'])
  t.end()
})

t.test('is stale while the server says so, and while an edge catches up', t => {
  const { observation, attach } = live()
  observation.receive({ type: 'status', doc, status: 'stale', since: 1 })
  t.equal(observation.status, 'stale')
  observation.receive({ type: 'status', doc, status: 'live', since: 2 })
  t.equal(observation.status, 'live')
  observation.detach()
  attach()
  observation.receive(snapshot({ seq: 8 }))
  t.equal(observation.status, 'stale')
  observation.receive(delta({ from: 8, seq: 12 }))
  t.match(observation, { status: 'live', seq: 12 })
  t.end()
})

t.test('a gap is not applied over: the document is observed from scratch, at once', t => {
  const { observation, asked, errors } = live()
  observation.receive(delta({ seq: 13 }))
  t.match(observation, { seq: 10, status: 'stale' })
  t.match(errors, [{ code: 'FANFOLD_GAP', doc, message: 'delta from 12 to 13, view at 10' }])
  t.match(asked.at(-1), { type: 'observe', from: undefined })
  observation.receive(delta({ seq: 14 }))
  t.equal(observation.seq, 10)
  observation.receive(snapshot({ seq: 14 }))
  t.match(observation, { seq: 14, status: 'live' })
  t.end()
})

t.test('gaps that go on are asked about with waits', t => {
  const { observation, asked, time } = live()
  const gap = () => {
    observation.receive(delta({ seq: 100 }))
    return asked.length
  }
  t.equal(gap(), 2)
  observation.receive(snapshot())
  t.equal(gap(), 2)
  time.pass(500)
  t.equal(asked.length, 3)
  observation.receive(snapshot())
  time.pass(60_001)
  t.equal(gap(), 4)
  t.end()
})

t.test('a refusal ends it, with the error', t => {
  const { observation, calls, errors, attach } = build()
  const ends: unknown[] = []
  observation.onStatus((status, error) => ends.push([status, error?.code]))
  attach()
  observation.receive({ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN', message: 'no' })
  t.match(observation, { status: 'closed', error: { code: 'FANFOLD_FORBIDDEN', doc } })
  t.same(ends, [
    ['connecting', undefined],
    ['closed', 'FANFOLD_FORBIDDEN'],
  ])
  t.same(calls, ['left'])
  t.match(errors, [{ code: 'FANFOLD_FORBIDDEN' }])
  t.end()
})

t.test('a refusal that says "later" is followed by another attempt', t => {
  const { observation, asked, time } = live()
  observation.receive({ type: 'refused', doc, code: 'FANFOLD_NO_PARENT', message: 'wait' })
  t.equal(observation.status, 'stale')
  time.pass(500)
  t.equal(asked.length, 2)
  t.end()
})

t.test('a refusal that says when is followed by another attempt a while after that', t => {
  for (const [chance, waitMs] of [
    [0, 9_500],
    [0.5, 9_750],
  ] as const) {
    const { observation, asked, time } = live()
    time.chance = chance
    const later = { code: 'FANFOLD_OVERLOADED', message: 'wait', retryAfter: 9_000 } as const
    observation.receive({ type: 'refused', doc, ...later })
    time.pass(waitMs - 1)
    t.equal(asked.length, 1)
    time.pass(1)
    t.equal(asked.length, 2)
  }
  t.end()
})

t.test('a request that the server has kept is not made again', t => {
  const { observation, asked, attach, time } = build()
  attach()
  const later = { code: 'FANFOLD_NO_DOCUMENT', message: 'not yet', retryAfter: 2_000 } as const
  observation.receive({ type: 'refused', doc, ...later })
  t.match(observation, { status: 'connecting', error: { code: 'FANFOLD_NO_DOCUMENT' } })
  observation.receive(snapshot())
  time.pass(10_000)
  t.equal(asked.length, 1)
  t.match(observation, { status: 'live', error: undefined })
  t.end()
})

t.test('a position that the server does not know is not sent again', t => {
  const { observation, asked, attach } = live()
  observation.detach()
  attach()
  t.match(asked.at(-1), { from: 'p1.10' })
  observation.receive({ type: 'refused', doc, code: 'FANFOLD_BAD_POSITION', message: 'what?' })
  t.match(asked.at(-1), { type: 'observe', from: undefined })
  t.end()
})

t.test('what the server ends is closed, with the reason as code where it is one', t => {
  for (const [reason, code] of [
    ['FANFOLD_DELETED', 'FANFOLD_DELETED'],
    ['the token does not allow it any more', 'FANFOLD_LEFT'],
  ] as const) {
    const { observation } = live()
    observation.receive({ type: 'left', doc, reason })
    t.match(observation, { status: 'closed', error: { code } })
  }
  t.end()
})

t.test('the end of an earlier observation of the document is not the end of this', t => {
  const { observation, attach } = build()
  attach()
  observation.receive({ type: 'left', doc, reason: 'asked' })
  t.equal(observation.status, 'connecting')
  t.end()
})

t.test('why it is stale is told where the server says so', t => {
  const { observation, attach } = live()
  const told: unknown[] = []
  observation.onStatus((status, error) => told.push([status, error?.code]))
  const stale = { type: 'status', doc, status: 'stale', since: 1 } as const
  observation.receive({ ...stale, code: 'FANFOLD_RULE_FAILED' })
  t.match(observation, { status: 'stale', error: { code: 'FANFOLD_RULE_FAILED', doc } })
  observation.receive({ ...stale, code: 'FANFOLD_RULE_FAILED' })
  observation.receive(stale)
  observation.receive({ type: 'status', doc, status: 'live', since: 2 })
  t.equal(observation.error, undefined)
  observation.receive({ type: 'refused', doc, code: 'FANFOLD_NO_VARIANT', message: 'later' })
  observation.detach()
  attach()
  observation.receive(delta())
  t.same(told, [
    ['live', undefined],
    ['stale', 'FANFOLD_RULE_FAILED'],
    ['stale', undefined],
    ['live', undefined],
    ['stale', 'FANFOLD_NO_VARIANT'],
    ['stale', undefined],
    ['live', undefined],
  ])
  t.end()
})

t.test('a server that may not show it is not the last word', t => {
  const { observation, calls, errors, attach } = build()
  const above = {
    type: 'refused',
    doc,
    code: 'FANFOLD_ABOVE_CEILING',
    message: 'not here',
  } as const
  attach()
  observation.receive(above)
  t.same(calls, ['elsewhere'])
  t.equal(observation.status, 'connecting')
  observation.receive(above)
  t.match(observation, { status: 'closed', error: { code: 'FANFOLD_ABOVE_CEILING' } })
  t.equal(errors.length, 2)
  t.end()
})

t.test('follows its document, but not in circles', t => {
  const { observation, asked, calls, time } = live()
  for (let move = 0; move < 5; move++) observation.receive({ type: 'moved', doc, to: 'wss://b' })
  t.equal(calls.length, 4)
  t.equal(asked.length, 1)
  time.pass(500)
  t.equal(asked.length, 2)
  t.end()
})

t.test(
  'iteration gives the view of now and its changes, and ends with the observation',
  async t => {
    const { observation } = live()
    const seen: string[] = []
    const loop = (async () => {
      for await (const change of observation) seen.push(`${change.kind} ${change.seq}`)
    })()
    observation.receive(delta())
    observation.receive(delta({ seq: 12 }))
    observation.close()
    await loop
    t.same(seen, ['snapshot 10', 'delta 11', 'delta 12'])
    for await (const change of observation) seen.push(change.kind)
    t.equal(seen.length, 3)
  },
)

t.test('a loop throws the error that ended the observation', async t => {
  const { observation } = live()
  const loop = (async () => {
    for await (const change of observation) t.equal(change.seq, 10)
  })()
  observation.receive({ type: 'left', doc, reason: 'FANFOLD_DELETED' })
  await t.rejects(loop, { code: 'FANFOLD_DELETED' })
})

t.test('closing leaves, once, and nothing follows', t => {
  const { observation, calls, time, asked } = live()
  observation.receive({ type: 'refused', doc, code: 'FANFOLD_BUSY', message: 'wait' })
  observation.close()
  observation.close()
  observation.setViewState({})
  t.same(calls, ['left'])
  t.equal(time.timerCount, 0)
  t.equal(asked.length, 1)
  t.match(observation, { status: 'closed', error: undefined })
  t.end()
})
