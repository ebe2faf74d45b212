/* Views that are computed, of a document of which records come together. */
import type { EdgeDefinition } from '@fanfold/definition'
import type { PatchOperation } from '@fanfold/document'
import t from 'tap'
import { rangesOf } from './build-edge.ts'
import { define, startMs, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, rule } from './rules.ts'

const one = viewer(1)

/** Everybody sees the double of what is open, and who pays that of what is not; odd states fail it. */
function doubling(counts: { views: number }): EdgeDefinition {
  return define({
    rules: [rule('/hidden', audience => audience['premium'] === true)],
    view: visible => {
      counts.views++
      const { open, hidden } = visible as { open: number; hidden?: number }
      if (open === 13) throw new Error('unlucky')
      return hidden === undefined ? { open: open * 2 } : { open: open * 2, hidden: hidden * 2 }
    },
    observe: byClaims,
  })
}

function doubled(): { show: Show; counts: { views: number }; model: Model } {
  const counts = { views: 0 }
  const show = new Show(doubling(counts), { open: 0, hidden: 0 })
  show.rig.open(one)
  show.rig.observe(one)
  const model = new Model().take(show.rig.got(one))
  counts.views = 0
  return { show, counts, model }
}

/** Changes that the edge hears of in one frame. */
function changeTogether(show: Show, ...patches: PatchOperation[]): void {
  for (const patch of patches) show.history.change(patch)
  show.rig.frame(show.history.last(patches.length))
}

t.test('the view is computed once for all records that come together', async t => {
  const { show, counts, model } = doubled()
  changeTogether(show, ...[1, 2, 3, 4, 5].map(open => put('/open', open)))
  const frames = show.rig.got(one)
  t.same(rangesOf(frames), ['2>7'])
  t.same(model.take(frames).view, { open: 10 })
  t.equal(counts.views, 1)
  show.change(put('/open', 6))
  t.same(model.take(show.rig.got(one)).view, { open: 12 })
  t.equal(model.problem, undefined)
})

t.test('nobody is told of records that change nothing in the view, nor of their time', async t => {
  const { show, model } = doubled()
  changeTogether(show, put('/hidden', 1), put('/hidden', 2))
  t.same(show.rig.got(one), [])
  changeTogether(show, put('/open', 1), put('/open', 0))
  t.same(show.rig.got(one), [], 'what was so between two records was seen by nobody')
  show.rig.nowMs = 5_000
  changeTogether(show, put('/open', 1), put('/hidden', 3))
  const frames = show.rig.got(one)
  t.match(frames, [{ type: 'delta', from: 2, seq: 8, time: startMs + 5_000 }])
  t.same(model.take(frames).view, { open: 2 })
})

t.test('a view that fails in between has not failed', async t => {
  const { show, model } = doubled()
  changeTogether(show, put('/open', 13), put('/open', 14))
  const frames = show.rig.got(one)
  t.same(rangesOf(frames), ['2>4'])
  t.same(model.take(frames).view, { open: 28 })
})

t.test('a view that fails in the end is stale, and goes on when it works again', async t => {
  const { show, model } = doubled()
  changeTogether(show, put('/open', 12), put('/open', 13))
  const frames = show.rig.got(one)
  t.match(frames, [{ type: 'status', status: 'stale', code: 'FANFOLD_RULE_FAILED' }])
  t.same(model.take(frames).view, { open: 0 })
  changeTogether(show, put('/hidden', 1), put('/open', 13), put('/open', 15))
  const mended = show.rig.got(one)
  t.same(rangesOf(mended), ['=7', 'live'])
  t.same(model.take(mended).view, { open: 30 })
  t.equal(model.problem, undefined)
})

t.test('a definition among the records is where they part', async t => {
  const { show, model } = doubled()
  show.rig.load(
    'second',
    define({ view: visible => ({ minus: -Number(Reflect.get(Object(visible), 'open')) }) }),
  )
  for (const open of [1, 2]) show.history.change(put('/open', open))
  show.history.define('second')
  for (const open of [3, 4]) show.history.change(put('/open', open))
  show.rig.frame(show.history.last(5))
  const frames = show.rig.got(one)
  t.same(rangesOf(frames), ['2>4', '4>5', '5>7'])
  t.same(model.take(frames).view, { minus: -4 })
  t.equal(model.problem, undefined)
})

t.test('a viewer at its own pace is led on as ever', async t => {
  const { show } = doubled()
  const slow = viewer(2)
  show.rig.open(slow)
  show.rig.observe(slow, { maxRate: 10 })
  const model = new Model().take(show.rig.got(slow))
  changeTogether(show, put('/open', 1), put('/open', 2))
  show.rig.pass(200)
  changeTogether(show, put('/open', 3), put('/open', 4))
  show.rig.pass(200)
  t.same(model.take(show.rig.got(slow)).view, { open: 8 })
  t.equal(model.problem, undefined)
})
