import { sha256 } from '@fanfold/conformance'
import type { ViewerFrame } from '@fanfold/protocol'
import t from 'tap'
import { ResumePoints } from '../src/resume-point.ts'
import { rangesOf } from './build-edge.ts'
import { define, viewer, viewKey } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { odds } from './rules.ts'

const [free, paying, late] = [viewer(1), viewer(2), viewer(3)]
const start = { score: 0, odds: 1, late: 'x', shown: false }
const dense = { observe: { numbering: 'dense' as const } }

function market(): Show {
  const show = new Show(odds(dense), start)
  show.rig.open(free, { claims: { premium: false } })
  show.rig.open(paying, { claims: { premium: true } })
  for (const id of [free, paying]) show.rig.observe(id)
  return show
}

t.test('dense numbers count the frames of the view, and say nothing of the document', async t => {
  const show = market()
  t.match(show.rig.got(free), [{ type: 'snapshot', seq: 1, numbering: 'dense' }])
  for (let n = 0; n < 5; n++) show.change(put('/odds', n))
  show.change(put('/score', 1))
  show.change(put('/odds', 9))
  show.change(put('/score', 2))
  t.same(rangesOf(show.rig.got(free)), ['1>2', '2>3'])
  t.equal(rangesOf(show.rig.got(paying)).at(-1), '8>9')
})

t.test('who comes later begins where its cohort is', async t => {
  const show = market()
  const models = [new Model(), new Model()] as const
  show.change(put('/score', 1))
  show.change(put('/odds', 2))
  show.rig.open(late, { claims: { premium: false } })
  show.rig.observe(late)
  show.change(put('/score', 2))
  const [early, later] = [show.rig.got(free), show.rig.got(late)]
  t.match(later[0], { type: 'snapshot' })
  models[0].take(early)
  models[1].take(later)
  for (const model of models) {
    t.same([model.problem, model.seq, model.view], [undefined, 3, { score: 2, shown: false }])
  }
})

t.test('nothing that a viewer gets tells that something was hidden', async t => {
  /** All that a free viewer receives while so much that it does not see goes by. */
  const seen = (hidden: number): ViewerFrame[] => {
    const show = market()
    show.rig.observe(free)
    for (let n = 0; n < hidden; n++) show.change(put('/odds', n))
    show.history.claim()
    show.rig.frame(show.history.last())
    show.rig.observe(free)
    show.rig.lag(free)
    show.rig.drain(free)
    return show.rig.got(free)
  }
  const isPosition = (frame: ViewerFrame) => 'position' in frame && frame.position
  const strip = (frames: ViewerFrame[]) => frames.map(frame => ({ ...frame, position: '' }))
  t.same(strip(seen(3)), strip(seen(0)))
  const positions = seen(0).map(isPosition)
  t.ok(positions.length > 2)
  t.equal(new Set(positions).size, positions.length, 'they differ when nothing went by, too')
})

t.test('each frame carries the position, which another edge needs to know', async t => {
  const show = market()
  show.rig.got(free)
  show.change(put('/score', 1))
  show.change(put('/score', 2))
  const points = new ResumePoints(sha256, viewKey)
  const seqs = show.rig
    .got(free)
    .map(frame => points.open(('position' in frame && frame.position) || '')?.seq)
  t.same(seqs, [3, 4])
})

t.test('a resume is a snapshot, and none that is older than what the viewer has', async t => {
  const show = market()
  show.change(put('/score', 1))
  show.rig.got(free)
  const at = (seq: number): string => show.history.pointAt(seq, 'first', { premium: false })
  show.rig.observe(free, { from: at(3) })
  t.match(show.rig.got(free)[0], { type: 'snapshot', view: { score: 1 } })
  show.history.change(put('/score', 2))
  show.rig.observe(free, { from: at(4) })
  t.same(rangesOf(show.rig.got(free)), ['live'])
  show.rig.frame(show.history.last())
  t.match(show.rig.got(free), [{ type: 'snapshot', view: { score: 2 } }])
})

t.test('from one view to another a snapshot begins a new count', async t => {
  const show = market()
  const model = new Model().take(show.rig.got(free))
  for (let n = 0; n < 5; n++) show.change(put('/odds', n))
  show.rig.renew(free, { claims: { premium: true } })
  const frames = show.rig.got(free)
  t.match(frames, [{ type: 'snapshot', seq: 6, numbering: 'dense' }])
  model.take(frames)
  show.change(put('/odds', 7))
  t.match(model.take(show.rig.got(free)).view, { odds: 7 })
  t.equal(model.problem, undefined)
})

t.test('a definition may change the numbering', async t => {
  const show = market()
  const model = new Model().take(show.rig.got(free))
  show.rig.load('second', odds())
  show.history.define('second')
  show.rig.frame(show.history.last())
  show.change(put('/score', 1))
  t.same(rangesOf(show.rig.got(paying)), ['=1', '=3', '3>4'])
  show.rig.load('third', define(dense))
  show.history.define('third')
  show.rig.frame(show.history.last())
  t.match(model.take(show.rig.got(free)).view, { odds: 1, score: 1 })
  show.change(put('/score', 2))
  t.match(model.take(show.rig.got(free)).view, { score: 2 })
  t.equal(model.problem, undefined)
})
