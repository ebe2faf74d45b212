import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { after, damaged, doc, link } from './build-stream.ts'
import { head, live, log, Rig, records, second, snapshotFrames, welcome } from './following-rig.ts'

const third = link(3)

/** The frames of a snapshot with a damaged piece, and of that again as it is asked for again. */
function badSnapshot(channel = 7): LinkFrame[] {
  const [begin] = snapshotFrames(head, channel)
  const bad: LinkFrame = {
    kind: 'snapshot-piece',
    channel,
    index: 0,
    codec: 0,
    piece: new Uint8Array(9),
  }
  return begin === undefined ? [] : [begin, bad, bad]
}

const rungs = (rig: Rig): string[] =>
  rig.told.flatMap(({ event }) => (event.kind === 'caught-up' ? [event.rung] : []))

t.test('a bad snapshot is fetched from another parent that is connected, at once', async t => {
  const rig = new Rig()
  rig.open()
  rig.open(second)
  rig.follow()
  rig.effects()
  rig.take([welcome('snapshot'), ...badSnapshot()])
  const effects = rig.effects()
  t.match(
    effects.filter(effect => 'link' in effect && effect.link === second),
    [{ kind: 'link-send' }],
  )
  t.same(
    effects.filter(({ kind }) => kind === 'want-parents'),
    [],
    'there is one',
  )
  rig.take([welcome('snapshot', 9), ...snapshotFrames(head, 9)], second)
  t.match(rig.following.get(doc)?.replica.state(), { n: 10 })
  t.same(rungs(rig), ['snapshot-elsewhere'])
  rig.take([records(log.slice(10, 11), 7)])
  t.equal(rig.following.get(doc)?.replica.position.seq, 10, 'the one that was left is not heard')
})

t.test('without another parent one is wanted, and given up when all has been well', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot'), ...badSnapshot()])
  t.same(rig.wanted(), [2])
  t.match(rig.sent().at(-1), { kind: 'join' }, 'meanwhile it is asked for again where it was')
  rig.open(second)
  t.match(rig.sent(second), [{ kind: 'join', doc }], 'the new parent is asked at once')
  rig.take([welcome('snapshot', 9), ...snapshotFrames(head, 9)], second)
  rig.pass(9_999)
  t.same(rig.wanted(), [])
  rig.sent()
  rig.pass(1)
  t.same(rig.wanted(), [1])
  t.match(rig.sent(), [{ kind: 'join', doc, have: head }], 'it goes back to the first parent')
  rig.take([welcome('tail')])
  rig.close(second)
  t.equal(rig.staleMs, undefined)
})

t.test('after snapshots failed at two parents the log is replayed', async t => {
  const rig = new Rig()
  rig.open()
  rig.open(second)
  rig.follow()
  rig.take([welcome('snapshot'), ...badSnapshot()])
  rig.take([welcome('snapshot', 9), ...badSnapshot(9)], second)
  t.match(rig.sent(second).at(-1), { kind: 'request-replay', doc, replay: 1 })
  const replay: LinkFrame = { kind: 'replay', replay: 1, ceiling: 239, records: log.slice(0, 10) }
  const end: LinkFrame = {
    kind: 'replay-ended',
    replay: 1,
    code: undefined,
    message: '',
    retryAfterMs: 0,
  }
  rig.events()
  rig.take([replay], second)
  t.notOk(rig.following.get(doc)?.hasState, 'nothing is shown of half a log')
  rig.take([end, welcome('tail', 9)], second)
  t.same(rungs(rig), ['replay'])
  t.same(rig.events(), ['reset', 'joined', 'staleness'])
  t.match(rig.following.get(doc)?.replica.state(), { n: 10 })
  t.equal(rig.following.get(doc)?.ring.lastSeq, 10)
})

t.test('a parent that never answers is left for another one within five seconds', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  rig.effects()
  rig.pass(2_000)
  t.same(rig.wanted(), [2])
  rig.open(second)
  rig.take([welcome('snapshot', 9), ...snapshotFrames(head, 9)], second)
  t.ok(rig.following.get(doc)?.upstream.isLive)
})

t.test('a record that does not verify is never applied, however often it comes', async t => {
  const rig = live()
  rig.open(second)
  const bad = records([damaged(log[10] ?? never(), 8)])
  rig.take([bad])
  t.same(rig.events(), ['resync'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }], 'the same parent may do better')
  rig.take([welcome('snapshot'), ...snapshotFrames(head), bad])
  t.same(rig.events(), ['reset', 'joined', 'staleness', 'resync'])
  t.match(rig.sent(second), [{ kind: 'join', doc }], 'the second time another one is asked')
  t.equal(rig.following.get(doc)?.replica.position.seq, 10)
  rig.take(
    [welcome('snapshot', 9), ...snapshotFrames(head, 9), records(log.slice(10, 12), 9)],
    second,
  )
  t.match(rig.following.get(doc)?.replica.state(), { n: 12 })
})

t.test('a parent that says it goes is left before it goes, for one that is wanted', async t => {
  const rig = live()
  const handOver: LinkFrame = { kind: 'signal', signal: 'hand-over', doc: undefined, value: 5_000 }
  rig.take([handOver])
  t.same(rig.wanted(), [2])
  rig.take([records(log.slice(10, 11))])
  t.same(rig.events(), ['records'], 'until then it serves')
  rig.open(second)
  t.match(rig.sent(second), [{ kind: 'join', have: after(log[10]) }])
  rig.take([welcome('tail', 9), records(log.slice(11, 12), 9)], second)
  t.equal(rig.staleMs, undefined, 'nobody is told of anything')
  rig.close()
  t.same(rig.wanted(), [1])
  t.equal(rig.staleMs, undefined)
  rig.open(third)
  t.same(rig.sent(third), [])
})

t.test('a parent that goes while another one is connected hands over at once', async t => {
  const rig = live()
  rig.open(second)
  rig.take([{ kind: 'signal', signal: 'hand-over', doc: undefined, value: 5_000 }])
  t.match(rig.sent(second), [{ kind: 'join', have: head }])
})

t.test('documents go back to a parent that opens when only one that goes is left', async t => {
  const rig = live()
  rig.open(second)
  rig.close()
  rig.take([welcome('tail', 9)], second)
  t.equal(rig.staleMs, undefined)
  rig.close(second)
  t.equal(rig.staleMs, 0)
})

function never(): never {
  throw new Error('the log has records')
}
