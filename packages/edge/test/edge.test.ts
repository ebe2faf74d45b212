import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { encodeRecord, parseDocumentKey, partTags, saltBytes } from '@fanfold/protocol'
import t from 'tap'
import { live, Rig, rangesOf } from './build-edge.ts'
import {
  channel,
  doc,
  grants,
  log,
  parent,
  pointAt,
  positionAt,
  records,
  snapshot,
  snapshotOf,
  startMs,
  viewer,
  welcome,
} from './edge-log.ts'

const one = viewer(1)
const two = viewer(2)
const semis = parseDocumentKey('acme/match/semis')

const observer = (rig: Rig, id = two): void => {
  rig.open(id)
  rig.observe(id)
}

t.test('a document is followed when the first viewer observes it, and once', async t => {
  const rig = new Rig()
  rig.openParent()
  observer(rig, one)
  observer(rig, two)
  t.match(rig.sent(), [{ kind: 'join', doc, have: undefined }])
  t.match(rig.edge, { viewerCount: 2, documentCount: 1, hasParent: true })
  rig.frame(welcome('snapshot', 10), ...snapshot(10))
  for (const id of [one, two]) t.same(rangesOf(rig.got(id)), ['=10', 'live'])
})

t.test('a snapshot says where it stands and what the view is', async t => {
  const rig = live()
  observer(rig)
  t.match(rig.got(two)[0], {
    type: 'snapshot',
    doc,
    epoch: 1,
    seq: 10,
    position: pointAt(10),
    view: { n: 10 },
  })
})

t.test('each record becomes one delta for everybody', async t => {
  const rig = live()
  observer(rig)
  rig.got(two)
  rig.effects()
  rig.frame(records(11, 12))
  t.equal(rig.effects().filter(({ kind }) => kind === 'cohort-send').length, 2)
  const frames = rig.got(one)
  t.same(rangesOf(frames), ['10>11', '11>12'])
  t.match(frames[0], {
    type: 'delta',
    epoch: 1,
    patch: [{ op: 'replace', path: '/n', value: 11 }],
    time: log[10]?.timeMs,
  })
  t.same(rangesOf(rig.got(two)), ['10>11', '11>12'])
})

t.test('without the grant, observing is forbidden', async t => {
  const rig = live()
  rig.open(two, { documents: ['acme/table/*'] })
  rig.observe(two)
  t.match(rig.got(two), [{ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN' }])
  rig.open(viewer(3), { allow: ['write'] })
  rig.observe(viewer(3))
  t.match(rig.got(viewer(3)), [{ code: 'FANFOLD_FORBIDDEN' }])
  rig.frame(records(11, 11))
  t.same(rig.got(two), [])
})

t.test('a reducer that there is none of is refused', async t => {
  const rig = live()
  rig.request(one, { type: 'add', doc, reducer: 'cheer', value: 1, id: 7, stamp: undefined })
  t.match(rig.got(one), [{ code: 'FANFOLD_NO_REDUCER' }])
})

t.test('a viewer observes as many documents as the limit, and not one more', async t => {
  const rig = live({ documentsPerViewerMax: 2 })
  rig.observe(one, { doc: semis })
  rig.observe(one)
  rig.got(one)
  rig.observe(one, { doc: parseDocumentKey('acme/match/third') })
  t.match(rig.got(one), [{ code: 'FANFOLD_OVERLOADED', retryAfter: undefined }])
  rig.request(one, { type: 'leave', doc: semis })
  rig.observe(one, { doc: parseDocumentKey('acme/match/third') })
  t.notMatch(rig.got(one).at(-1), { code: 'FANFOLD_OVERLOADED' })
})

t.test('a viewer that leaves gets nothing more, and is told so', async t => {
  const rig = live()
  rig.request(one, { type: 'leave', doc })
  t.match(rig.got(one), [{ type: 'left', doc, reason: 'asked' }])
  rig.frame(records(11, 11))
  t.same(rig.got(one), [])
})

t.test('a position goes out at least once a second', async t => {
  const rig = live()
  const positions = (): (string | undefined)[] =>
    rig.got(one).map(frame => (frame.type === 'delta' ? frame.position : undefined))
  rig.frame(records(11, 12))
  t.same(positions(), [pointAt(11), undefined])
  rig.nowMs = 999
  rig.frame(records(13, 13))
  t.same(positions(), [undefined])
  rig.nowMs = 1_000
  rig.frame(records(14, 14))
  t.same(positions(), [pointAt(14)])
})

t.test('a record that changes no state moves the seq on with an empty patch', async t => {
  const rig = live()
  const bytes = encodeRecord({
    kind: 'claim',
    key: doc,
    epoch: 2,
    seq: 11,
    timeMs: startMs + 99,
    trace: undefined,
    parts: [
      { tag: partTags.authority, salt: new Uint8Array(saltBytes), payload: new Uint8Array(2) },
    ],
  })
  const claim = new Chain(sha256).seal(bytes, positionAt(10).hash)
  rig.frame({ kind: 'records', channel, records: [claim] })
  t.match(rig.got(one), [{ type: 'delta', epoch: 2, from: 10, seq: 11, patch: [] }])
})

t.test('a snapshot is encoded once for many that join at one place', async t => {
  const rig = live()
  for (let number = 2; number < 30; number++) observer(rig, viewer(number))
  const frames = rig
    .effects()
    .flatMap(effect =>
      effect.kind === 'viewer-send' && Buffer.from(effect.frame).includes('"snapshot"')
        ? [effect.frame]
        : [],
    )
  t.equal(frames.length, 28)
  t.equal(new Set(frames).size, 1)
})

t.test('a viewer that lagged is brought up to date when it has drained', async t => {
  const rig = live()
  observer(rig)
  rig.got(two)
  rig.lag(two)
  rig.frame(records(11, 13))
  t.same(rig.got(two), [])
  t.same(rangesOf(rig.got(one)), ['10>11', '11>12', '12>13'], 'its neighbour has noticed nothing')
  rig.drain(two)
  t.same(rangesOf(rig.got(two)), ['10>13'], 'by one delta over all that it missed')
  rig.frame(records(14, 14))
  t.same(rangesOf(rig.got(two)), ['13>14'])
})

t.test('a viewer that lagged while the parent was lost hears of it', async t => {
  const rig = live()
  rig.lag(one)
  rig.frame(records(11, 11))
  rig.closeParent()
  rig.drain(one)
  t.equal(rangesOf(rig.got(one)).at(-1), 'stale')
})

t.test('a viewer that left while it lagged gets nothing when it drains', async t => {
  const rig = live()
  const [cohort] = rig.cohorts.keys()
  rig.lag(one)
  rig.frame(records(11, 11))
  rig.request(one, { type: 'leave', doc })
  rig.got(one)
  if (cohort !== undefined)
    rig.take({ kind: 'viewer-drained', viewer: one, cohorts: [{ cohort, mark: 0 }] })
  t.same(rig.got(one), [])
})

for (const [how, end] of [
  ['leaves', (rig: Rig) => rig.request(one, { type: 'leave', doc })],
  ['may not see it any more', (rig: Rig) => rig.renew(one, { documents: ['acme/table/*'] })],
  ['is told that it was deleted', (rig: Rig) => rig.frame(...snapshot(20, true))],
] as const) {
  t.test(`a status that waits for a slow viewer is void once it ${how}`, async t => {
    const rig = live()
    rig.effects()
    end(rig)
    const ended = rig.effects().filter(({ kind }) => kind === 'signal-end')
    t.same(ended, [{ kind: 'signal-end', viewer: one, key: doc }])
  })
}

t.test('viewers hear since when what they see may be old, and when it is live again', async t => {
  const rig = live()
  rig.nowMs = 1_000
  rig.closeParent()
  t.match(rig.got(one), [{ type: 'status', status: 'stale', since: startMs + 1_000 }])
  rig.nowMs = 1_500
  observer(rig)
  t.match(rig.got(two)[1], { type: 'status', status: 'stale', since: startMs + 1_000 })
  rig.openParent()
  t.match(rig.sent().at(-1), { kind: 'join', have: { seq: 10 } })
  rig.frame(welcome('tail', 12), records(11, 12))
  t.same(rangesOf(rig.got(one)), ['live', '10>11', '11>12'])
})

t.test("the parent's own age is added", async t => {
  const rig = live()
  rig.nowMs = 1_000
  rig.frame({ kind: 'status', channel, stale: true, ageMs: 400 })
  t.match(rig.got(one), [{ status: 'stale', since: startMs + 600 }])
})

t.test('without a parent, a viewer is served what is held, and told that it is old', async t => {
  const rig = live()
  rig.closeParent()
  observer(rig)
  t.same(rangesOf(rig.got(two)), ['=10', 'stale'])
})

t.test('when a document is deleted its viewers leave it, and later ones are refused', async t => {
  const rig = live()
  rig.frame(...snapshot(20, true))
  t.match(rig.got(one), [{ type: 'left', doc, reason: 'deleted' }])
  observer(rig)
  t.match(rig.got(two), [{ type: 'refused', code: 'FANFOLD_DELETED' }])
  t.ok([...rig.cohorts.values()].every(members => members.size === 0))
  const late = new Rig()
  late.openParent()
  observer(late)
  late.frame(welcome('snapshot', 20), ...snapshot(20, true))
  t.match(late.got(two), [{ type: 'refused', code: 'FANFOLD_DELETED' }])
})

t.test('what the parent refuses for good ends for the viewers', async t => {
  const rig = live()
  rig.frame({ kind: 'ended', channel, code: 'FANFOLD_LOG_DAMAGED', message: 'over' })
  t.match(rig.got(one), [{ type: 'refused', doc, code: 'FANFOLD_LOG_DAMAGED' }])
  t.equal(rig.edge.documentCount, 0)
  rig.observe(one)
  t.match(rig.sent().at(-1), { kind: 'join' }, 'asked again, it asks again')
})

t.test('what the parent refuses for now is told to who waits, who goes on waiting', async t => {
  const rig = new Rig()
  rig.openParent()
  observer(rig, one)
  const code = 'FANFOLD_NO_DOCUMENT'
  rig.frame({ kind: 'refused', doc, code, message: 'no', retryAfterMs: 0 })
  t.match(rig.got(one), [{ type: 'refused', doc, code, retryAfter: 2_000 }])
  rig.frame({ kind: 'refused', doc, code, message: 'no', retryAfterMs: 0 })
  t.same(rig.got(one), [], 'once')
  observer(rig, two)
  t.match(rig.got(two), [{ type: 'refused', code }], 'and who comes later, at once')
  rig.pass(5_000)
  rig.frame(welcome('snapshot', 10), ...snapshot(10))
  for (const id of [one, two]) t.equal(rangesOf(rig.got(id))[0], '=10')
})

t.test('a renewed token that allows less ends what it no longer allows', async t => {
  const rig = live()
  rig.observe(one, { doc: semis })
  rig.got(one)
  rig.take({
    kind: 'viewer-renewed',
    viewer: one,
    grants: grants({ documents: ['acme/match/semis'] }),
  })
  t.match(rig.got(one), [{ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN' }])
  rig.frame(records(11, 11))
  t.same(rig.got(one), [])
  rig.take({ kind: 'viewer-renewed', viewer: one, grants: grants() })
  rig.observe(one)
  t.match(rangesOf(rig.got(one))[0], /^=/)
})

t.test('a document lingers after its last viewer, then it is left', async t => {
  const rig = live({ lingerMs: 500 })
  rig.take({ kind: 'viewer-closed', viewer: one })
  t.equal(rig.edge.viewerCount, 0)
  rig.pass(499)
  t.same(rig.sent(), [])
  rig.pass(1)
  t.match(rig.sent(), [{ kind: 'leave', doc }])
  t.equal(rig.edge.wakeAt(), undefined)
})

t.test('a viewer that comes back while the document lingers keeps it', async t => {
  const rig = live({ lingerMs: 500 })
  rig.take({ kind: 'viewer-closed', viewer: one })
  rig.pass(400)
  observer(rig)
  rig.pass(5_000)
  t.same(rig.sent(), [])
  t.equal(rig.edge.documentCount, 1)
})

t.test('observing again begins again', async t => {
  const rig = live()
  rig.frame(records(11, 11))
  rig.got(one)
  rig.observe(one)
  t.match(rangesOf(rig.got(one)), [/^=/])
  rig.frame(records(12, 12))
  t.same(rangesOf(rig.got(one)), ['11>12'], 'once')
})

t.test(
  'a replica that turns out broken is fetched again, and viewers get the new snapshot',
  async t => {
    const rig = live()
    // The next patches replace a member that this state does not have.
    rig.frame(...snapshotOf(20, { other: 1 }), records(21, 22))
    rig.got(one)
    rig.sent()
    observer(rig)
    t.match(rig.sent(), [{ kind: 'join', doc, have: undefined }])
    t.same(rig.got(two), [])
    rig.frame(welcome('snapshot', 22), ...snapshot(22), records(23, 23))
    for (const id of [one, two]) t.same(rangesOf(rig.got(id)), ['=22', 'live', '22>23'])
  },
)

t.test('what comes from an unknown viewer is nothing', async t => {
  const rig = live()
  rig.observe(viewer(9))
  rig.take({ kind: 'viewer-renewed', viewer: viewer(9), grants: grants() })
  rig.take({ kind: 'viewer-closed', viewer: viewer(9) })
  t.same(rig.got(viewer(9)), [])
  rig.take({ kind: 'link-congested', link: parent })
  rig.take({ kind: 'link-drained', link: parent })
  t.same(rig.sent(), [])
})
