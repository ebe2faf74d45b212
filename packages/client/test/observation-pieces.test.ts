import t from 'tap'
import { delta, doc, snapshot } from './frames.ts'
import { build, live } from './observation-builder.ts'
import { framesOf, openedFrames } from './pieces.ts'

/** The view of `snapshot`, in pieces of one pair each. */
const inPieces = (seq = 10, fields = {}) =>
  openedFrames({ count: seq, still: { deep: [1] } }, 1, { seq, ...fields })

t.test('a snapshot in pieces is the view when all are there, and not before', t => {
  const { observation, attach, statuses } = build()
  const seen: unknown[] = []
  observation.subscribe(view => seen.push(view))
  attach()
  const { begin, pieces, end } = inPieces()
  for (const frame of [begin, ...pieces]) observation.receive(frame)
  t.same([observation.view, observation.status, seen], [undefined, 'connecting', []])
  observation.receive(end)
  t.same(seen, [{ count: 10, still: { deep: [1] } }])
  t.match(observation, { seq: 10, epoch: 1, status: 'live' })
  observation.receive(delta())
  t.match(observation, { seq: 11, view: { count: 11 } })
  t.same(statuses, ['connecting', 'live'])
  t.end()
})

t.test('while pieces come the view in use goes on, and what did not change stays ===', t => {
  const { observation } = live()
  const before = observation.view as { readonly still: object }
  const { begin, pieces, end } = inPieces(12)
  observation.receive(begin)
  for (const piece of pieces.slice(0, 2)) observation.receive(piece)
  observation.receive(delta())
  t.match(observation, { seq: 11, view: { count: 11 }, status: 'live' })
  for (const piece of pieces.slice(2)) observation.receive(piece)
  observation.receive(end)
  const after = observation.view as { readonly still: object }
  t.match(after, { count: 12 })
  t.equal(after.still, before.still)
  t.end()
})

t.test('an equal snapshot in pieces is the view that was there', t => {
  const { observation, attach, asked } = live()
  const before = observation.view
  observation.detach()
  attach()
  t.match(asked.at(-1), { from: 'p1.10' })
  const seen: unknown[] = []
  observation.subscribe(view => seen.push(view))
  for (const frame of inPieces().all) {
    t.equal(observation.status, 'stale')
    observation.receive(frame)
  }
  t.equal(observation.status, 'live')
  t.equal(observation.view, before)
  t.equal(seen.length, 1)
  t.end()
})

t.test('a request that the server has kept is not made again while its view comes', t => {
  const { observation, attach, asked, time } = build()
  attach()
  const later = { code: 'FANFOLD_NO_PARENT', message: 'not yet', retryAfter: 2_000 } as const
  observation.receive({ type: 'refused', doc, ...later })
  const { begin, pieces, end } = inPieces()
  observation.receive(begin)
  time.pass(10_000)
  for (const frame of [...pieces, end]) observation.receive(frame)
  t.equal(asked.length, 1)
  t.match(observation, { status: 'live', view: { count: 10 } })
  t.end()
})

t.test('the position at the end is the one to resume from', t => {
  const { observation, attach, asked } = build()
  attach()
  for (const frame of inPieces(10).all) observation.receive(frame)
  observation.detach()
  attach()
  t.match(asked.at(-1), { type: 'observe', from: 'p1.10' })
  t.end()
})

t.test('a snapshot in pieces from an edge that is behind waits until it has caught up', t => {
  const { observation } = live()
  for (const frame of inPieces(8).all) observation.receive(frame)
  t.match(observation, { seq: 10, status: 'stale' })
  observation.receive(delta({ from: 8, seq: 12 }))
  t.match(observation, { seq: 12, status: 'live' })
  t.end()
})

t.test('a dense snapshot in pieces is taken whatever its seq', t => {
  const { observation } = live()
  for (const frame of inPieces(1, { numbering: 'dense' }).all) observation.receive(frame)
  t.match(observation, { seq: 1, view: { count: 1 }, status: 'live' })
  t.end()
})

t.test('pieces that do not fit are asked for anew, at once and then with waits', t => {
  const { observation, asked, errors, time } = live()
  const { begin, pieces, end } = inPieces(20)
  const [first, second] = pieces
  if (first === undefined || second === undefined) throw new Error('two pieces')
  const spoil = (...frames: Parameters<typeof observation.receive>[0][]) => {
    for (const frame of [begin, ...frames]) observation.receive(frame)
    return asked.length
  }
  t.equal(spoil(second), 2)
  t.match(asked.at(-1), { type: 'observe', from: undefined })
  t.match(errors, [{ code: 'FANFOLD_GAP', doc, message: 'piece 1 does not fit' }])
  for (const frame of [...pieces, end]) observation.receive(frame)
  t.match(observation, { seq: 10, status: 'stale' }, 'the rest of them is passed over')
  t.equal(spoil(first, end), 2)
  t.match(errors.at(-1), { message: 'a snapshot ends before its pieces' })
  time.pass(500)
  t.equal(asked.length, 3)
  t.equal(spoil({ ...first, pairs: [['/__proto__', {}]] }), 3)
  time.pass(1_000)
  t.equal(asked.length, 4)
  for (const frame of inPieces(20).all) observation.receive(frame)
  t.match(observation, { seq: 20, status: 'live' })
  t.end()
})

t.test('more characters than were announced are not taken', t => {
  const { observation, errors } = live()
  const frames = framesOf([[['', {}]]], { bytes: 8 })
  observation.receive(frames.begin)
  for (const piece of frames.pieces) observation.receive(piece, 8 + 512 + 1)
  t.match(errors, [{ code: 'FANFOLD_GAP' }])
  t.equal(observation.status, 'stale')
  t.end()
})

t.test('a view of as many bytes as may be is taken, one of more ends it', t => {
  const { observation, calls } = live({ snapshotBytesMax: 100 })
  const { all } = framesOf([[['', { count: 11 }]]], { seq: 11, bytes: 100 })
  for (const frame of all) observation.receive(frame)
  t.match(observation, { seq: 11, status: 'live' })
  for (const frame of framesOf([[['', {}]]], { bytes: 101 }).all) observation.receive(frame)
  t.match(observation, {
    status: 'closed',
    error: { code: 'FANFOLD_TOO_LARGE', message: 'a view of at most 100 bytes, got 101' },
  })
  t.same(calls, ['left'])
  t.end()
})

t.test('what was lost with the line is not gone on with', t => {
  const { observation, attach } = build()
  attach()
  const { begin, pieces, end } = inPieces()
  observation.receive(begin)
  for (const piece of pieces.slice(0, -1)) observation.receive(piece)
  observation.detach()
  attach()
  for (const piece of pieces.slice(-1)) observation.receive(piece)
  observation.receive(end)
  t.equal(observation.view, undefined)
  for (const frame of inPieces().all) observation.receive(frame)
  t.equal(observation.seq, 10)
  t.end()
})

t.test('a snapshot, or one in pieces, takes the place of the one under way', t => {
  for (const next of [[snapshot({ seq: 12 })], inPieces(12).all]) {
    const { observation } = live()
    const { begin, pieces, end } = inPieces(11)
    for (const frame of [begin, ...pieces.slice(0, 2), ...next]) observation.receive(frame)
    t.equal(observation.seq, 12)
    observation.receive(end)
    t.match(observation, { seq: 12, status: 'live' })
  }
  t.end()
})

t.test('an end in the middle is the end', t => {
  const { observation, attach } = build()
  attach()
  observation.receive(inPieces().begin)
  observation.receive({ type: 'left', doc, reason: 'FANFOLD_DELETED' })
  t.match(observation, { status: 'closed', error: { code: 'FANFOLD_DELETED' } })
  t.end()
})

t.test('another view state meanwhile is answered behind the end', t => {
  const { observation, attach, asked } = build({ viewState: { page: 1 } })
  attach()
  const { begin, pieces, end } = inPieces()
  observation.receive(begin)
  observation.setViewState({ page: 2 })
  t.match(asked.at(-1), { type: 'viewState', viewState: { page: 2 } })
  for (const frame of [...pieces, end]) observation.receive(frame)
  t.match(observation, { view: { count: 10 } })
  const patch = [{ op: 'replace', path: '/count', value: 'second' }]
  observation.receive(delta({ from: 10, seq: 10, position: 'm', patch }))
  t.match(observation, { view: { count: 'second' }, status: 'live' })
  t.end()
})

t.test('another view state meanwhile is answered by a snapshot that begins anew', t => {
  const { observation, attach, asked, errors } = build({ viewState: { page: 1 } })
  attach()
  observation.receive(inPieces().begin)
  observation.setViewState({ page: 2 })
  for (const frame of inPieces(11).all) observation.receive(frame)
  t.match(observation, { seq: 11, status: 'live' })
  observation.setViewState({ page: 'x' })
  const invalid = { type: 'refused', doc, code: 'FANFOLD_INVALID_VIEW_STATE' } as const
  observation.receive({ ...invalid, message: 'page is a number' })
  t.match(errors, [{ code: 'FANFOLD_INVALID_VIEW_STATE' }])
  observation.detach()
  attach()
  t.match(asked.at(-1), { viewState: { page: 2 } }, 'what is shown is asked for')
  t.end()
})

t.test('a view state that is refused meanwhile leaves the pieces as they are', t => {
  const { observation } = live({ viewState: { page: 1 } })
  const { begin, pieces, end } = inPieces(11)
  observation.receive(begin)
  observation.setViewState({ page: 'x' })
  const invalid = { type: 'refused', doc, code: 'FANFOLD_INVALID_VIEW_STATE' } as const
  observation.receive({ ...invalid, message: 'page is a number' })
  for (const frame of [...pieces, end]) observation.receive(frame)
  t.match(observation, { seq: 11, status: 'live' })
  t.end()
})

t.test('the rate is asked for again on every line', t => {
  const { observation, attach, asked } = live({ maxRate: 2.5 })
  observation.detach()
  attach()
  observation.receive(delta({ seq: 20 }))
  t.match(asked, [
    { type: 'observe', maxRate: 2.5, from: undefined },
    { type: 'observe', maxRate: 2.5, from: 'p1.10' },
    { type: 'observe', maxRate: 2.5, from: undefined },
  ])
  t.end()
})
