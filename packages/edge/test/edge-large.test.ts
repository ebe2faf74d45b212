import type { JsonObject } from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import type { ViewerId } from '@fanfold/protocol'
import t from 'tap'
import type { EdgeEffect } from '../src/edge-effect.ts'
import { rangesOf } from './build-edge.ts'
import { define, doc, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, fragile, rule } from './rules.ts'

const one = viewer(1)
const two = viewer(2)
/** Some 300 kB: five pieces. */
const rows = (count = 300): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`row${at}`, 'x'.repeat(1_000)]))
const definition = define({
  rules: [rule('/secret', audience => audience['premium'] === true)],
  observe: byClaims,
})

function large(options: { dense?: boolean; limits?: object; bytes?: number } = {}): Show {
  const { dense = false, limits = {}, bytes = 100_000 } = options
  const shown = dense
    ? define({ ...definition, observe: { ...byClaims, numbering: 'dense' } })
    : definition
  return new Show(
    shown,
    { n: 0, secret: 'hidden', rows: rows() },
    {
      limits: { largeStateBytes: bytes, ...limits },
      ring: { bytesMax: 10_000_000, ageMax: milliseconds(60_000) },
    },
  )
}

const effectsOf = (effects: readonly EdgeEffect[], kind: EdgeEffect['kind']): EdgeEffect[] =>
  effects.filter(effect => effect.kind === kind)

function join(
  show: Show,
  id: ViewerId,
  options: Parameters<Show['rig']['observe']>[1] = {},
): Model {
  show.rig.open(id, { claims: { premium: false } })
  show.rig.observe(id, options)
  return new Model()
}

t.test('the view of a large document comes in pieces, and deltas follow', async t => {
  const show = large()
  const model = join(show, one)
  const frames = show.rig.got(one)
  t.match(rangesOf(frames), ['snapshot-begin', 'snapshot-piece'])
  t.same(model.take(frames).view, { n: 0, rows: rows() })
  show.change(put('/n', 1))
  t.same(rangesOf(show.rig.got(one)), ['2>3'])
})

t.test('the worker makes the view of a cohort once for all who come', async t => {
  const show = large()
  show.rig.isSwift = false
  join(show, one)
  join(show, two)
  t.equal(effectsOf(show.rig.effects(), 'worker-view').length, 1)
  show.rig.finish()
  join(show, viewer(3))
  show.rig.finish()
  const effects = show.rig.effects()
  t.equal(effectsOf(effects, 'worker-view').length, 0)
  const frames = effects.flatMap(effect =>
    effect.kind === 'viewer-transfer' ? [effect.frames] : [],
  )
  t.equal(frames.length, 3)
  t.equal(new Set(frames).size, 1, 'the very same frames')
})

t.test('what happened while a view was on its way is told after it', async t => {
  for (const dense of [false, true]) {
    const show = large({ dense })
    show.rig.isSwift = false
    const model = join(show, one)
    show.change(put('/n', 1))
    show.rig.work()
    show.change(put('/secret', 'still hidden'))
    show.rig.sendOn(one, 2)
    show.change(put('/n', 2))
    t.notOk(model.take(show.rig.got(one)).view, 'nothing is shown before all is there')
    show.rig.finish()
    model.take(show.rig.got(one))
    t.same(model.view, { n: 2, rows: rows() })
    show.change(put('/n', 3))
    t.equal(model.take(show.rig.got(one)).view?.['n'], 3)
    t.equal(model.problem, undefined)
  }
})

t.test('what is too much to be sent at once is sent as fast as the viewer takes it', async t => {
  for (const dense of [false, true]) {
    const show = large({ dense })
    const changes = (from: number, to: number): void => {
      for (let n = from; n < to; n++) show.change(put('/n', n))
    }
    show.rig.isSwift = false
    const model = join(show, one)
    show.rig.work()
    show.rig.effects()
    changes(1, 21)
    model.take(show.rig.got(one))
    show.rig.sendOn(one)
    const [next] = effectsOf(show.rig.effects(), 'viewer-transfer')
    if (dense) t.match(next, { viewer: one, frames: { length: 20 } })
    else t.equal(next, undefined, 'one frame does for all')
    changes(21, 30)
    show.rig.sendOn(one)
    changes(30, 35)
    show.rig.finish()
    show.rig.finish()
    changes(35, 36)
    model.take(show.rig.got(one))
    t.equal(model.problem, undefined)
    t.same(model.view, { n: 35, rows: rows() })
  }
})

t.test('no turn writes a large view out', async t => {
  const show = large()
  const { stringify } = JSON
  let longest = 0
  JSON.stringify = ((...args: Parameters<typeof stringify>) => {
    const text = stringify(...args)
    longest = Math.max(longest, text?.length ?? 0)
    return text
  }) as typeof stringify
  show.rig.isSwift = false
  try {
    join(show, one)
    show.change(put('/n', 1))
    show.rig.renew(one, { claims: { premium: true } })
    show.rig.lag(one)
    show.change(put('/n', 2))
    show.rig.drain(one)
  } finally {
    JSON.stringify = stringify
  }
  // The worker of this test works in the same process, and writes pieces.
  t.ok(longest < 70_000, `${longest}`)
})

t.test(
  'a viewer that leaves, moves or loses its token in a transfer gets no more of it',
  async t => {
    for (const what of ['leave', 'move', 'refuse', 'close'] as const) {
      const show = large()
      show.rig.isSwift = false
      const model = join(show, one)
      show.rig.finish()
      show.rig.transfers.clear()
      show.rig.effects()
      show.rig.got(one)
      join(show, two)
      show.rig.sendOn(two, 2)
      show.rig.effects()
      if (what === 'leave') show.rig.request(two, { type: 'leave', doc })
      else if (what === 'move') show.rig.renew(two, { claims: { premium: true } })
      else if (what === 'refuse') show.rig.renew(two, { documents: [] })
      else show.rig.take({ kind: 'viewer-closed', viewer: two })
      const effects = show.rig.effects()
      t.equal(effectsOf(effects, 'transfer-end').length, 1, what)
      show.rig.finish()
      if (what !== 'move') continue
      model.take(show.rig.got(two))
      t.equal(model.view?.['secret'], 'hidden')
      t.equal(model.problem, undefined)
    }
  },
)

t.test(
  'who shows another token gets no more of a transfer, also while nothing can be shown',
  async t => {
    for (const isMade of [true, false]) {
      const show = large()
      show.rig.isSwift = false
      const model = join(show, one)
      if (isMade) show.rig.work()
      show.rig.sendOn(one, 2)
      show.rig.effects()
      show.history.define('second')
      show.rig.frame(show.history.last())
      show.rig.effects()
      show.rig.renew(one, { claims: { premium: true } })
      t.equal(effectsOf(show.rig.effects(), 'transfer-end').length, isMade ? 1 : 0)
      show.rig.finish()
      t.equal(effectsOf(show.rig.effects(), 'viewer-transfer').length, 0)
      show.rig.offered.set('second', definition)
      show.rig.pass(10_000)
      show.rig.finish()
      show.rig.finish()
      model.take(show.rig.got(one))
      t.equal(model.view?.['secret'], 'hidden')
      t.equal(model.problem, undefined)
    }
  },
)

t.test('a move between cohorts of a large document is a view in pieces', async t => {
  const show = large()
  const model = join(show, one)
  show.change(put('/n', 1))
  model.take(show.rig.got(one))
  show.rig.renew(one, { claims: { premium: true } })
  const frames = show.rig.got(one)
  t.equal(frames[0]?.type, 'snapshot-begin')
  t.equal(model.take(frames).view?.['secret'], 'hidden')
  show.change(put('/secret', 'seen'))
  t.equal(model.take(show.rig.got(one)).view?.['secret'], 'seen')
  t.equal(model.problem, undefined)
})

t.test('who lagged in a large document is led on by a delta, or gets the pieces', async t => {
  const show = large()
  const model = join(show, one)
  model.take(show.rig.got(one))
  show.rig.lag(one)
  show.change(put('/n', 1))
  show.change(put('/n', 2))
  show.rig.drain(one)
  t.same(rangesOf(show.rig.got(one)), ['2>4'])
})

t.test('another definition while a view is on its way begins the transfer anew', async t => {
  const show = large()
  show.rig.isSwift = false
  const model = join(show, one)
  show.rig.work()
  show.rig.sendOn(one, 3)
  show.rig.offered.set('second', define({ observe: byClaims }))
  show.history.define('second')
  show.rig.frame(show.history.last())
  show.rig.pass(10)
  show.rig.finish()
  show.rig.finish()
  model.take(show.rig.got(one))
  t.equal(model.view?.['secret'], 'hidden')
  t.equal(model.problem, undefined)
})

t.test('a worker that fails is asked once more, then the viewer is told to come again', async t => {
  const show = large()
  show.rig.isSwift = false
  const model = join(show, one)
  const fail = (): void => {
    const opened = show.rig.effects().find(effect => effect.kind === 'worker-open')
    show.rig.answers.length = 0
    if (opened?.kind !== 'worker-open') throw new Error('the worker was opened')
    const { replica } = opened
    show.rig.worker.perform({ kind: 'worker-close', replica })
    show.rig.take({ kind: 'worker-failed', replica, message: 'no room' })
  }
  fail()
  t.same(show.rig.got(one), [])
  show.rig.finish()
  show.rig.finish()
  t.same(model.take(show.rig.got(one)).view, { n: 0, rows: rows() })
  show.rig.effects()
  join(show, two)
  show.rig.take({ kind: 'viewer-closed', viewer: two })
  show.rig.effects()
  const again = large()
  again.rig.isSwift = false
  join(again, one)
  for (let time = 0; time < 2; time++) {
    const opened = again.rig.effects().find(effect => effect.kind === 'worker-open')
    again.rig.answers.length = 0
    if (opened?.kind !== 'worker-open') throw new Error('the worker was opened')
    const { replica } = opened
    again.rig.worker.perform({ kind: 'worker-close', replica })
    again.rig.take({ kind: 'worker-failed', replica, message: 'no room' })
  }
  const [refused] = again.rig.got(one)
  t.match(refused, { type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number })
  again.rig.observe(one)
  again.rig.finish()
  again.rig.finish()
  t.equal(new Model().take(again.rig.got(one)).view?.['n'], 0)
})

t.test('a view whose rules throw is refused with its code', async t => {
  const broken = define({
    rules: [
      rule('/secret', () => {
        throw new Error('the secret reason')
      }),
    ],
  })
  const show = new Show(
    broken,
    { secret: 1, rows: rows() },
    { limits: { largeStateBytes: 100_000 } },
  )
  show.rig.open(one)
  show.rig.observe(one)
  const frames = show.rig.got(one)
  t.match(frames, [{ type: 'refused', code: 'FANFOLD_RULE_FAILED' }])
  t.notMatch(JSON.stringify(frames), /reason/)
})

t.test('who asks for a view that fails makes nobody believe that it is up to date', async t => {
  const state = { broken: false, secret: 1, rows: rows() }
  const show = new Show(fragile, state, { limits: { largeStateBytes: 100_000 } })
  join(show, one)
  join(show, two)
  show.rig.got(two)
  show.rig.lag(two)
  for (let n = 0; n < 100; n++) show.change(put(`/rows/row${n}`, 'y'.repeat(9_000)))
  show.rig.got(one)
  show.change(put('/broken', true))
  t.match(show.rig.got(one), [{ type: 'status', status: 'stale' }])
  show.rig.drain(two)
  t.match(show.rig.got(two), [{ type: 'refused', code: 'FANFOLD_RULE_FAILED' }])
  t.same(show.rig.got(one), [])
})

t.test(
  'views that nobody waits for any more are not made, however many were asked for',
  async t => {
    const show = large()
    show.rig.isSwift = false
    let asked = 0
    const count = (): void => {
      asked += effectsOf(show.rig.effects(), 'worker-view').length
    }
    for (let round = 0; round < 50; round++) {
      show.rig.open(one, { claims: { premium: false } })
      show.rig.observe(one)
      show.rig.request(one, { type: 'leave', doc })
      show.change(put('/n', round))
      count()
    }
    const model = join(show, two)
    show.change(put('/n', 'last'))
    count()
    t.ok(asked <= 2, `${asked} views asked for`)
    for (let round = 0; round < 5; round++) show.rig.finish()
    count()
    t.ok(asked <= 3, `${asked} views asked for`)
    model.take(show.rig.got(two))
    t.equal(model.problem, undefined)
    t.same(model.view, { n: 'last', rows: rows() })
  },
)

t.test(
  'views that wait for the worker are those of their place, also over a snapshot of it',
  async t => {
    const show = large()
    show.rig.isSwift = false
    const ids = [1, 2, 3, 4, 5].map(viewer)
    const models = new Map<ViewerId, Model>()
    for (const id of ids) {
      show.rig.open(id, { claims: { premium: id % 2 === 0, id } })
      show.rig.observe(id)
      models.set(id, new Model())
      for (let n = 0; n < 60; n++) show.change(put('/n', `${id} ${n} ${'y'.repeat(2_000)}`))
    }
    for (let round = 0; round < 20; round++) show.rig.finish()
    for (const [id, model] of models) {
      model.take(show.rig.got(id))
      t.equal(model.problem, undefined)
      t.equal(model.view?.['n'], `5 59 ${'y'.repeat(2_000)}`, `viewer ${id}`)
    }
  },
)

t.test('a small view of a large document comes as one frame', async t => {
  const paged = define({ rules: [rule('/n', () => true)], isOpen: false })
  const show = new Show(paged, { n: 5, rows: rows() }, { limits: { largeStateBytes: 100_000 } })
  show.rig.open(one)
  show.rig.observe(one)
  t.match(show.rig.got(one), [{ type: 'snapshot', view: { n: 5 } }])
})

t.test('records do not pile up: the worker makes a snapshot that takes their place', async t => {
  const show = large()
  let encoded = 0
  for (let number = 0; number < 600; number++) {
    show.change(put('/n', 'y'.repeat(2_000)))
    encoded += effectsOf(show.rig.effects(), 'worker-encode').length
  }
  t.ok(encoded >= 2 && encoded < 10, `${encoded}`)
  join(show, one)
  t.equal(new Model().take(show.rig.got(one)).view?.['n'], 'y'.repeat(2_000))
})

t.test(
  'a document that grows is large from then on, and its worker goes when nobody asks',
  async t => {
    const show = large({ bytes: 400_000 })
    join(show, one)
    t.match(show.rig.got(one), [{ type: 'snapshot' }])
    for (let number = 0; number < 300; number++)
      show.change(put(`/rows/new${number}`, 'z'.repeat(1_000)))
    show.rig.got(one)
    join(show, two)
    t.equal(show.rig.got(two)[0]?.type, 'snapshot-begin')
    t.equal(show.rig.worker.count, 1)
    show.rig.pass(61_000)
    t.equal(show.rig.worker.count, 0)
  },
)

t.test('a view that is on its way survives that the document is written out by itself', async t => {
  const show = large({ bytes: 1_000 })
  show.rig.isSwift = false
  const model = join(show, one)
  // Far more records than the snapshot has bytes, and the worker has not answered once.
  for (let n = 0; n < 400; n++) {
    show.change(put('/rows/row0', `${n} ${'x'.repeat(5_000)}`))
    show.rig.pass(0)
  }
  show.rig.finish()
  model.take(show.rig.got(one))
  t.equal(model.problem, undefined)
  const view = { n: 0, rows: { ...rows(), row0: `399 ${'x'.repeat(5_000)}` } }
  t.same(model.view, view)
  join(show, two)
  show.rig.finish()
  t.same(new Model().take(show.rig.got(two)).view, view)
})
