import { sha256 } from '@fanfold/conformance'
import t from 'tap'
import { ResumePoints } from '../src/resume-point.ts'
import { live, rangesOf } from './build-edge.ts'
import { define, hashOf, pointAt, positionAt, records, viewer, viewKey } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { odds } from './rules.ts'

const one = viewer(1)
const two = viewer(2)

t.test('a viewer resumes by one delta over all that it missed', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  for (const [number, seq, expected] of [
    [2, 15, ['15>20', 'live']],
    [3, 20, ['live']],
    [4, 10, ['10>20', 'live']],
  ] as const) {
    rig.open(viewer(number))
    rig.observe(viewer(number), { from: pointAt(seq) })
    const frames = rig.got(viewer(number))
    t.same(rangesOf(frames), expected)
    if (seq === 20) continue
    t.match(frames[0], { patch: [{ path: '/n', value: 20 }], position: pointAt(20) })
  }
})

t.test('from a place that the edge does not know, a viewer gets a snapshot', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  const points = new ResumePoints(sha256, viewKey)
  const tag = points.tag(hashOf('open'), {}, undefined)
  const other = points.seal({ ...positionAt(15), hash: new Uint8Array(32) }, tag)
  for (const [number, from] of [
    [2, pointAt(9)],
    [4, other],
    [5, 'nonsense'],
  ] as const) {
    rig.open(viewer(number))
    rig.observe(viewer(number), { from })
    const [first, ...rest] = rig.got(viewer(number))
    t.equal(first?.type, 'snapshot', from)
    const ends = rest.filter(({ type }) => type === 'delta').at(-1) ?? first
    t.equal(ends?.type === 'delta' || ends?.type === 'snapshot' ? ends.seq : 0, 20)
  }
})

t.test('a viewer that is further on than the edge is not taken back: it waits', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  const ahead = viewer(2)
  rig.open(ahead)
  rig.observe(ahead, { from: pointAt(22) })
  t.match(rig.got(ahead), [{ type: 'status', status: 'live' }], 'and is answered')
  rig.frame(records(21, 21))
  t.same(rig.got(ahead), [])
  rig.frame(records(22, 24))
  t.same(rangesOf(rig.got(ahead)), ['22>24'])
  rig.frame(records(25, 25))
  t.same(rangesOf(rig.got(ahead)), ['24>25'])
})

t.test('a viewer that lagged gets no snapshot older than what it had', async t => {
  const rig = live()
  rig.open(viewer(2))
  rig.observe(viewer(2))
  rig.got(one)
  rig.lag(one)
  rig.frame(records(11, 12))
  rig.drain(one)
  t.same(rangesOf(rig.got(one)), ['10>12'])
})

t.test(
  'a viewer that lagged gets a snapshot where the ring holds no more what it missed',
  async t => {
    const rig = live({}, { recordsMax: 3 })
    rig.lag(one)
    rig.frame(records(11, 15))
    rig.drain(one)
    t.same(rangesOf(rig.got(one)), ['=15'])
  },
)

t.test('viewers that lagged from one place get one delta, made once', async t => {
  const rig = live()
  const many = Array.from({ length: 50 }, (_, number) => viewer(100 + number))
  for (const id of many) {
    rig.open(id)
    rig.observe(id)
    rig.got(id)
    rig.lag(id)
  }
  rig.frame(records(11, 20))
  rig.effects()
  for (const id of many) rig.drain(id)
  const frames = rig.effects().flatMap(each => (each.kind === 'viewer-send' ? each.frame : []))
  t.equal(frames.length, 50)
  t.equal(new Set(frames).size, 1)
})

t.test('a viewer that lags and drains where its cohort stands gets nothing', async t => {
  const rig = live()
  const [cohort] = rig.cohorts.keys()
  rig.effects()
  if (cohort !== undefined) {
    rig.take({ kind: 'viewer-drained', viewer: one, cohorts: [{ cohort, mark: 10 }] })
  }
  t.match(rig.effects(), [{ kind: 'cohort-enter', mark: 10 }, { kind: 'fact' }])
})

const start = { score: 0, odds: 1, late: 'x', shown: false }
const premium = { premium: true }
const free = { premium: false }

t.test('a resume is filtered like all else', async t => {
  const show = new Show(odds(), start)
  const from = show.history.pointAt(2, 'first', free)
  show.rig.open(one, { claims: free })
  show.rig.observe(one)
  show.change(put('/odds', 'the secret'))
  show.change(put('/score', 1), put('/odds', 'the secret'))
  show.change(put('/shown', true), put('/shown', false))
  show.rig.got(one)
  show.rig.observe(one, { from })
  const bytes = (show.rig.received.get(one) ?? []).map(each => Buffer.from(each.bytes).toString())
  t.notMatch(bytes.join(), /secret/)
  const frames = show.rig.got(one)
  t.ok(['2>5,live', '=5,live'].includes(rangesOf(frames).join()), rangesOf(frames).join())
})

t.test('a position that another audience was given leads to a snapshot', async t => {
  const show = new Show(odds(), start)
  show.rig.open(one, { claims: free })
  show.change(put('/odds', 2))
  show.change(put('/score', 2))
  for (const from of [
    show.history.pointAt(3, 'first', premium),
    show.history.pointAt(4, 'first', premium),
    show.history.pointAt(3, 'other', free),
    show.history.pointAt(3, 'first', free, { page: 1 }),
  ]) {
    show.rig.observe(one, { from })
    const [first] = show.rig.got(one)
    t.match(first, { type: 'snapshot', view: { score: 2, shown: false } })
  }
})

t.test('positions that no edge has sealed are as if there were none', async t => {
  const show = new Show(odds(), start)
  show.rig.open(one, { claims: free })
  const good = show.history.pointAt(2, 'first', free)
  const garbage = ['', '2.', good.slice(0, -1), `${good}A`, good.toLowerCase(), '1.1.2.00', '\0']
  for (const from of [...garbage, 'x'.repeat(60_000)]) {
    show.rig.observe(one, { from })
    t.same(rangesOf(show.rig.got(one)), ['=2', 'live'], from.slice(0, 20))
  }
})

t.test('a viewer that was told of more elsewhere is brought level with its cohort', async t => {
  const show = new Show(odds(), start)
  const models = [new Model(), new Model()] as const
  show.rig.open(one, { claims: free })
  show.rig.observe(one)
  models[0].take(show.rig.got(one))
  show.change(put('/odds', 2))
  show.change(put('/odds', 3))
  // At another edge the cohort was made when the document stood at 3.
  models[1].seq = 3
  models[1].view = { score: 0, shown: false }
  show.rig.open(two, { claims: free })
  show.rig.observe(two, { from: show.history.pointAt(3, 'first', free) })
  show.change(put('/score', 1))
  models[0].take(show.rig.got(one))
  models[1].take(show.rig.got(two))
  for (const model of models) {
    t.same([model.problem, model.seq, model.view], [undefined, 5, { score: 1, shown: false }])
  }
})

t.test('nothing due is the status alone, however long ago it was', async t => {
  const show = new Show(odds(), start, { ring: { recordsMax: 4 } })
  show.rig.open(one, { claims: free })
  show.rig.observe(one)
  show.rig.got(one)
  for (let n = 0; n < 20; n++) show.change(put('/odds', n))
  show.rig.open(two, { claims: free })
  show.rig.observe(two, { from: show.history.pointAt(2, 'first', free) })
  t.same(rangesOf(show.rig.got(two)), ['live'])
  show.change(put('/score', 1))
  t.same(rangesOf(show.rig.got(two)), ['2>23'])
})

t.test('a catch-up that is larger than the snapshot is the snapshot', async t => {
  const show = new Show(define(), { items: {} })
  show.rig.open(one)
  for (let n = 0; n < 30; n++) {
    show.change(put(`/items/i${n}`, 'x'.repeat(50)))
    show.change({ op: 'remove', path: `/items/i${n}` })
  }
  show.rig.observe(one, { from: show.history.pointAt(2, 'first') })
  t.same(rangesOf(show.rig.got(one)), ['=62', 'live'])
})

t.test('many that resume from one place share the frame', async t => {
  const show = new Show(odds(), { ...start, filler: 'x'.repeat(500) })
  show.change(put('/score', 1))
  for (let number = 1; number <= 20; number++) {
    show.rig.open(viewer(number), { claims: free })
    show.rig.observe(viewer(number), { from: show.history.pointAt(2, 'first', free) })
  }
  const deltas = show.rig
    .effects()
    .flatMap(effect =>
      effect.kind === 'viewer-send' && Buffer.from(effect.frame).includes('"delta"')
        ? [effect.frame]
        : [],
    )
  t.equal(deltas.length, 20)
  t.equal(new Set(deltas).size, 1)
})
