import { Prng } from '@fanfold/kernel'
import type { LinkFrame, LogRecord } from '@fanfold/protocol'
import t from 'tap'
import { Follower } from '../src/follower.ts'
import type { FollowingEffect } from '../src/parent-effect.ts'
import { defaultUpstreamLimits } from '../src/upstream-limits.ts'
import { WorkerNames } from '../src/worker-names.ts'
import {
  after,
  at,
  doc,
  framesOf,
  link,
  recordsOf,
  ringLimits,
  snapshotAt,
} from './build-stream.ts'
import { upstreamNode } from './build-upstream.ts'
import { linkEffects } from './following-rig.ts'

const log = recordsOf(2_000)
const head = after(log[9])

/** A follower that was sent a snapshot at the tenth record, by a parent that has records up to `seq`. */
function live(
  pendingBytesMax = 1_000_000,
  isStateNeeded = true,
  seq = 10,
): { follower: Follower; effects: FollowingEffect[] } {
  const position = after(log[seq - 1])
  const follower = new Follower({
    doc,
    prng: new Prng('follower'),
    node: {
      upstream: upstreamNode(),
      limits: {
        ring: ringLimits(),
        upstream: defaultUpstreamLimits,
        pendingBytesMax,
        largeStateBytes: 2_000_000,
      },
      isStateNeeded,
      workerNames: new WorkerNames(),
      due: () => undefined,
    },
  })
  const effects: FollowingEffect[] = []
  follower.upstream.attach(link(1), at(0), effects)
  const { manifest, pieces } = snapshotAt(head)
  const frames: LinkFrame[] = [
    { kind: 'welcome', doc, channel: 1, mode: 'snapshot', head: position, ceiling: 239 },
    { kind: 'snapshot-begin', channel: 1, manifest },
    ...pieces.map(
      (piece, index): LinkFrame => ({ kind: 'snapshot-piece', channel: 1, index, codec: 0, piece }),
    ),
  ]
  for (const frame of frames) follower.receive(frame, at(0), effects)
  effects.length = 0
  return { follower, effects }
}

const records = (list: readonly LogRecord[]): LinkFrame => ({
  kind: 'records',
  channel: 1,
  records: list,
})

t.test('a snapshot and the records after it are in the replica and in the ring', async t => {
  const { follower, effects } = live()
  t.ok(follower.hasState)
  t.same(follower.ring.base, head)
  follower.receive(records(log.slice(10, 13)), at(0), effects)
  t.match(follower.replica.position, { seq: 13 })
  t.equal(follower.ring.lastSeq, 13)
  t.match(follower.replica.state(), { n: 13 })
})

t.test('what nobody was shown is held back until it is what the parent has', async t => {
  const { follower, effects } = live(undefined, undefined, 13)
  t.notOk(follower.hasState)
  t.same(follower.receive(records(log.slice(10, 12)), at(0), effects), [])
  t.notOk(follower.hasState)
  const told = follower.receive(records(log.slice(12, 14)), at(40), effects)
  t.match(told, [{ kind: 'reset' }, { kind: 'joined' }, { kind: 'caught-up', rung: 'snapshot' }])
  t.match(follower.replica.state(), { n: 14 })
  t.match(follower.ring.base, { seq: 10 })
  t.equal(follower.wakeAt, undefined)
})

t.test('it is not held back for long', async t => {
  const { follower, effects } = live(undefined, undefined, 13)
  follower.receive(records(log.slice(10, 11)), at(0), effects)
  t.equal(follower.wakeAt, at(500))
  t.same(follower.tick(at(499), effects), [])
  t.match(follower.tick(at(500), effects), [{ kind: 'reset' }, { kind: 'joined' }])
  t.match(follower.replica.state(), { n: 11 })
  t.equal(follower.wakeAt, undefined, 'nothing is due')
  const told = follower.receive(records(log.slice(11, 13)), at(600), effects)
  t.match(told, [{ kind: 'records' }, { kind: 'caught-up', tookMs: 600 }])
})

t.test('another parent that has no more ends the wait', async t => {
  const { follower, effects } = live(undefined, undefined, 13)
  follower.upstream.attach(link(2), at(10), effects)
  const tail: LinkFrame = { kind: 'welcome', doc, channel: 2, mode: 'tail', head, ceiling: 239 }
  const told = follower.receive(tail, at(20), effects)
  t.match(told, [{ kind: 'reset' }, { kind: 'joined' }, { kind: 'caught-up' }])
  t.match(follower.replica.state(), { n: 10 })
})

t.test('what was shown goes on, whatever more there is', async t => {
  const { follower, effects } = live()
  const manifest = { at: after(log[14]), pieces: [] }
  follower.upstream.attach(link(2), at(10), effects)
  const frames: LinkFrame[] = [
    { kind: 'welcome', doc, channel: 1, mode: 'snapshot', head: after(log[19]), ceiling: 239 },
    { kind: 'snapshot-begin', channel: 1, manifest },
  ]
  const told = frames.flatMap(frame => follower.receive(frame, at(20), effects))
  t.match(told, [{ kind: 'reset' }, { kind: 'joined' }])
  t.match(follower.replica.position, { seq: 15 })
})

t.test('nothing is applied on the way; what waits too long is settled in slices', async t => {
  const one = log[11]?.bytes.length ?? 0
  const { follower, effects } = live(10 * one)
  follower.receive(records(log.slice(10, 20)), at(0), effects)
  t.notOk(follower.mustSettle, 'at the limit')
  follower.receive(records(log.slice(20, 2_000)), at(0), effects)
  t.ok(follower.mustSettle, 'past it')
  const before = follower.replica.pendingBytes
  t.same(follower.settle(at(0), effects), [])
  t.ok(follower.replica.pendingBytes < before && follower.replica.pendingBytes > 0)
  while (follower.mustSettle) follower.settle(at(0), effects)
  t.match(follower.replica.state(), { n: 2_000 })
})

t.test('a record that does not apply makes the follower fetch everything again', async t => {
  const { follower, effects } = live()
  // A delta to a document that was deleted.
  const manifest = { at: after(log[14]), pieces: [] }
  follower.receive({ kind: 'snapshot-begin', channel: 1, manifest }, at(0), effects)
  follower.receive(records(log.slice(15, 16)), at(0), effects)
  t.match(follower.settle(at(0), effects), [{ kind: 'resync', reason: 'broken' }])
  t.match(framesOf(linkEffects(effects)), [{ kind: 'join', have: undefined }])
  t.notOk(follower.mustSettle)
})

t.test('more records than a turn applies do not wait, however small they are', async t => {
  const many = recordsOf(6_000)
  const { follower, effects } = live(100_000_000)
  follower.receive(records(many.slice(10, 4_106)), at(0), effects)
  t.notOk(follower.mustSettle, 'at the limit')
  follower.receive(records(many.slice(4_106)), at(0), effects)
  t.ok(follower.mustSettle, 'past it')
  let most = 0
  while (follower.mustSettle) {
    const before = follower.replica.appliedSeq
    follower.settle(at(0), effects)
    most = Math.max(most, follower.replica.appliedSeq - before)
  }
  t.equal(most, 1_024)
  t.ok(follower.replica.pendingCount <= 4_096)
})

t.test('a node that needs no states applies none for the number of records that wait', async t => {
  const { follower, effects } = live(100_000_000, false)
  follower.receive(records(recordsOf(4_400).slice(10)), at(0), effects)
  t.notOk(follower.mustSettle)
  t.equal(follower.replica.appliedSeq, 10)
})
