import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { head, Rig, snapshotFrames, welcome } from './following-rig.ts'

const keys: readonly DocumentKey[] = Array.from({ length: 6 }, (_, index) =>
  parseDocumentKey(`acme/match/m${index}`),
)

/** Documents that the parent was told about, and how. */
const told = (rig: Rig): string[] =>
  rig
    .sent()
    .flatMap(frame =>
      'doc' in frame && frame.doc ? [`${frame.kind} ${keys.indexOf(frame.doc)}`] : [],
    )

/** The frames of a document's snapshot. */
const framesOf = (index: number) => [
  welcome('snapshot', index, keys[index]),
  ...snapshotFrames(head, index, 100_000),
]

/** A node with room for two snapshots, which has begun to take in two of six. */
function full(): Rig {
  const rig = new Rig({ assemblyLimits: { countMax: 2, bytesMax: 1_000_000 } })
  rig.open()
  for (const key of keys) rig.follow(key)
  rig.sent()
  for (const index of keys.keys()) rig.take(framesOf(index).slice(0, 2))
  return rig
}

t.test('snapshots for which there is no room are asked for as there is, one by one', async t => {
  const rig = full()
  t.same(told(rig), ['leave 2', 'leave 3', 'leave 4', 'leave 5'])
  rig.pass(1_000)
  t.same(told(rig), [], 'not while there is none')
  rig.take(framesOf(0).slice(2))
  t.equal(rig.following.wakeAt(), rig.now)
  rig.pass(0)
  t.same(told(rig), ['join 2'])
  rig.take(framesOf(1).slice(2))
  rig.pass(0)
  t.same(told(rig), ['join 3'])
  for (const index of [2, 3, 4, 5]) {
    rig.take(framesOf(index))
    rig.pass(0)
    t.same(told(rig), index < 4 ? [`join ${index + 2}`] : [])
  }
  for (const key of keys) t.ok(rig.following.get(key)?.upstream.isLive)
})

t.test('room that its document does not need after all is another one’s', async t => {
  const rig = full()
  rig.sent()
  rig.take(framesOf(0).slice(2))
  rig.pass(0)
  t.same(told(rig), ['join 2'])
  rig.take([
    {
      kind: 'refused',
      doc: parseDocumentKey('acme/match/m2'),
      code: 'FANFOLD_NO_DOCUMENT',
      message: '',
      retryAfterMs: 0,
    },
  ])
  rig.pass(0)
  t.same(told(rig), ['join 3'])
  rig.unfollow(keys[3])
  rig.pass(0)
  t.same(told(rig), ['leave 3', 'join 4'])
})

t.test('who waits for room and is not wanted any more is not asked for', async t => {
  const rig = full()
  rig.sent()
  rig.unfollow(keys[2])
  rig.unfollow(keys[3])
  rig.sent()
  rig.take(framesOf(0).slice(2))
  rig.pass(0)
  t.same(told(rig), ['join 4'])
})
