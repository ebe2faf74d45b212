import type { DocumentKey, LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { doc } from './build-stream.ts'
import { first, live, log, Rig, second } from './following-rig.ts'

const request = { kind: 'request-replay', doc, have: undefined, credit: 1_000 } as const
const credit = { kind: 'replay-credit', doc, bytes: 500 } as const
const leave = { kind: 'leave-replay', doc } as const
const frame: LinkFrame = { kind: 'replay', doc, ceiling: 239, records: log.slice(0, 2) }
const end: LinkFrame = { kind: 'replay-ended', doc, code: undefined, message: '', retryAfterMs: 0 }
const noTail: LinkFrame = {
  kind: 'refused',
  doc,
  code: 'FANFOLD_NO_TAIL',
  message: '',
  retryAfterMs: 0,
}

t.test('what a child asks goes to the parent, what comes of it to the role', async t => {
  const rig = live()
  t.ok(rig.relay(request))
  t.ok(rig.relay(credit))
  t.same(rig.sent(), [request, credit])
  rig.take([frame, end])
  t.same(
    rig.relayed.map(({ kind }) => kind),
    ['replay', 'replay-ended'],
  )
  t.same(rig.events(), [], 'it is nothing to the document here')
  t.notOk(rig.relay(credit), 'over is over')
})

t.test('a document that is not followed can be replayed too, through the first parent', async t => {
  const rig = new Rig()
  t.notOk(rig.relay(request), 'not without a parent')
  rig.open()
  rig.open(second)
  t.ok(rig.relay(request))
  t.same(rig.sent(first), [request])
  rig.take([frame], second)
  t.same(rig.relayed, [], 'of another parent it is not taken')
})

t.test('who leaves is told nothing more', async t => {
  const rig = live()
  rig.relay(request)
  rig.relay(leave)
  t.same(rig.sent(), [request, leave])
  rig.take([frame, end])
  t.same(rig.relayed, [])
})

t.test('a parent that goes ends what it replayed', async t => {
  const rig = live()
  rig.relay(request)
  rig.close()
  t.match(rig.relayed, [{ kind: 'replay-ended', code: 'FANFOLD_NO_PARENT', retryAfterMs: 250 }])
})

t.test("the node's own replay goes first: one that is passed on is cut short", async t => {
  const rig = new Rig({ isSnapshotDisabled: true })
  rig.open()
  rig.follow()
  rig.relay(request)
  rig.effects()
  rig.take([noTail])
  t.match(rig.sent(), [leave, { kind: 'request-replay', have: undefined, credit: 1_048_576 }])
  t.match(rig.relayed, [{ kind: 'replay-ended', code: 'FANFOLD_NO_PARENT' }])
  t.notOk(rig.relay(request), 'and one that is asked for meanwhile waits')
  rig.take([frame])
  t.equal(rig.relayed.length, 1)
  t.equal(rig.following.get(doc)?.upstream.position.seq, 2)
})

t.test('replays of other documents are nobody else’s business', async t => {
  const rig = live()
  const other = 'acme/match/semis' as DocumentKey
  rig.relay({ ...request, doc: other })
  rig.take([frame])
  t.same(rig.relayed, [])
})
