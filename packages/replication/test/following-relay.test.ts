import type { DocumentKey, LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { doc } from './build-stream.ts'
import { first, live, log, Rig, second } from './following-rig.ts'

const frameOf = (replay: number): LinkFrame => ({
  kind: 'replay',
  replay,
  ceiling: 239,
  records: log.slice(0, 2),
})
const endOf = (replay: number): LinkFrame => ({
  kind: 'replay-ended',
  replay,
  code: undefined,
  message: '',
  retryAfterMs: 0,
})
const noTail: LinkFrame = {
  kind: 'refused',
  doc,
  code: 'FANFOLD_NO_TAIL',
  message: '',
  retryAfterMs: 0,
}

t.test('what a child asks goes to the parent, what comes of it to the role', async t => {
  const rig = live()
  const replay = rig.askReplay() ?? 0
  rig.creditReplay(replay, 500)
  t.same(rig.sent(), [
    { kind: 'request-replay', doc, replay, have: undefined, credit: 1_000 },
    { kind: 'replay-credit', replay, bytes: 500 },
  ])
  rig.take([frameOf(replay), endOf(replay)])
  t.same(
    rig.relayed.map(({ kind }) => kind),
    ['replay', 'replay-ended'],
  )
  t.same(rig.events(), [], 'it is nothing to the document here')
  rig.creditReplay(replay, 500)
  t.same(rig.sent(), [], 'over is over')
  t.equal(rig.following.replays.count, 0)
})

t.test('a document that is not followed can be replayed too, through the first parent', async t => {
  const rig = new Rig()
  t.equal(rig.askReplay(), undefined, 'not without a parent')
  rig.open()
  rig.open(second)
  const replay = rig.askReplay() ?? 0
  t.match(rig.sent(first), [{ kind: 'request-replay', replay }])
  rig.take([frameOf(replay)], second)
  t.same(rig.relayed, [], 'of another parent it is not taken')
})

t.test('who leaves is told nothing more', async t => {
  const rig = live()
  const replay = rig.askReplay() ?? 0
  rig.leaveReplay(replay)
  t.same(rig.sent().at(-1), { kind: 'leave-replay', replay })
  rig.take([frameOf(replay), endOf(replay)])
  t.same(rig.relayed, [])
})

t.test('a parent that goes ends what it replayed', async t => {
  const rig = live()
  const replay = rig.askReplay()
  rig.close()
  t.match(rig.relayed, [
    { kind: 'replay-ended', replay, code: 'FANFOLD_NO_PARENT', retryAfterMs: 250 },
  ])
  t.equal(rig.following.replays.count, 0)
})

t.test("the node's own replay goes on beside those that it passes on", async t => {
  const rig = new Rig({ isSnapshotDisabled: true })
  rig.open()
  rig.follow()
  const passed = rig.askReplay() ?? 0
  rig.sent()
  rig.take([noTail])
  const [asked] = rig.sent()
  const own = asked?.kind === 'request-replay' ? asked.replay : passed
  t.not(own, passed)
  rig.take([frameOf(passed)])
  t.equal(rig.following.get(doc)?.upstream.position.seq, 0)
  rig.take([frameOf(own)])
  t.equal(rig.following.get(doc)?.upstream.position.seq, 2)
  t.equal(rig.relayed.length, 1)
  rig.take([endOf(own)])
  t.match(rig.sent(), [{ kind: 'join', take: 'tail' }])
  t.equal(rig.following.replays.count, 1)
})

t.test('what is left of a replay that the node asked for anew is nobody’s', async t => {
  const rig = new Rig({ isSnapshotDisabled: true })
  rig.open()
  rig.follow()
  rig.take([noTail])
  rig.sent()
  rig.pass(2_000)
  rig.pass(1_000)
  const frames = rig.sent()
  t.match(frames, [
    { kind: 'leave-replay', replay: 1 },
    { kind: 'request-replay', replay: 2 },
  ])
  rig.take([frameOf(1), endOf(1)])
  t.equal(rig.following.get(doc)?.upstream.position.seq, 0)
  rig.take([frameOf(2)])
  t.equal(rig.following.get(doc)?.upstream.position.seq, 2)
  rig.unfollow()
  t.equal(rig.following.replays.count, 0)
})

t.test('replays of other documents are nobody else’s business', async t => {
  const rig = live()
  const other = 'acme/match/semis' as DocumentKey
  const replay = rig.askReplay({ doc: other }) ?? 0
  rig.take([frameOf(replay)])
  t.equal(rig.relayed.length, 1)
  t.same(rig.events(), [])
})
