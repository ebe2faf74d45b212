import t from 'tap'
import { after } from './build-stream.ts'
import {
  from,
  head,
  kindsOf,
  live,
  log,
  Rig,
  refused,
  snapshotFrames,
  welcome,
} from './upstream-rig.ts'

const further = after(log[11])

t.test('the ceiling is the one under which what is held came', async t => {
  const rig = new Rig()
  t.equal(rig.upstream.ceiling, 0)
  rig.attach()
  t.same(kindsOf(rig.take(welcome('snapshot', head, 3))), [], 'nothing is held that could go')
  t.equal(rig.upstream.ceiling, 0, 'nothing is held yet')
  rig.take(...snapshotFrames(head))
  t.equal(rig.upstream.ceiling, 3)
})

t.test('under the same ceiling another parent goes on where the one before was', async t => {
  const rig = live()
  t.match(rig.attach(), [{ kind: 'join', have: head }])
  t.same(kindsOf(rig.take(welcome('tail'), from(11, 12))), ['joined', 'records 11,12'])
})

t.test(
  'a tail under a lower ceiling gives up what is held, and everything is asked for',
  async t => {
    const rig = live()
    rig.attach()
    t.same(rig.take(welcome('tail', head, 1)), [
      { kind: 'ceiling', ceiling: 1 },
      { kind: 'resync', reason: 'ceiling' },
    ])
    t.match(rig.sent(), [{ kind: 'join', have: undefined }])
    t.equal(rig.upstream.ceiling, 1)
    t.same(kindsOf(rig.take(from(11, 12))), [], 'what still comes of the tail is nothing')
    t.same(kindsOf(rig.take(welcome('snapshot', head, 1), ...snapshotFrames(head))), [
      'reset',
      'joined',
    ])
    t.equal(rig.upstream.ceiling, 1)
  },
)

t.test(
  'a tail under a higher ceiling is not followed; what is held stays till the snapshot',
  async t => {
    const rig = live()
    rig.attach()
    t.same(kindsOf(rig.take(welcome('tail', head, 255))), ['resync ceiling'])
    t.match(rig.sent(), [{ kind: 'join', have: undefined }])
    t.equal(rig.upstream.ceiling, 239)
    rig.take(welcome('snapshot', head, 255))
    t.equal(rig.upstream.ceiling, 239)
    t.same(kindsOf(rig.take(...snapshotFrames(head))), ['reset', 'joined'])
    t.equal(rig.upstream.ceiling, 255)
  },
)

t.test('a welcome that was not asked for lowers the ceiling before the snapshot comes', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(welcome('snapshot', head, 0))), ['ceiling'])
  t.same(rig.sent(), [])
  t.same(kindsOf(rig.take(...snapshotFrames(further))), ['reset', 'joined'])
})

t.test('a higher ceiling whose snapshot never comes leaves what is held under its own', async t => {
  const rig = live()
  rig.take(welcome('snapshot', head, 255))
  rig.upstream.detach()
  t.match(rig.attach(), [{ kind: 'join', have: head }])
  t.same(kindsOf(rig.take(welcome('tail', head, 239))), ['joined'])
})

t.test('a ceiling that falls while the stream waits gives up what is held', async t => {
  const rig = live()
  rig.take(refused('FANFOLD_NO_PARENT'))
  t.ok(rig.upstream.isWaiting)
  t.same(kindsOf(rig.take(welcome('snapshot', head, 0))), ['ceiling'])
  rig.upstream.detach()
  t.match(rig.attach(), [{ kind: 'join', have: undefined }])
})

t.test('a ceiling that falls again and again is told each time', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(welcome('snapshot', head, 2), welcome('snapshot', head, 1))), [
    'ceiling',
    'ceiling',
  ])
  t.same(kindsOf(rig.take(welcome('snapshot', head, 2))), [], 'nothing is held that could go')
})

t.test('what was given up is not replaced by what came before it', async t => {
  const rig = live()
  rig.take(from(11, 12))
  rig.take(welcome('snapshot', head, 1))
  const events = rig.take(...snapshotFrames(head))
  t.match(events, [{ kind: 'reset', isApart: true }, { kind: 'joined' }])
  t.same(kindsOf(rig.take(from(11, 11))), ['records 11'])
  t.same(kindsOf(rig.take(from(12, 12))), ['records 12', 'replayed'], 'until it is no older')
  t.equal(rig.upstream.ceiling, 1)
  t.same(kindsOf(rig.take(...snapshotFrames(further))), ['reset', 'joined'])
})

t.test('a parent that changes its mind all the time is asked with waits in between', async t => {
  const rig = live()
  for (let round = 0; round < 6; round++) {
    rig.take(welcome('tail', head, round % 2))
    if (rig.upstream.isWaiting) rig.pass(1_000)
    rig.take(welcome('snapshot', head, round % 2), ...snapshotFrames(head))
  }
  const joins = rig.sent().filter(({ kind }) => kind === 'join')
  t.equal(joins.length, 6)
  t.ok(rig.nowMs >= 5_000, 'all but the first')
})

t.test('a snapshot with pieces above the ceiling is the breach of who sent it', async t => {
  const rig = new Rig()
  rig.attach()
  rig.take(welcome('snapshot', head, 0))
  const piece = { tag: 1, bytes: 2, digest: new Uint8Array(32) }
  const manifest = { at: head, pieces: [piece] }
  t.throws(() => rig.take({ kind: 'snapshot-begin', channel: 1, manifest }), {
    code: 'FANFOLD_BAD_FRAME',
  })
})
