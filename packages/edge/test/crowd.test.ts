import { encodeLinkFrame, type LinkId, type PeerIdentity } from '@fanfold/protocol'
import { decodeAggregate, decodeContent } from '@fanfold/reduction'
import t from 'tap'
import { CrowdRig, cheers, reducerOf, speaking, votes } from './crowd-rig.ts'
import { channel, doc, log, parent, snapshot, startMs, viewer, welcome } from './edge-log.ts'
import { Show } from './history.ts'

const [one, two] = [viewer(1), viewer(2)]

t.test('what a viewer says goes up at once, and it is told when it is counted', async t => {
  const crowd = new CrowdRig()
  t.same(crowd.add(one, 'home', { id: 7 }), [], 'nothing is said at once')
  t.match(crowd.said(), [{ doc, number: 1, asked: 1, aggregate: new Uint8Array(0) }])
  crowd.answer()
  t.match(crowd.said(), [{ number: 2, asked: 0 }], 'with a session the sum goes')
  t.same(crowd.told(one), [])
  crowd.answer()
  t.same(crowd.told(one), [['counted', 7]])
  t.same(crowd.counts, { home: 1 })
  t.equal(crowd.rig.edge.crowdIdsWaiting, 0)
})

t.test('without an id nothing is answered', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home')
  crowd.settle()
  t.same(crowd.rig.got(one), [])
  t.same(crowd.counts, { home: 1 })
})

t.test('what comes until the parent wants the next goes in one window', async t => {
  const crowd = new CrowdRig()
  crowd.waitMs = 250
  crowd.come(two)
  crowd.add(one, 'home', { id: 'a' })
  crowd.answer()
  t.same(crowd.said(), [], 'the parent wants the next one later')
  crowd.rig.pass(249)
  t.same(crowd.said(), [])
  for (const id of [1, 2]) crowd.add(two, 'away', { id })
  crowd.rig.pass(1)
  const [window] = crowd.said()
  t.match(decodeAggregate(window?.aggregate ?? new Uint8Array(0)).ranges, [{ after: 0, upTo: 1 }])
  crowd.answer()
  t.same(crowd.told(one), [['counted', 'a']])
  t.same(crowd.told(two), [
    ['counted', 1],
    ['counted', 2],
  ])
  t.same(crowd.counts, { away: 2, home: 1 })
})

t.test('what is said has the voice of the token, and the stamp of the frame', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'early', { reducer: 'poll', stamp: 4 })
  crowd.add(one, 'late', { reducer: 'poll', stamp: 3 })
  crowd.come(two)
  crowd.rig.nowMs = 5
  crowd.add(two, 'now', { reducer: 'poll' })
  crowd.add(two, 'before', { reducer: 'poll', stamp: startMs + 4 })
  crowd.answer()
  const [frame] = crowd.said()
  const [part] = decodeContent(decodeAggregate(frame?.aggregate ?? new Uint8Array(0)).content)
  const cast = votes.read(votes.decode(part?.bytes ?? new Uint8Array(0)))
  t.same(
    [...cast].map(([voter, { choice }]) => [voter, choice]),
    [
      ['subject 1', 'early'],
      ['subject 2', 'now'],
    ],
  )
})

t.test('what a sealed session has not counted counts in the next one', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.settle()
  t.same(crowd.told(one), [['counted', 1]])
  crowd.add(one, 'home', { id: 2 })
  crowd.seal()
  crowd.settle()
  t.same(crowd.told(one), [['counted', 2]])
  t.same(crowd.counts, { home: 2 })
})

t.test('what nobody can tell any more is unknown', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.answer()
  crowd.forget()
  crowd.answer()
  t.same(crowd.told(one), [['unknown', 1]])
  t.match(crowd.facts().at(-1), 'unknown 1')
  crowd.add(one, 'home', { id: 2 })
  crowd.settle()
  t.same(crowd.told(one), [['counted', 2]])
})

t.test('another parent is told what the one before was', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.answer()
  crowd.lose()
  crowd.rig.closeParent()
  crowd.add(one, 'away', { id: 2 })
  t.same(crowd.said(), [])
  crowd.link = 101 as LinkId
  const peer: PeerIdentity = { node: 'q', incarnation: '1', region: 'r', roles: [], ceiling: 239 }
  crowd.rig.take({ kind: 'link-opened', link: crowd.link, peer, dialled: true })
  crowd.rig.pass(0)
  crowd.tell(welcome('tail', 10))
  crowd.settle()
  t.same(crowd.told(one), [
    ['counted', 1],
    ['counted', 2],
  ])
  t.same(crowd.counts, { away: 1, home: 1 })
})

t.test('what is not answered is said again, and counts once', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.answer()
  const [first] = crowd.said()
  if (first !== undefined) crowd.judge(first)
  crowd.lose()
  crowd.rig.pass(5_000)
  const [again] = crowd.said()
  t.same(again?.aggregate, first?.aggregate)
  crowd.answer()
  t.same(crowd.told(one), [['counted', 1]])
  t.same(crowd.counts, { home: 1 })
})

t.test(
  'while no parent is there for long, what is said is bounded, and all of it counts',
  async t => {
    const crowd = new CrowdRig({
      crowdMessagesPerViewerPerSecond: 100,
      crowdMessagesPerViewerBurst: 50,
    })
    crowd.add(one, 'home')
    crowd.settle()
    crowd.rig.closeParent()
    crowd.rig.got(one)
    for (let second = 0; second < 100; second++) {
      for (let at = 0; at < 20; at++) t.same(crowd.add(one, 'home'), [])
      crowd.rig.pass(1_000)
    }
    t.same(crowd.said(), [])
    crowd.link = 101 as LinkId
    const peer: PeerIdentity = { node: 'q', incarnation: '1', region: 'r', roles: [], ceiling: 239 }
    crowd.rig.take({ kind: 'link-opened', link: crowd.link, peer, dialled: true })
    crowd.rig.pass(0)
    crowd.tell(welcome('tail', 10))
    const [all] = crowd.said()
    t.ok((all?.aggregate.length ?? 0) < 100, 'one sum, however much was said')
    crowd.settle()
    t.same(crowd.counts, { home: 2_001 })
  },
)

t.test('what a viewer says too often is rejected, with a time to wait', async t => {
  const crowd = new CrowdRig({
    crowdMessagesPerViewerPerSecond: 2,
    crowdMessagesPerViewerBurst: 3,
  })
  for (let at = 0; at < 3; at++) t.same(crowd.add(one, 'home', { id: at }), [])
  t.same(crowd.add(one, 'home', { id: 3 }), [
    {
      type: 'rejected',
      doc,
      id: 3,
      reducer: 'cheer',
      code: 'FANFOLD_OVERLOADED',
      message: 'a viewer says at most 2 things a second',
      retryAfter: 500,
    },
  ])
  crowd.come(two)
  t.same(crowd.add(two, 'home'), [], 'another one may')
  crowd.rig.pass(500)
  t.same(crowd.add(one, 'home'), [])
  crowd.settle()
  t.same(crowd.counts, { home: 5 }, 'what was rejected does not count')
  t.same(crowd.told(one).length, 3)
})

t.test('a value that is none is rejected, and costs no other', async t => {
  const refuse = () => {
    throw new Error('the others said 41')
  }
  const own = { ...cheers, shape: 'own/x', fold: refuse }
  const crowd = new CrowdRig({}, speaking({ own: reducerOf(own), of: reducerOf(cheers, refuse) }))
  const rejected = (value: unknown, reducer: string) =>
    crowd
      .add(one, value, { reducer, id: 1 })
      .map(frame => frame.type === 'rejected' && [frame.code, frame.message])
  t.match(rejected(7, 'cheer'), [['FANFOLD_INVALID_VALUE', 'match.cheer: a text']])
  t.match(rejected('x'.repeat(65), 'cheer'), [
    ['FANFOLD_INVALID_VALUE', /a well-formed text of 1 to 64/],
  ])
  t.match(rejected('x', 'own'), [
    ['FANFOLD_INVALID_VALUE', 'match.own: its reduction does not take it'],
  ])
  t.match(rejected('x', 'of'), [['FANFOLD_INVALID_VALUE', /^match\.of: its of threw/]])
  t.match(rejected('x', 'toString'), [['FANFOLD_NO_REDUCER', /no reducer toString/]])
  t.same(crowd.facts(), [
    'FANFOLD_INVALID_VALUE',
    'FANFOLD_INVALID_VALUE',
    'FANFOLD_INVALID_VALUE',
    'FANFOLD_INVALID_VALUE',
    'FANFOLD_NO_REDUCER',
  ])
  t.equal(crowd.rig.edge.crowdIdsWaiting, 0)
  crowd.add(one, 'home')
  crowd.settle()
  t.same(crowd.counts, { home: 1 })
})

t.test('who does not observe the document says nothing of it', async t => {
  const crowd = new CrowdRig()
  crowd.rig.open(two)
  t.match(crowd.add(two, 'home', { id: 1 }), [
    { type: 'rejected', id: 1, code: 'FANFOLD_NOT_OBSERVED', retryAfter: undefined },
  ])
  crowd.rig.request(one, { type: 'leave', doc })
  crowd.rig.got(one)
  t.match(crowd.add(one, 'home'), [{ type: 'rejected', code: 'FANFOLD_NOT_OBSERVED' }])
  t.same(crowd.said(), [])
})

t.test('who is not let in yet says nothing yet', async t => {
  const crowd = new CrowdRig({ joinSliceBytes: 1 })
  crowd.rig.open(two)
  crowd.rig.observe(two)
  crowd.rig.open(viewer(3))
  crowd.rig.observe(viewer(3))
  t.match(crowd.add(viewer(3), 'home'), [
    { type: 'rejected', code: 'FANFOLD_BUSY', retryAfter: Number },
  ])
  crowd.rig.pass(100)
  crowd.rig.got(viewer(3))
  t.same(crowd.add(viewer(3), 'home'), [])
})

/** A viewer of a document whose definition is about to be another one. */
function between() {
  const show = new Show(speaking(), { n: 0 })
  const { rig, history } = show
  const add = (value: string, reducer = 'cheer') => {
    rig.request(one, { type: 'add', doc, reducer, value, id: undefined, stamp: undefined })
    return rig.got(one)
  }
  rig.open(one)
  rig.observe(one)
  history.define('second')
  rig.got(one)
  return { rig, history, add }
}

t.test('while the variant in force is missing, nothing is heard', async t => {
  const { rig, history, add } = between()
  rig.frame(history.last())
  t.match(add('home', 'late'), [{ type: 'rejected', code: 'FANFOLD_BUSY', retryAfter: Number }])
  rig.load('second', speaking({ late: reducerOf(cheers) }))
  rig.got(one)
  t.same(add('home', 'late'), [], 'by the definition that is in force now')
})

t.test('a definition that sums up otherwise by the same name spoils nothing', async t => {
  const { rig, history, add } = between()
  add('home')
  rig.load('second', speaking({ cheer: reducerOf(votes) }))
  rig.frame(history.last())
  rig.got(one)
  t.same(add('away'), [])
  rig.pass(0)
  rig.effects()
  rig.frame({
    kind: 'crowd-answer',
    doc,
    number: 1,
    waitMs: 0,
    sessions: [1],
    standings: new Uint8Array(0),
  })
  rig.pass(0)
  const sums = rig
    .sent()
    .flatMap(frame => (frame.kind === 'crowd' ? decodeAggregate(frame.aggregate).content : []))
    .flatMap(content => decodeContent(content))
  t.same(
    sums.map(({ reducer, shape }) => [reducer, shape]),
    [
      ['cheer', cheers.shape],
      ['cheer', votes.shape],
    ],
  )
})

t.test('of ids that wait there are so many, of one viewer and of all', async t => {
  const crowd = new CrowdRig({ crowdIdsPerViewerMax: 2, crowdIdsMax: 3 })
  crowd.come(two)
  crowd.add(one, 'home', { id: 1 })
  crowd.add(one, 'home', { id: 2 })
  t.match(crowd.add(one, 'home', { id: 3 }), [
    { type: 'rejected', id: 3, code: 'FANFOLD_OVERLOADED', message: /2 ids/, retryAfter: Number },
  ])
  t.same(crowd.add(one, 'home'), [], 'without an id it may')
  t.same(crowd.add(two, 'home', { id: 1 }), [])
  t.match(crowd.add(two, 'home', { id: 2 }), [{ code: 'FANFOLD_OVERLOADED', message: /3 ids/ }])
  t.equal(crowd.rig.edge.crowdIdsWaiting, 3)
  crowd.settle()
  t.same(crowd.counts, { home: 4 }, 'what was rejected is not in the sums')
  t.same(crowd.told(one).length, 2)
  t.same(crowd.add(one, 'home', { id: 3 }), [], 'there is room again')
})

t.test('a viewer that is gone is forgotten with its ids, and what it said counts', async t => {
  const crowd = new CrowdRig()
  crowd.come(two)
  crowd.add(one, 'home', { id: 1 })
  crowd.add(two, 'home', { id: 2 })
  crowd.rig.take({ kind: 'viewer-closed', viewer: two })
  t.equal(crowd.rig.edge.crowdIdsWaiting, 1)
  crowd.settle()
  t.same(crowd.rig.got(two), [])
  t.same(crowd.told(one), [['counted', 1]])
  t.same(crowd.counts, { home: 2 })
  t.equal(crowd.rig.edge.crowdIdsWaiting, 0)
})

t.test('who leaves the document is told all the same', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.rig.request(one, { type: 'leave', doc })
  crowd.rig.got(one)
  crowd.settle()
  t.same(crowd.told(one), [['counted', 1]])
})

t.test('many that wait for one window are told in several turns', async t => {
  const crowd = new CrowdRig({ crowdMessagesPerViewerBurst: 256 })
  for (let number = 1; number <= 30; number++) {
    if (number > 1) crowd.come(viewer(number))
    for (let id = 0; id < 100; id++) crowd.add(viewer(number), 'home', { id })
  }
  crowd.answer()
  const [sum] = crowd.said()
  if (sum === undefined) throw new Error('the sum goes up')
  const answer = crowd.judge(sum)
  crowd.rig.effects()
  const turns: number[] = []
  crowd.rig.take({ kind: 'link-frame', link: parent, frame: encodeLinkFrame(answer) })
  for (let turn = 0; turn < 3; turn++) {
    crowd.rig.turn()
    turns.push(crowd.rig.effects().filter(({ kind }) => kind === 'viewer-send').length)
  }
  t.same(turns, [2_000, 1_000, 0])
})

t.test('who goes while it is about to be told is told nothing', async t => {
  const crowd = new CrowdRig()
  crowd.come(two)
  for (const id of [one, two]) crowd.add(id, 'home', { id: 1 })
  crowd.answer()
  const [sum] = crowd.said()
  if (sum === undefined) throw new Error('the sum goes up')
  const frame = encodeLinkFrame(crowd.judge(sum))
  crowd.rig.take({ kind: 'link-frame', link: parent, frame })
  crowd.rig.take({ kind: 'viewer-closed', viewer: two })
  t.equal(crowd.rig.edge.crowdIdsWaiting, 1)
  crowd.rig.pass(0)
  t.same(crowd.told(one), [['counted', 1]])
  t.same(crowd.rig.got(two), [])
  t.equal(crowd.rig.edge.crowdIdsWaiting, 0)
})

t.test('a document stays without viewers until all that they said is counted', async t => {
  const crowd = new CrowdRig({ lingerMs: 100 })
  crowd.add(one, 'home', { id: 1 })
  crowd.said()
  crowd.rig.take({ kind: 'viewer-closed', viewer: one })
  crowd.rig.pass(3_000)
  t.equal(crowd.rig.edge.documentCount, 1)
  crowd.settle()
  t.same(crowd.counts, { home: 1 })
  crowd.rig.pass(1_000)
  t.equal(crowd.rig.edge.documentCount, 0)
})

t.test(
  'it does not stay for ever: what is left then is lost, and who is there is told',
  async t => {
    const crowd = new CrowdRig({ lingerMs: 100, crowdKeptMaxMs: 4_000 })
    crowd.add(one, 'home', { id: 1 })
    crowd.rig.request(one, { type: 'leave', doc })
    crowd.rig.pass(3_900)
    t.same(crowd.told(one), [])
    t.equal(crowd.rig.edge.documentCount, 1)
    crowd.facts()
    crowd.rig.pass(400)
    t.equal(crowd.rig.edge.documentCount, 0)
    t.same(crowd.told(one), [['unknown', 1]])
    t.same(crowd.facts(), ['lost 1'])
    t.equal(crowd.rig.edge.crowdIdsWaiting, 0)
  },
)

t.test('of a document that is deleted what was not counted is unknown', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.rig.frame(
    { kind: 'welcome', doc, channel, mode: 'snapshot', head: positionOf(11), ceiling: 239 },
    ...snapshot(11, true),
  )
  crowd.rig.pass(0)
  t.same(crowd.told(one), [['unknown', 1]])
  t.match(crowd.add(one, 'home', { id: 2 }), [{ type: 'rejected', code: 'FANFOLD_DELETED' }])
  crowd.rig.open(two, { documents: ['acme/table/*'] })
  t.match(
    crowd.add(two, 'home'),
    [{ code: 'FANFOLD_NOT_OBSERVED' }],
    'who may not know is not told',
  )
})

t.test('of a document that is put aside what was not counted is unknown', async t => {
  const crowd = new CrowdRig()
  crowd.add(one, 'home', { id: 1 })
  crowd.rig.isStumbling = true
  crowd.add(one, 'home', { id: 2 })
  crowd.rig.isStumbling = false
  crowd.rig.pass(0)
  t.same(crowd.told(one), [['unknown', 1]])
})

t.test('sums that the definition cannot write down are lost, and nothing else is', async t => {
  const broken = {
    ...cheers,
    shape: 'own/broken',
    encode: () => {
      throw new Error('oh')
    },
  }
  const crowd = new CrowdRig({}, speaking({ broken: reducerOf(broken) }))
  crowd.add(one, 'home', { id: 1, reducer: 'broken' })
  crowd.add(one, 'home', { id: 2 })
  crowd.answer()
  crowd.rig.pass(0)
  t.same(crowd.told(one), [
    ['unknown', 1],
    ['unknown', 2],
  ])
  crowd.add(one, 'home', { id: 3 })
  crowd.settle()
  t.same(crowd.told(one), [['counted', 3]])
})

function positionOf(seq: number) {
  const record = log[seq - 1]
  if (record === undefined) throw new Error(`the log has no record ${seq}`)
  return { epoch: record.epoch, seq, hash: record.chainHash }
}
