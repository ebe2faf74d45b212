import t from 'tap'
import { delta, doc, snapshot } from './frames.ts'
import { build, live } from './observation-builder.ts'

t.test('the last view state counts: before there is a line, on it, and while there is none', t => {
  const { observation, asked, attach } = build({ viewState: { page: 1 } })
  observation.setViewState({ page: 2 })
  attach()
  t.match(asked, [{ type: 'observe', viewState: { page: 2 } }])
  observation.receive(snapshot())
  observation.setViewState({ page: 3 })
  observation.setViewState({ page: 4 })
  t.same(asked.slice(1), [
    { type: 'viewState', doc, viewState: { page: 3 } },
    { type: 'viewState', doc, viewState: { page: 4 } },
  ])
  observation.detach()
  observation.setViewState({ page: 5 })
  t.equal(asked.length, 3)
  attach()
  t.match(asked.at(-1), { type: 'observe', viewState: { page: 5 }, from: 'p1.10' })
  t.end()
})

/** The frame that answers a view state. */
const move = (count: unknown) =>
  delta({
    from: 10,
    seq: 10,
    position: 'm',
    patch: [{ op: 'replace', path: '/count', value: count }],
  })

t.test('a move to another view is told once, to subscribers and loops', async t => {
  const { observation } = live()
  const seen: unknown[] = []
  const changes: string[] = []
  observation.subscribe(view => seen.push(view))
  const loop = (async () => {
    for await (const { kind, from, seq } of observation) changes.push(`${kind} ${from}-${seq}`)
  })()
  observation.setViewState({ page: 2 })
  observation.receive(move('second'))
  observation.receive(delta())
  observation.close()
  await loop
  t.match(seen, [{ count: 10 }, { count: 'second' }, { count: 11 }])
  t.same(changes, ['snapshot 0-10', 'delta 10-10', 'delta 10-11'])
})

const invalid = {
  type: 'refused',
  doc,
  code: 'FANFOLD_INVALID_VIEW_STATE',
  message: 'page is a number',
} as const

t.test('a refused view state keeps the view, and is told', t => {
  const { observation, asked, attach, errors } = live({ viewState: { page: 1 } })
  observation.setViewState({ page: 2 })
  observation.receive(move('second'))
  observation.setViewState({ page: 'x' })
  observation.receive(invalid)
  t.match(observation, { status: 'live', view: { count: 'second' }, error: undefined })
  t.match(errors, [{ code: 'FANFOLD_INVALID_VIEW_STATE', doc, message: 'page is a number' }])
  observation.detach()
  attach()
  t.match(asked.at(-1), { type: 'observe', viewState: { page: 2 }, from: 'm' })
  t.end()
})

t.test('of two view states the refused one is not asked for again', t => {
  const { observation, asked, attach } = live({ viewState: { page: 1 } })
  observation.setViewState({ page: 'x' })
  observation.setViewState({ page: 2 })
  observation.receive(invalid)
  observation.detach()
  attach()
  t.match(asked.at(-1), { viewState: { page: 2 } })
  t.end()
})

t.test('a view state that is refused on the next line gives way to the one that is shown', t => {
  const { observation, asked, attach } = live({ viewState: { page: 1 } })
  observation.detach()
  observation.setViewState({ page: 'x' })
  attach()
  observation.receive(invalid)
  t.match(asked.at(-1), { type: 'observe', viewState: { page: 1 }, from: 'p1.10' })
  t.equal(observation.status, 'stale')
  observation.receive(delta())
  t.equal(observation.status, 'live')
  t.end()
})

t.test('a view state that is refused with nothing to go back to ends it', t => {
  const { observation, attach } = build({ viewState: { page: 'x' } })
  attach()
  observation.receive(invalid)
  t.match(observation, { status: 'closed', error: { code: 'FANFOLD_INVALID_VIEW_STATE' } })
  t.end()
})

t.test('in a dense count a move is known by its number', t => {
  const { observation, asked, attach } = build({ viewState: 1 })
  attach()
  observation.receive(snapshot({ numbering: 'dense' }))
  observation.receive(delta({ seq: 11, position: 'p' }))
  observation.setViewState(2)
  observation.receive(delta({ from: 11, seq: 12, position: 'p' }))
  observation.receive(delta({ from: 12, seq: 3, position: 'm' }))
  observation.setViewState(3)
  observation.receive(invalid)
  observation.detach()
  attach()
  t.match(asked.at(-1), { viewState: 2, from: 'm' })
  t.equal(observation.seq, 3)
  t.end()
})
