/*
 * What large views hold at an edge is bounded: who needs one more than there is room for comes again.
 */
import t from 'tap'
import type { EdgeEffect } from '../src/edge-effect.ts'
import { doc, viewer } from './edge-log.ts'
import { join, large, refusals, rows } from './hands.ts'
import { Model, put } from './history.ts'

const [one, two, three] = [viewer(1), viewer(2), viewer(3)]
const transfersOf = (effects: readonly EdgeEffect[]) =>
  effects.flatMap(effect => (effect.kind === 'viewer-transfer' ? [effect] : []))

t.test(
  'a viewer for whose view there is no room has to come again, and is served then',
  async t => {
    const show = large(25_000)
    const { rig } = show
    const model = join(show, one, 'a')
    join(show, two, 'b')
    rig.work()
    const [refused, ...more] = rig.got(two)
    t.match(refused, { type: 'refused', doc, code: 'FANFOLD_OVERLOADED' })
    const wait = refused?.type === 'refused' ? refused.retryAfter : undefined
    t.ok(wait !== undefined && wait >= 500 && wait < 2_500, `${wait}`)
    t.same(more, [])
    rig.finish()
    t.equal(model.take(rig.got(one)).view?.['n'], 0)
    rig.pass(100_000)
    rig.finish()
    show.change(put('/n', 1))
    t.same(rig.got(two), [], 'the edge has let the request go')
    rig.request(two, { type: 'viewState', doc, viewState: 1 })
    t.match(rig.got(two), [{ type: 'refused', code: 'FANFOLD_NOT_OBSERVED' }])
    rig.observe(two)
    rig.finish()
    t.equal(new Model().take(rig.got(two)).view?.['n'], 1)
  },
)

t.test('what is said of when to come again differs from viewer to viewer', async t => {
  const show = large(25_000)
  join(show, one, 'a')
  const waits = new Set<number | undefined>()
  for (let number = 2; number < 12; number++) {
    join(show, viewer(number), 'b')
    for (const { retryAfter } of refusals(show.rig.got(viewer(number)))) waits.add(retryAfter)
  }
  t.ok(waits.size > 5, `${waits.size}`)
})

t.test('a view that is kept takes a share again when it is sent once more', async t => {
  const show = large(25_000)
  const { rig } = show
  for (const [id, who] of [
    [one, 'a'],
    [two, 'b'],
  ] as const) {
    join(show, id, who)
    rig.finish()
  }
  t.ok(rig.edge.largeViewBytes > 20_000, 'both are kept')
  rig.effects()
  join(show, viewer(4), 'a')
  join(show, viewer(5), 'b')
  t.equal(transfersOf(rig.effects()).length, 1, 'the others have what is left')
})

t.test('who sees the same as one that is sent a view needs no other', async t => {
  const show = large(25_000)
  for (const id of [one, two, three]) join(show, id, 'a')
  show.rig.work()
  t.equal(transfersOf(show.rig.effects()).length, 3)
  const { largeViewBytes } = show.rig.edge
  t.ok(largeViewBytes > 10_000 && largeViewBytes < 13_000, `${largeViewBytes}`)
})

t.test('a view counts until the last who is sent it has it, leaves, moves or is gone', async t => {
  for (const what of ['has it', 'leaves', 'moves', 'is refused', 'is gone'] as const) {
    const show = large(250_000, 1_100)
    const { rig } = show
    join(show, one, 'a')
    join(show, two, 'a')
    rig.work()
    rig.sendOn(one)
    const isRoom = (): boolean => {
      join(show, three, 'b')
      const isServed = refusals(rig.got(three)).length === 0
      rig.take({ kind: 'viewer-closed', viewer: three })
      return isServed
    }
    t.notOk(isRoom(), `${what}: it is on its way to another`)
    rig.sendOn(two, 2)
    t.notOk(isRoom(), `${what}: and not there yet`)
    if (what === 'has it') rig.sendOn(two)
    else if (what === 'leaves') rig.request(two, { type: 'leave', doc })
    else if (what === 'moves') rig.renew(two, { claims: { hand: 'c' } })
    else if (what === 'is refused') rig.renew(two, { documents: [] })
    else rig.take({ kind: 'viewer-closed', viewer: two })
    rig.finish()
    t.ok(isRoom(), what)
  }
})

t.test('a viewer whose view changes while there is no room is told to come again', async t => {
  const show = large(25_000)
  const { rig } = show
  const model = join(show, one, 'a')
  rig.finish()
  model.take(rig.got(one))
  join(show, two, 'b')
  rig.work()
  rig.renew(one, { claims: { hand: 'c' } })
  t.match(rig.got(one), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  show.change(put('/n', 1))
  t.same(rig.got(one), [], 'it is shown nothing of a view that is not its own')
  rig.finish()
  rig.observe(one)
  rig.finish()
  const { view } = new Model().take(rig.got(one))
  t.match(view, { n: 1, hands: { c: 3 } })
})

t.test('a view of more than the limit comes to its viewers, one after the other', async t => {
  const show = large(1)
  const { rig } = show
  const model = join(show, one, 'a')
  join(show, two, 'b')
  t.match(rig.got(two), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  rig.work()
  show.change(put('/n', 1))
  rig.finish()
  t.equal(model.take(rig.got(one)).view?.['n'], 1)
  t.equal(model.problem, undefined)
  rig.observe(two)
  rig.finish()
  t.match(new Model().take(rig.got(two)).view, { n: 1, hands: { b: 2 } })
})

t.test('a view that nobody is sent is kept for a minute, and no longer', async t => {
  const show = large(1_000_000)
  const { rig } = show
  join(show, one, 'a')
  rig.finish()
  rig.pass(50_000)
  rig.effects()
  join(show, two, 'a')
  t.equal(transfersOf(rig.effects()).length, 1, 'at once: it is there')
  rig.finish()
  rig.pass(50_000)
  t.ok(rig.edge.largeViewBytes > 10_000, 'from then on')
  rig.pass(30_000)
  t.equal(rig.edge.largeViewBytes, 0)
  join(show, three, 'a')
  t.equal(transfersOf(rig.effects()).length, 0)
  rig.finish()
  t.match(new Model().take(rig.got(three)).view, { hands: { a: 1 } })
})

t.test('a view that nothing leads on from is not kept', async t => {
  const show = large(1_000_000)
  join(show, one, 'a')
  show.rig.finish()
  for (let n = 0; n < 1_100; n++) show.change(put('/n', n))
  t.equal(show.rig.edge.largeViewBytes, 0)
})

t.test('what follows a view counts as well', async t => {
  const show = large(1_000_000)
  join(show, one, 'a')
  show.rig.finish()
  const before = show.rig.edge.largeViewBytes
  show.change(put('/n', 'x'.repeat(1_000)))
  const more = show.rig.edge.largeViewBytes - before
  t.ok(more > 1_000 && more < 1_500, `${more}`)
})

t.test('a view that turns out larger than there is room for goes to nobody', async t => {
  const show = large(45_000)
  const { rig } = show
  for (const [id, hand] of [
    [one, 'a'],
    [two, 'b'],
  ] as const) {
    join(show, id, hand)
    rig.finish()
  }
  show.change(put('/late', rows(180)))
  rig.pass(100_000)
  t.equal(rig.edge.largeViewBytes, 0)
  show.change(put('/isLate', true))
  rig.effects()
  const asked = (): number => rig.effects().filter(({ kind }) => kind === 'worker-view').length
  join(show, three, 'a')
  join(show, viewer(4), 'b')
  t.equal(asked(), 2, 'as far as is known they fit')
  rig.work()
  t.match(rig.got(viewer(4)), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  rig.observe(viewer(4))
  t.equal(refusals(rig.got(viewer(4))).length, 1)
  t.equal(asked(), 0, 'none is made in vain')
  t.ok(rig.edge.largeViewBytes < 45_000, `${rig.edge.largeViewBytes}`)
  rig.finish()
  t.same(new Model().take(rig.got(three)).view?.['late'], rows(180))
  rig.observe(viewer(4))
  rig.finish()
  t.match(new Model().take(rig.got(viewer(4))).view, { late: rows(180), hands: { b: 2 } })
})
