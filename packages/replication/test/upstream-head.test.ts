import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { after, doc } from './build-stream.ts'
import { from, head, kindsOf, live, log, rungsOf, snapshotFrames, welcome } from './upstream-rig.ts'

const headAt = (seq: number): LinkFrame => ({ kind: 'signal', signal: 'head', doc, value: seq })

t.test('a head that is not here after a while is a gap', async t => {
  const rig = live()
  t.same(rig.take(headAt(12)), [])
  t.equal(rig.waitMs, 250)
  t.same(rig.pass(249), [])
  t.same(kindsOf(rig.pass(1)), ['resync gap'])
  t.match(rig.sent(), [{ kind: 'join', have: head }])
})

t.test('a head that is here already, or comes in time, is none', async t => {
  const rig = live()
  rig.take(headAt(10))
  t.equal(rig.waitMs, undefined)
  rig.take(headAt(12))
  rig.pass(200)
  rig.take(from(11, 11))
  t.equal(rig.waitMs, 250, 'as long as records come there is time')
  rig.take(from(12, 12))
  t.equal(rig.waitMs, undefined)
})

t.test('a head is nothing while no credit is given', async t => {
  const rig = live()
  rig.holdCredit(true)
  rig.take(headAt(12))
  t.equal(rig.waitMs, undefined)
  rig.holdCredit(false)
  t.equal(rig.waitMs, 250)
})

t.test('credit that is held back is given when it is held no more', async t => {
  const bytes = log[10]?.bytes.length ?? 0
  const rig = live({ creditBytes: 2 * bytes })
  rig.holdCredit(true)
  rig.take(from(11, 12))
  t.same(rig.sent(), [])
  rig.holdCredit(false)
  t.same(rig.sent(), [{ kind: 'credit', channel: 7, bytes: 2 * bytes }])
})

t.test('a stream has caught up when what its parent had is here', async t => {
  const rig = live()
  rig.upstream.detach()
  rig.nowMs = 100
  rig.attach()
  rig.nowMs = 130
  t.same(rungsOf(rig.take(welcome('tail', after(log[14])), from(11, 14))), [])
  rig.nowMs = 140
  const events = rig.take(from(15, 15))
  t.match(events.at(-1), { kind: 'caught-up', rung: 'tail', tookMs: 40 })
  t.same(rungsOf(rig.take(from(16, 16))), [], 'told once')
  t.same(rungsOf(rig.take(...snapshotFrames(after(log[29])))), ['snapshot'])
})
