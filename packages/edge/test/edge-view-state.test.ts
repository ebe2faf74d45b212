import type { ViewerId } from '@fanfold/protocol'
import t from 'tap'
import { rangesOf } from './build-edge.ts'
import { define, doc, startMs, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, odds, paged } from './rules.ts'

const [one, two] = [viewer(1), viewer(2)]
const start = { title: 'T', pages: { a: 'A', b: 'B' } }

function book(viewers: readonly ViewerId[] = [one]): Show {
  const show = new Show(paged(), start)
  for (const id of viewers) {
    show.rig.open(id)
    show.rig.observe(id, { viewState: { page: 'a' } })
  }
  return show
}

const flip = (show: Show, id: ViewerId, page: unknown): void =>
  show.rig.request(id, { type: 'viewState', doc, viewState: { page } })

t.test('another view state is another view, by the exact difference', async t => {
  const show = book()
  const model = new Model().take(show.rig.got(one))
  t.same(model.view, { title: 'T', page: 'a', text: 'A' })
  flip(show, one, 'b')
  const frames = show.rig.got(one)
  t.match(frames, [{ type: 'delta', from: 2, seq: 2 }])
  t.same(model.take(frames).view, { title: 'T', page: 'b', text: 'B' })
  t.equal(model.position, show.history.pointAt(2, 'first', {}, { page: 'b' }), 'with its position')
  show.change(put('/pages/a', 'AA'))
  show.change(put('/pages/b', 'BB'))
  t.same(model.take(show.rig.got(one)).view, { title: 'T', page: 'b', text: 'BB' })
  t.equal(model.problem, undefined)
  t.equal(show.rig.edge.cohortCount, 1, 'the page that nobody reads is gone')
})

t.test('many who turn to the same page share bytes and work', async t => {
  const ids = Array.from({ length: 50 }, (_, index) => viewer(index + 1))
  const show = book(ids)
  show.rig.effects()
  for (const id of ids) flip(show, id, 'b')
  const moves = show.rig.effects().flatMap(effect => {
    return effect.kind === 'cohort-move' ? [effect.frame] : []
  })
  t.equal(moves.length, 50)
  t.equal(new Set(moves).size, 1)
})

t.test('ranges adjoin for who moves and for who is there, whatever was hidden', async t => {
  const show = book([one, two])
  flip(show, two, 'b')
  const [mine, theirs] = [new Model(), new Model()]
  show.change(put('/pages/b', 'BB'))
  show.change(put('/pages/c', 'hidden'))
  flip(show, one, 'b')
  show.change(put('/pages/b', 'BBB'))
  flip(show, two, 'a')
  show.change(put('/pages/a', 'AA'), put('/pages/b', 'BBBB'))
  mine.take(show.rig.got(one))
  theirs.take(show.rig.got(two))
  t.same([mine.problem, theirs.problem], [undefined, undefined])
  t.same([mine.view?.['text'], theirs.view?.['text']], ['BBBB', 'AA'])
  t.same([mine.seq, theirs.seq], [6, 6])
})

t.test('the time of what is hidden is not told by a move', async t => {
  const show = book([one, two])
  flip(show, two, 'b')
  show.rig.nowMs = 5_000
  show.change(put('/pages/c', 'hidden'))
  flip(show, one, 'b')
  flip(show, two, 'new')
  const times = [one, two].flatMap(id =>
    show.rig.got(id).flatMap(frame => (frame.type === 'delta' ? [frame.time] : [])),
  )
  t.ok(times.length > 2)
  t.notOk(times.includes(startMs + 3), 'the commit time of the hidden change')
})

t.test('a viewer that asks for the view it has is answered, and stays', async t => {
  const show = book()
  const model = new Model().take(show.rig.got(one))
  flip(show, one, 'a')
  const frames = show.rig.got(one)
  t.match(frames, [{ type: 'delta', from: 2, seq: 2, patch: [] }])
  t.equal(model.take(frames).problem, undefined)
})

t.test('a view state that the schema refuses is not quoted, and changes nothing', async t => {
  const show = book()
  show.rig.got(one)
  for (const viewState of [{ page: 7 }, 'the secret', null, { page: 'x'.repeat(5_000) }]) {
    show.rig.request(one, { type: 'viewState', doc, viewState })
    const bytes = Buffer.from(show.rig.received.get(one)?.[0]?.bytes ?? []).toString()
    t.match(show.rig.got(one), [{ type: 'refused', code: 'FANFOLD_INVALID_VIEW_STATE' }])
    t.notMatch(bytes, /secret|xxx/)
  }
  show.change(put('/pages/a', 'AA'))
  t.match(rangesOf(show.rig.got(one)), ['2>3'], 'it goes on as it was')
})

t.test('a viewer need not say what it looks at', async t => {
  const show = book()
  const model = new Model().take(show.rig.got(one))
  show.rig.request(one, { type: 'viewState', doc, viewState: undefined })
  t.match(model.take(show.rig.got(one)).view, { page: 'a', text: 'A' })
  show.rig.open(two)
  show.rig.observe(two)
  t.match(show.rig.got(two), [{ type: 'snapshot', view: { page: 'a' } }])
  t.equal(model.problem, undefined)
})

t.test('observing with a view state that is none is refused for good', async t => {
  const show = new Show(paged(), start)
  show.rig.open(one)
  for (const viewState of [{ page: 7 }, null, 'x'.repeat(5_000)]) {
    show.rig.observe(one, { viewState })
    t.match(show.rig.got(one), [{ code: 'FANFOLD_INVALID_VIEW_STATE', retryAfter: undefined }])
  }
  const plain = new Show(define(), start)
  plain.rig.open(one)
  plain.rig.observe(one, { viewState: { page: 'a' } })
  t.match(plain.rig.got(one), [{ code: 'FANFOLD_NO_VIEW_STATE' }])
})

t.test('a view state for what is not observed is refused', async t => {
  const show = book()
  show.rig.open(two)
  flip(show, two, 'b')
  t.match(show.rig.got(two), [{ code: 'FANFOLD_NOT_OBSERVED', doc }])
})

t.test('a view state that comes while the viewer waits takes the place of the first', async t => {
  const show = book()
  const rig = show.rig
  rig.open(two)
  rig.observe(two, {
    viewState: { page: 'a' },
    from: show.history.pointAt(0, 'first').slice(0, 4),
  })
  rig.got(two)
  show.history.change(put('/title', 'U'))
  const ahead = show.history.pointAt(3, 'first', {}, { page: 'a' })
  rig.observe(two, { viewState: { page: 'a' }, from: ahead })
  flip(show, two, 'b')
  rig.got(two)
  rig.frame(show.history.last())
  t.match(new Model().take(rig.got(two)).view, { title: 'U', page: 'b' })
})

t.test('a viewer that lags and asks for another view gets its snapshot when it drains', async t => {
  const show = book()
  const model = new Model().take(show.rig.got(one))
  show.rig.lag(one)
  show.change(put('/pages/a', 'AA'))
  flip(show, one, 'b')
  t.same(show.rig.got(one), [])
  show.change(put('/pages/b', 'BB'))
  show.rig.drain(one)
  const frames = show.rig.got(one)
  t.match(frames, [{ type: 'snapshot', view: { page: 'b', text: 'BB' } }])
  model.take(frames)
  show.change(put('/pages/b', 'BBB'))
  t.same(model.take(show.rig.got(one)).view, { title: 'T', page: 'b', text: 'BBB' })
  t.equal(model.problem, undefined)
})

t.test('a viewer that lags and asks for the view it has gets it when it drains', async t => {
  const show = book()
  const model = new Model().take(show.rig.got(one))
  show.rig.lag(one)
  show.change(put('/pages/a', 'AA'))
  flip(show, one, 'a')
  t.same(show.rig.got(one), [], 'no range that it does not have')
  show.rig.drain(one)
  t.same(model.take(show.rig.got(one)).view, { title: 'T', page: 'a', text: 'AA' })
  t.equal(model.problem, undefined)
})

t.test('a flood of view states leaves one cohort', async t => {
  const show = book()
  const model = new Model()
  for (let page = 0; page < 500; page++) flip(show, one, `p${page}`)
  t.equal(show.rig.edge.cohortCount, 1)
  t.same(model.take(show.rig.got(one)).view, { title: 'T', page: 'p499', text: null })
  t.equal(model.problem, undefined)
})

t.test('a token with other claims takes a viewer to another view', async t => {
  const show = new Show(odds(), { odds: 1, score: 0, late: 1, shown: false })
  show.rig.open(one, { claims: { premium: false } })
  show.rig.observe(one)
  const model = new Model().take(show.rig.got(one))
  show.rig.renew(one, { claims: { premium: false } })
  t.same(show.rig.got(one), [], 'the same claims are nothing new')
  show.rig.renew(one, { claims: { premium: true } })
  t.same(model.take(show.rig.got(one)).view, { odds: 1, score: 0, shown: false })
  show.rig.renew(one, { claims: {} })
  t.same(model.take(show.rig.got(one)).view, { score: 0, shown: false })
  t.equal(model.problem, undefined)
})

t.test('a token that the policy refuses ends it, with what went before', async t => {
  const allow = ({ claims }: { claims: Readonly<Record<string, unknown>> }): boolean =>
    claims['banned'] !== true
  const show = new Show(define({ observe: { ...byClaims, allow } }), { n: 0 })
  show.rig.open(one)
  show.rig.observe(one)
  show.rig.got(one)
  show.rig.renew(one, { claims: { banned: true } })
  t.match(show.rig.got(one), [{ type: 'refused', code: 'FANFOLD_FORBIDDEN' }])
  show.change(put('/n', 1))
  t.same(show.rig.got(one), [])
  t.equal(show.rig.edge.cohortCount, 0)
})
