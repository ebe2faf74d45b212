import type { JsonObject } from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import type { ViewerFrame } from '@fanfold/protocol'
import t from 'tap'
import { rangesOf } from './build-edge.ts'
import { define, doc, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, odds, paged, rule } from './rules.ts'

const one = viewer(1)
const two = viewer(2)
const start: JsonObject = { score: 0, odds: 1, late: 'x', shown: false, bulk: 'b'.repeat(1_000) }

/** A document of which the first viewer wants two deltas a second, and the second one all. */
function paced(definition = odds(), state: JsonObject = start): Show {
  const show = new Show(definition, state, {
    ring: { bytesMax: 10_000_000, ageMax: milliseconds(60_000) },
  })
  for (const id of [one, two]) show.rig.open(id, { claims: { premium: false } })
  show.rig.observe(one, { maxRate: 2 })
  show.rig.observe(two)
  return show
}

t.test('a viewer is told as often as it wants, by one delta over all that happened', async t => {
  const show = paced()
  const model = new Model().take(show.rig.got(one))
  const seen: ViewerFrame[] = []
  for (let count = 1; count <= 100; count++) {
    show.rig.pass(20)
    show.change(put('/score', count))
    seen.push(...show.rig.got(one))
  }
  t.equal(show.rig.got(two).filter(frame => frame.type === 'delta').length, 100)
  t.ok(seen.length >= 3 && seen.length <= 5, `${seen.length} in two seconds`)
  t.equal(seen[0]?.type === 'delta' && seen[0].seq, 3, 'the first one at once')
  show.rig.pass(500)
  model.take([...seen, ...show.rig.got(one)])
  t.equal(model.view?.['score'], 100)
  t.equal(model.problem, undefined)
  show.rig.pass(5_000)
  t.same(show.rig.got(one), [], 'and of nothing when nothing happens')
})

t.test('viewers of one pace are one cohort, whose frames are made once', async t => {
  const show = paced()
  show.rig.open(viewer(3), { claims: { premium: false } })
  show.rig.observe(viewer(3), { maxRate: 2 })
  show.rig.open(viewer(4), { claims: { premium: false } })
  show.rig.observe(viewer(4), { maxRate: 3 })
  t.equal(show.rig.edge.cohortCount, 3)
  show.rig.effects()
  show.change(put('/score', 1))
  t.equal(show.rig.effects().filter(effect => effect.kind === 'cohort-send').length, 3)
})

t.test('what a paced viewer does not see costs it no frame', async t => {
  const show = paced()
  show.rig.got(one)
  for (let count = 0; count < 20; count++) {
    show.change(put('/odds', 'the secret'))
    show.rig.pass(100)
  }
  t.same(show.rig.got(one), [])
  show.change(put('/score', 1))
  t.same(rangesOf(show.rig.got(one)), ['2>23'])
})

t.test('no rule is asked for a paced cohort when a record comes', async t => {
  let asked = 0
  const counted = define({ rules: [rule('/odds', () => ++asked > 0)], observe: byClaims })
  const show = new Show(counted, start)
  show.rig.open(one)
  show.rig.observe(one, { maxRate: 1 })
  show.change(put('/odds', 0))
  asked = 0
  for (let count = 1; count <= 50; count++) show.change(put('/odds', count))
  t.equal(asked, 0)
  show.rig.pass(1_000)
  t.ok(asked > 0 && asked < 5, `${asked}`)
})

t.test(
  'one that comes between two deltas sees what is now, and goes on with the next one',
  async t => {
    const show = paced()
    show.change(put('/score', 1))
    show.change(put('/score', 2))
    show.rig.got(one)
    show.rig.open(viewer(3), { claims: { premium: false } })
    show.rig.observe(viewer(3), { maxRate: 2 })
    const model = new Model().take(show.rig.got(viewer(3)))
    t.match(model, { seq: 4, view: { score: 2 } })
    show.change(put('/score', 3))
    t.same(show.rig.got(viewer(3)), [])
    show.rig.pass(500)
    t.same(rangesOf(show.rig.got(one)), ['3>5'])
    const led = show.rig.got(viewer(3))
    t.same(rangesOf(led), ['4>5'])
    show.rig.pass(500)
    show.change(put('/score', 4))
    t.same(model.take([...led, ...show.rig.got(viewer(3))]).view?.['score'], 4)
    t.equal(model.problem, undefined)
  },
)

t.test('a paced viewer resumes, and lags, as others do', async t => {
  const show = paced()
  const [first] = show.rig.got(one)
  const from = first?.type === 'snapshot' ? first.position : ''
  show.change(put('/score', 1))
  show.change(put('/score', 2))
  show.rig.observe(one, { from, maxRate: 2 })
  show.rig.pass(500)
  show.rig.got(one)
  const model = new Model()
  show.rig.observe(one, { from, maxRate: 2 })
  show.rig.pass(500)
  const frames = show.rig.got(one)
  t.ok(frames.some(frame => frame.type === 'delta' && frame.from === 2 && frame.seq === 4))
  model.seq = 4
  show.rig.lag(one)
  for (const score of [3, 4, 5]) {
    show.change(put('/score', score))
    show.rig.pass(600)
  }
  show.change(put('/score', 6))
  show.rig.drain(one)
  show.rig.pass(600)
  model.take(show.rig.got(one))
  t.equal(model.problem, undefined)
  t.match(model, { seq: 8, view: { score: 6 } })
})

t.test('who changes its view state keeps its pace, and another observe changes it', async t => {
  const pages = { pages: { a: 'A', b: 'B' }, title: 'T' }
  const show = paced(paged(), pages)
  const model = new Model().take(show.rig.got(one))
  show.change(put('/pages/a', 'A1'))
  show.change(put('/pages/a', 'A2'))
  show.rig.request(one, { type: 'viewState', doc, viewState: { page: 'b' } })
  t.match(model.take(show.rig.got(one)).view, { page: 'b', text: 'B' })
  let frames = 0
  for (let count = 1; count <= 50; count++) {
    show.rig.pass(20)
    show.change(put('/pages/b', `B${count}`))
    const got = show.rig.got(one)
    model.take(got)
    frames += got.length
  }
  t.ok(frames >= 1 && frames <= 4, `${frames} in a second`)
  show.rig.pass(500)
  t.match(model.take(show.rig.got(one)).view, { text: 'B50' })
  t.equal(model.problem, undefined)
  show.rig.observe(one, { viewState: { page: 'b' } })
  show.rig.got(one)
  for (let count = 1; count <= 5; count++) show.change(put('/pages/b', `C${count}`))
  t.equal(show.rig.got(one).length, 5)
})

t.test('with dense numbers a paced viewer is told nothing of what it does not see', async t => {
  const show = paced(odds({ observe: { numbering: 'dense' } }))
  const model = new Model().take(show.rig.got(one))
  for (let count = 0; count < 10; count++) {
    show.change(put('/odds', count))
    show.rig.pass(600)
  }
  t.same(show.rig.got(one), [])
  show.change(put('/score', 1))
  show.change(put('/score', 2))
  show.rig.pass(600)
  const frames = show.rig.got(one)
  t.same(rangesOf(frames), ['1>2', '2>3'])
  t.equal(model.take(frames).view?.['score'], 2)
})

t.test('where the ring does not hold what a conflation needs, it is a snapshot', async t => {
  const show = new Show(define(), start, { ring: { recordsMax: 3 } })
  show.rig.open(one)
  show.rig.observe(one, { maxRate: 1 })
  const model = new Model().take(show.rig.got(one))
  for (let count = 0; count < 10; count++) show.change(put('/score', count))
  show.rig.got(one)
  show.rig.pass(1_000)
  const frames = show.rig.got(one)
  t.same(rangesOf(frames), ['=12'])
  t.equal(model.take(frames).view?.['score'], 9)
  t.equal(model.problem, undefined)
})

t.test(
  'a viewer that has drained and sits elsewhere now is told to be gone from where it was',
  async t => {
    const show = paced()
    show.change(put('/score', 1))
    show.rig.effects()
    show.rig.lag(one)
    show.rig.pass(500)
    show.change(put('/score', 2))
    show.rig.pass(20)
    show.change(put('/score', 3))
    show.rig.effects()
    show.rig.drain(one)
    const seats = show.rig
      .effects()
      .flatMap(effect =>
        effect.kind === 'cohort-exit' || effect.kind === 'cohort-enter' ? [effect] : [],
      )
    t.match(seats, [{ kind: 'cohort-exit' }, { kind: 'cohort-enter' }])
    t.not(seats[0]?.cohort, seats[1]?.cohort)
  },
)
