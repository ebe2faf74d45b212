import t from 'tap'
import { rangesOf } from './build-edge.ts'
import { define, doc, hashOf, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, odds, paged, rule } from './rules.ts'

const [free, paying] = [viewer(1), viewer(2)]
const start = { score: 0, odds: 1, late: 'x', shown: false }

/** A free viewer and a paying one, and what they have seen. */
function market(overrides: Parameters<typeof odds>[0] = {}): {
  show: Show
  models: [Model, Model]
  take: () => void
} {
  const show = new Show(odds(overrides), start)
  show.rig.open(free, { claims: { premium: false } })
  show.rig.open(paying, { claims: { premium: true } })
  for (const id of [free, paying]) show.rig.observe(id)
  const models: [Model, Model] = [new Model(), new Model()]
  const take = (): void => {
    models[0].take(show.rig.got(free))
    models[1].take(show.rig.got(paying))
  }
  take()
  return { show, models, take }
}

/** Under this one the score is hidden, the odds are not. */
const hidden = define({
  rules: [rule('/score', audience => audience['premium'] === true)],
  observe: byClaims,
})

t.test('a new definition gives everybody the exact difference, and disconnects nobody', async t => {
  const { show, models, take } = market()
  show.rig.load('second', hidden)
  show.history.define('second')
  show.rig.frame(show.history.last())
  const frames = show.rig.got(free)
  t.match(frames, [{ type: 'delta', from: 2, seq: 3 }])
  models[0].take(frames)
  take()
  t.same(models[0].view, { odds: 1, late: 'x', shown: false })
  t.same(models[1].view, { ...start })
  t.equal(models[0].position, show.history.pointAt(3, 'second', { premium: false }))
  show.change(put('/odds', 2), put('/score', 5))
  take()
  t.same(models[0].view, { odds: 2, late: 'x', shown: false })
  t.same([models[0].problem, models[1].problem], [undefined, undefined])
})

t.test('the difference is made once for all that go the same way', async t => {
  const show = new Show(odds(), start)
  for (let number = 1; number <= 40; number++) {
    show.rig.open(viewer(number), { claims: { premium: number % 2 === 0 } })
    show.rig.observe(viewer(number))
  }
  show.rig.load('second', hidden)
  show.rig.effects()
  show.history.define('second')
  show.rig.frame(show.history.last())
  const frames = show.rig
    .effects()
    .flatMap(effect => (effect.kind === 'cohort-move' ? [effect.frame] : []))
  t.equal(frames.length, 40)
  t.equal(new Set(frames).size, 2)
})

t.test('records before it are shown by the old one, records after it by the new one', async t => {
  const { show, models, take } = market()
  show.rig.load('second', hidden)
  show.history.change(put('/score', 1), put('/odds', 2))
  show.history.define('second')
  show.history.change(put('/score', 3), put('/odds', 4))
  show.rig.frame(show.history.last(3))
  const frames = show.rig.got(free)
  t.match(frames, [
    { from: 2, seq: 3, patch: [{ path: '/score', value: 1 }] },
    { from: 3, seq: 4 },
    { from: 4, seq: 5, patch: [{ path: '/odds', value: 4 }] },
  ])
  models[0].take(frames)
  take()
  t.same(models[0].view, { odds: 4, late: 'x', shown: false })
})

t.test('what the record itself moves is part of the difference', async t => {
  const { show, models, take } = market()
  show.rig.load('second', hidden)
  show.history.define('second', [], [put('/odds', 9), { op: 'remove', path: '/late' }])
  show.rig.frame(show.history.last())
  take()
  t.same(models[0].view, { odds: 9, shown: false })
  t.same(models[1].view, { score: 0, odds: 9, shown: false })
  t.equal(models[0].problem, undefined)
})

t.test('who the new definition does not let in is refused, the others stay', async t => {
  const { show, models, take } = market()
  const allow = ({ claims }: { claims: Readonly<Record<string, unknown>> }): boolean =>
    claims['premium'] === true
  show.rig.load('second', define({ observe: { ...byClaims, allow } }))
  show.history.define('second')
  show.rig.frame(show.history.last())
  t.match(show.rig.got(free), [{ type: 'refused', code: 'FANFOLD_FORBIDDEN' }])
  take()
  t.same(models[1].view, start)
  show.change(put('/score', 1))
  t.same(show.rig.got(free), [])
  t.match(rangesOf(show.rig.got(paying)), ['3>4'])
})

t.test('nobody is refused for good by what the document was a while ago', async t => {
  const { show } = market()
  const allow = ({ claims }: { claims: Readonly<Record<string, unknown>> }): boolean =>
    claims['premium'] === true
  show.rig.load('closed', define({ observe: { ...byClaims, allow } }))
  show.rig.load('open', define())
  show.rig.closeParent()
  show.history.define('closed')
  show.history.define('open')
  show.rig.openParent()
  show.rig.frame(...show.history.snapshot(239, 3))
  const late = viewer(3)
  show.rig.open(late, { claims: { premium: false } })
  show.rig.observe(late)
  t.same(show.rig.got(late), [], 'the parent has more')
  show.rig.renew(late, { claims: { premium: false } })
  show.rig.turn()
  t.same(show.rig.got(late), [], 'and looks at it no more than once')
  show.rig.frame(show.history.last())
  t.same(rangesOf(show.rig.got(late)), ['=4'])
})

t.test('viewers whose audiences fall together are one cohort then', async t => {
  const { show, models, take } = market()
  show.rig.load('second', define())
  show.history.define('second')
  show.rig.frame(show.history.last())
  t.equal(show.rig.edge.cohortCount, 1)
  take()
  t.same([models[0].view, models[1].view], [start, start])
  show.change(put('/odds', 5))
  take()
  t.same([models[0].problem, models[1].problem], [undefined, undefined])
})

t.test('a view state that the new definition does not take is none', async t => {
  const show = new Show(paged(), { title: 'T', pages: { a: 'A' } })
  show.rig.open(free)
  show.rig.observe(free, { viewState: { page: 'a' } })
  const model = new Model().take(show.rig.got(free))
  show.rig.load('second', define())
  show.history.define('second')
  show.rig.frame(show.history.last())
  t.same(model.take(show.rig.got(free)).view, { title: 'T', pages: { a: 'A' } })
  t.equal(model.problem, undefined)
})

t.test('a viewer that lags over a new definition gets its snapshot when it drains', async t => {
  const { show, models } = market()
  show.rig.lag(free)
  show.change(put('/score', 1))
  show.rig.load('second', hidden)
  show.history.define('second')
  show.rig.frame(show.history.last())
  t.same(show.rig.got(free), [])
  show.rig.drain(free)
  const frames = show.rig.got(free)
  t.same(rangesOf(frames), ['=4'])
  t.same(models[0].take(frames).view, { odds: 1, late: 'x', shown: false })
})

t.test('a document that no definition shows waits for one, and says so', async t => {
  for (const isNamed of [true, false]) {
    const show = new Show(define({ observe: {} }), start)
    show.rig.open(free)
    show.rig.observe(free)
    const model = new Model().take(show.rig.got(free))
    show.rig.load('nobody', { ...define(), observe: undefined })
    show.history.define(isNamed ? 'nobody' : undefined)
    show.rig.frame(show.history.last())
    const refused = { type: 'refused', doc, code: 'FANFOLD_NO_DEFINITION', retryAfter: 2_000 }
    t.match(show.rig.got(free), [refused])
    show.rig.open(paying)
    show.rig.observe(paying)
    t.match(show.rig.got(paying), [refused])
    show.change(put('/score', 7))
    t.same(show.rig.got(free), [], 'what nobody may see is not shown')
    show.rig.load('second', define())
    show.history.define('second')
    show.rig.frame(show.history.last())
    t.match(model.take(show.rig.got(free)).view, { score: 7 })
    t.match(show.rig.got(paying), [{ type: 'snapshot', seq: 5 }])
    t.equal(model.problem, undefined)
  }
})

t.test('an old position leads to a snapshot under a new definition', async t => {
  const { show, models } = market()
  const from = show.history.pointAt(2, 'first', { premium: false })
  show.rig.load('second', hidden)
  show.history.define('second')
  show.rig.frame(show.history.last())
  show.rig.got(free)
  show.rig.observe(free, { from })
  t.same(rangesOf(show.rig.got(free)), ['=3', 'live'])
  t.ok(models.length > 0 && hashOf('first') !== hashOf('second'))
})
