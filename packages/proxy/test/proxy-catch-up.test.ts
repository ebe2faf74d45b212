import { sha256 } from '@fanfold/conformance'
import { encodeSnapshot, Replica } from '@fanfold/document'
import type { LinkId } from '@fanfold/protocol'
import { defaultTransferLimits } from '@fanfold/replication'
import t from 'tap'
import { ProxyChain } from './build-chain.ts'
import {
  channel,
  child,
  doc,
  effectsOf,
  framesOf,
  link,
  live,
  parent,
  positionAt,
  Rig,
  records,
  seqsOf,
  snapshot,
  snapshotAt,
  welcome,
} from './build-proxy.ts'

const children = (count: number): LinkId[] =>
  Array.from({ length: count }, (_, index) => link(index + 1))

t.test('whatever the number of children that ask, the parent is asked once', async t => {
  const rig = new Rig()
  rig.open(parent)
  for (const id of children(50)) {
    rig.open(id)
    rig.join(id)
  }
  t.equal(rig.sent(parent).length, 1)
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
  rig.pass(0)
  const effects = rig.effects()
  for (const id of children(50)) {
    t.same(
      framesOf(effects, id).map(({ kind }) => kind),
      ['welcome', 'snapshot-begin', 'snapshot-piece', 'status'],
    )
  }
  t.same(framesOf(effects, parent), [])
})

t.test('bytes from the parent do not grow with the children', async t => {
  const bytesFor = (count: number): number => {
    const rig = live()
    for (const id of children(count)) {
      rig.open(id)
      rig.join(id)
    }
    rig.effects()
    rig.frame(parent, records(11, 30))
    rig.pass(10_000)
    return effectsOf(rig.effects(), 'link-send')
      .filter(({ link }) => link === parent)
      .reduce((sum, { frame }) => sum + frame.length, 0)
  }
  t.equal(bytesFor(40), bytesFor(1))
})

t.test('of a snapshot no more is ahead of a child than the limits say', async t => {
  const rig = new Rig({ transfer: { ...defaultTransferLimits, bytesUnderWayMax: 150_000 } })
  rig.open(parent)
  rig.open(child)
  rig.join()
  const state = { rows: Array.from({ length: 600 }, () => 'x'.repeat(1_000)) }
  const { manifest, pieces } = encodeSnapshot({
    at: positionAt(10),
    state,
    definition: undefined,
    sha256,
  })
  rig.frame(parent, welcome('snapshot', 10), { kind: 'snapshot-begin', channel, manifest })
  for (const [index, piece] of pieces.entries()) {
    rig.frame(parent, { kind: 'snapshot-piece', channel, index, codec: 0, piece })
  }
  rig.pass(100)
  const piecesSent = (): number =>
    rig.sent(child).filter(({ kind }) => kind === 'snapshot-piece').length
  t.equal(piecesSent(), 3)
  t.not(rig.proxy.wakeAt(), rig.nowMs * 1_000, 'it waits for the child')
  rig.frame(child, { kind: 'pieces-taken', bytes: 100_000, answers: 0 })
  rig.pass(100)
  t.ok(piecesSent() >= 1)
})

t.test('a snapshot goes to the child that needs it and to no other', async t => {
  const rig = live()
  rig.open(link(2))
  rig.join(link(2), positionAt(10))
  rig.effects()
  rig.open(link(3))
  rig.join(link(3))
  const effects = rig.effects()
  t.ok(framesOf(effects, link(3)).some(({ kind }) => kind === 'snapshot-piece'))
  for (const id of [child, link(2)]) t.same(framesOf(effects, id), [])
})

t.test('an empty document is answered at once, as one that does not exist is', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.join()
  const manifest = { at: positionAt(10), pieces: [] }
  rig.frame(parent, welcome('snapshot', 10), { kind: 'snapshot-begin', channel, manifest })
  t.match(rig.sent(child), [{ kind: 'welcome' }, { kind: 'snapshot-begin', manifest }, {}])
  const none = new Rig()
  none.open(parent)
  none.open(child)
  none.join()
  const code = 'FANFOLD_NO_DOCUMENT'
  none.frame(parent, { kind: 'refused', doc, code, message: 'none', retryAfterMs: 0 })
  t.match(none.sent(child), [{ kind: 'refused', code }])
})

t.test('children that joined at different places all get what follows, without a hole', async t => {
  const rig = live()
  rig.frame(parent, records(11, 20))
  rig.open(link(2))
  rig.open(link(3))
  rig.join(link(2), positionAt(12))
  rig.join(link(3), positionAt(18))
  rig.frame(parent, records(21, 23))
  const effects = rig.effects()
  const from = (seq: number): number[] => Array.from({ length: 23 - seq }, (_, i) => seq + i + 1)
  t.same(seqsOf(framesOf(effects, child)), from(10))
  t.same(seqsOf(framesOf(effects, link(2))), from(12))
  t.same(seqsOf(framesOf(effects, link(3))), from(18))
})

t.test('how joins were answered, and what they cost, are facts', async t => {
  const rig = live()
  rig.open(link(2))
  rig.join(link(2), positionAt(10))
  rig.join(link(2))
  rig.join(link(2), { ...positionAt(10), seq: 50 })
  rig.frame(link(2), { kind: 'join', doc, have: undefined, credit: 1, take: 'tail', codecs: 0 })
  const facts = effectsOf(rig.effects(), 'fact').map(({ fact }) => fact)
  t.same(
    facts.flatMap(fact => (fact.event === 'join-answered' ? [fact.answer] : [])),
    ['tail', 'snapshot', 'refused', 'refused'],
  )
  const [sent] = facts.filter(({ event }) => event === 'snapshot-sent')
  t.ok(sent?.event === 'snapshot-sent' && sent.bytes > snapshotAt(10).pieces.length)
})

t.test('a child that takes the tail alone is refused where it is not at hand', async t => {
  const rig = live()
  rig.frame(child, { kind: 'join', doc, have: undefined, credit: 1, take: 'tail', codecs: 0 })
  t.match(rig.sent(child), [{ kind: 'refused', code: 'FANFOLD_NO_TAIL' }])
})

t.test('through three tiers a state comes down as it is above', async t => {
  const chain = new ProxyChain([239, 239, 239, 239])
  chain.publish(20)
  const replica = new Replica(sha256)
  const last = chain.follower.snapshot()
  t.ok(last)
  if (last !== undefined) replica.reset(last)
  t.same(replica.state(), chain.follower.replica.state())
  t.equal(chain.follower.replica.position.seq, 30)
})
