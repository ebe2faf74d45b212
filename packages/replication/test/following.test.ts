import { type DocumentKey, type LinkFrame, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { after, at, doc } from './build-stream.ts'
import {
  first,
  head,
  live,
  log,
  Rig,
  records,
  second,
  snapshotFrames,
  status,
  welcome,
} from './following-rig.ts'

const semis: DocumentKey = parseDocumentKey('acme/match/semis')

t.test('a document that is followed is joined at once, or when a parent is there', async t => {
  const rig = new Rig()
  rig.follow()
  t.same(rig.sent(), [])
  t.equal(rig.following.parents.count, 0)
  rig.open()
  t.match(rig.sent(), [{ kind: 'join', doc }])
  rig.follow(semis)
  t.match(rig.sent(), [{ kind: 'join', doc: semis }])
  t.equal(rig.following.count, 2)
})

t.test('one stream per document: a second parent waits', async t => {
  const rig = live()
  rig.open(second)
  t.same(rig.sent(second), [])
  rig.take([records(log.slice(10, 11))], second)
  t.same(rig.events(), [], 'and what it sends is not taken')
  rig.take([records(log.slice(10, 11))])
  t.same(rig.events(), ['records'])
})

t.test('the replica and the ring are up to date when the role is told', async t => {
  const rig = live()
  rig.onTold = () => {
    t.match(rig.following.get(doc)?.replica.position, { seq: 12 })
    t.equal(rig.following.get(doc)?.ring.lastSeq, 12)
  }
  rig.take([records(log.slice(10, 12))])
})

t.test('when the parent goes, the next one is joined from what is held', async t => {
  const rig = live()
  rig.open(second)
  rig.nowMs = 100
  rig.close()
  t.match(rig.sent(second), [{ kind: 'join', doc, have: head }])
  t.same(rig.events(), ['staleness'])
  rig.nowMs = 130
  t.equal(rig.staleMs, 30)
  rig.take([welcome('tail', 9), records(log.slice(10, 12), 9)], second)
  t.same(rig.events(), ['joined', 'staleness', 'records'])
  t.equal(rig.staleMs, undefined)
})

t.test('a parent that was waiting and goes changes nothing', async t => {
  const rig = live()
  rig.open(second)
  rig.close(second)
  t.same(rig.events(), [])
  t.equal(rig.following.parents.count, 1)
})

t.test("the parent's own staleness is told with its age, and cleared", async t => {
  const rig = live()
  rig.nowMs = 1_000
  rig.take([status(true, 400)])
  t.equal(rig.staleMs, 400)
  rig.nowMs = 1_100
  t.equal(rig.staleMs, 500)
  rig.take([status(false, 0)])
  t.equal(rig.staleMs, undefined)
  t.same(rig.events(), ['staleness', 'staleness'])
})

t.test('a snapshot of a stale parent is stale', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  rig.nowMs = 1_000
  rig.take([welcome('snapshot'), status(true, 400), ...snapshotFrames(head)])
  t.equal(rig.staleMs, 400)
})

t.test('the age goes on when a stale parent goes too', async t => {
  const rig = live()
  rig.nowMs = 1_000
  rig.take([status(true, 400)])
  rig.nowMs = 2_000
  rig.close()
  t.equal(rig.staleMs, 1_400)
})

t.test('a stream that has to wait before it asks again is stale', async t => {
  const rig = live()
  const refusal: LinkFrame = {
    kind: 'refused',
    doc,
    code: 'FANFOLD_NO_PARENT',
    message: 'no',
    retryAfterMs: 0,
  }
  rig.take([refusal])
  t.same(rig.events(), ['refused', 'staleness'])
  rig.pass(1_000)
  t.match(rig.sent(), [{ kind: 'join', have: head }])
  rig.take([welcome('tail')])
  t.equal(rig.staleMs, undefined)
})

t.test('a document that is left is nobody’s any more', async t => {
  const rig = live()
  rig.unfollow()
  t.match(rig.sent(), [{ kind: 'leave', doc }])
  rig.take([records(log.slice(10, 12)), ...snapshotFrames(head), welcome('tail')])
  t.same(rig.events(), [])
  t.equal(rig.following.wakeAt(), undefined)
  rig.unfollow()
  t.same(rig.sent(), [])
})

t.test('frames of unknown channels, and of later versions, are passed over', async t => {
  const rig = live()
  rig.take([records(log.slice(10, 12), 99)])
  rig.bytes(new Uint8Array([200, 1]))
  t.same(rig.events(), [])
  t.same(rig.effects(), [])
})

t.test('a channel from before a new welcome is unknown', async t => {
  const rig = live()
  rig.take([welcome('tail', 8)])
  rig.events()
  rig.take([records(log.slice(10, 11), 7)])
  t.same(rig.events(), [])
  rig.take([records(log.slice(10, 11), 8)])
  t.same(rig.events(), ['records'])
})

t.test('a bad frame closes the link', async t => {
  const rig = live()
  rig.bytes(new Uint8Array([34, 0]))
  t.match(rig.effects(), [{ kind: 'link-close', link: first, code: 'FANFOLD_BAD_FRAME' }])
})

t.test('an answer that does not come is asked for again', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  rig.effects()
  t.equal(rig.following.wakeAt(), at(2_000))
  rig.pass(2_000)
  t.match(rig.sent(), [{ kind: 'join' }])
  t.same(rig.events(), ['resync'])
})

t.test('what waits to be applied is applied in turns of its own', async t => {
  const rig = live({ pendingBytesMax: 1 })
  rig.take([records(log.slice(10, 400))])
  const pending = (): number => rig.following.get(doc)?.replica.pendingBytes ?? 0
  t.ok(pending() > 0, 'nothing is applied on the way')
  let turns = 0
  while (rig.following.wakeAt() === at(rig.nowMs) && turns < 10) {
    rig.pass(0)
    turns++
  }
  t.equal(pending(), 0)
  t.equal(turns, 1)
})

t.test('a document let go when it is told of its end leaves nothing to wake up for', async t => {
  const rig = live({ pendingBytesMax: 1 })
  rig.onTold = (doc, event) => {
    if (event.kind === 'refused') rig.unfollow(doc)
  }
  rig.take([records(log.slice(10, 400))])
  rig.take([{ kind: 'ended', channel: 7, code: 'FANFOLD_LOG_DAMAGED', message: 'over' }])
  t.equal(rig.following.count, 0)
  rig.pass(0)
  t.equal(rig.following.wakeAt(), undefined)
})

t.test('restarted, a document is fetched again', async t => {
  const rig = live()
  rig.restart()
  t.same(rig.events(), ['resync'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
})

t.test(
  'a document that was released is unused after a while, unless somebody wants it',
  async t => {
    const rig = new Rig()
    rig.follow()
    rig.open()
    const unused = (): number => rig.told.filter(({ event }) => event.kind === 'unused').length
    rig.following.release(doc, at(rig.nowMs))
    rig.pass(999)
    t.equal(unused(), 0)
    rig.following.keep(doc)
    rig.pass(10_000)
    t.equal(unused(), 0, 'kept')
    rig.following.release(doc, at(rig.nowMs))
    rig.pass(500)
    rig.following.release(doc, at(rig.nowMs))
    rig.pass(500)
    t.equal(unused(), 1, 'as long after it was released first')
    rig.pass(10_000)
    t.equal(unused(), 1, 'and told once')
  },
)

t.test(
  'what came under a higher ceiling is gone at once, told, and stale until it is back',
  async t => {
    const rig = live()
    rig.onTold = (_, event) => {
      if (event.kind !== 'ceiling') return
      t.notOk(rig.following.get(doc)?.hasState)
      t.equal(rig.following.get(doc)?.replica.state(), undefined)
      t.equal(rig.following.get(doc)?.ring.bytes, 0)
    }
    rig.take([records(log.slice(10, 12)), status(true, 400)])
    rig.events()
    rig.take([welcome('snapshot', 7, doc, 1)])
    t.same(rig.events(), ['ceiling', 'staleness'])
    t.equal(rig.staleMs, 0)
    rig.nowMs = 30
    t.equal(rig.staleMs, 30)
    rig.take([...snapshotFrames(after(log[11]))])
    t.same(rig.events(), ['reset', 'joined', 'staleness'])
    t.equal(rig.staleMs, undefined)
    t.ok(rig.following.get(doc)?.hasState)
  },
)

t.test('who was stale already is told again, for its children begin anew', async t => {
  const rig = live()
  rig.close()
  rig.events()
  rig.nowMs = 100
  rig.open()
  rig.take([welcome('tail', 7, doc, 1)])
  t.same(rig.events(), ['ceiling', 'staleness', 'resync'])
  t.equal(rig.staleMs, 100)
  t.match(rig.sent().at(-1), { kind: 'join', have: undefined })
})

t.test(
  'what comes of a stream that was left is not of the one that was asked for since',
  async t => {
    const rig = new Rig()
    rig.open()
    rig.follow()
    rig.unfollow()
    rig.follow()
    t.match(rig.sent(), [{ kind: 'join' }, { kind: 'leave' }, { kind: 'join' }])
    rig.takeLate([welcome('snapshot'), ...snapshotFrames(head)])
    t.notOk(rig.following.get(doc)?.upstream.isLive, 'the first join was answered')
    rig.takeLate([{ kind: 'left', doc }])
    rig.takeLate([
      { kind: 'refused', doc, code: 'FANFOLD_OVERLOADED', message: '', retryAfterMs: 0 },
    ])
    t.ok(rig.following.get(doc)?.upstream.isWaiting, 'and this the second one')
    rig.takeLate([{ kind: 'left', doc }])
    rig.takeLate([welcome('snapshot'), ...snapshotFrames(head)])
    t.ok(rig.following.get(doc)?.upstream.isLive, 'what nobody asked for changes nothing')
  },
)
