import { milliseconds } from '@fanfold/kernel'
import type { LinkFrame } from '@fanfold/protocol'
import { defaultUpstreamLimits } from '@fanfold/replication'
import t from 'tap'
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
  welcome,
} from './build-proxy.ts'

const second = link(2)

const presence = (value: number): LinkFrame => ({ kind: 'signal', signal: 'presence', doc, value })

const headsOf = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame => (frame.kind === 'signal' && frame.signal === 'head' ? [frame.value] : []))

const viewersIn = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame =>
    frame.kind === 'signal' && frame.signal === 'presence' ? [frame.value] : [],
  )

t.test('children are told where the head is a second after the last record, once', async t => {
  const rig = live()
  rig.frame(parent, records(11, 12))
  rig.pass(500)
  rig.frame(parent, records(13, 13))
  rig.pass(999)
  t.same(headsOf(rig.sent(child)), [])
  rig.pass(1)
  const effects = rig.effects()
  t.same(headsOf(framesOf(effects, child)), [13])
  t.same(
    effectsOf(effects, 'link-signal').map(({ link, key }) => [link, key]),
    [[child, 'head:1']],
  )
  rig.pass(60_000)
  t.same(headsOf(rig.sent(child)), [])
})

t.test('viewers below are added up and told upward when the sum changes', async t => {
  const rig = live()
  rig.open(second)
  rig.join(second, positionAt(10))
  rig.frame(child, presence(3))
  t.same(viewersIn(rig.sent(parent)), [3])
  rig.frame(second, presence(4))
  rig.frame(child, presence(5))
  t.same(viewersIn(rig.sent(parent)), [], 'within a second of the last time')
  rig.pass(1_000)
  t.same(viewersIn(rig.sent(parent)), [9])
  rig.frame(child, presence(5))
  rig.pass(10_000)
  t.same(viewersIn(rig.sent(parent)), [], 'the same again is nothing new')
  rig.close(child)
  rig.pass(1_000)
  t.same(viewersIn(rig.sent(parent)), [4], 'who is gone counts no more')
  rig.frame(second, { kind: 'leave', doc })
  t.equal(viewersIn(rig.sent(parent)).length <= 1, true)
})

t.test('a new parent is told how many there are', async t => {
  const rig = live()
  const other = link(101)
  rig.frame(child, presence(3))
  rig.effects()
  rig.close(parent)
  rig.open(other)
  rig.frame(other, welcome('tail', 10))
  t.same(viewersIn(rig.sent(other)), [3])
})

t.test('a storm of signals delays no record, and one that is stuck holds up nothing', async t => {
  const rig = live()
  rig.open(second)
  rig.join(second, positionAt(10))
  rig.congest(second, true)
  rig.effects()
  for (let round = 0; round < 1_000; round++) {
    rig.frame(child, presence(round))
    rig.frame(parent, { kind: 'status', channel, stale: round % 2 === 0, ageMs: round })
  }
  rig.frame(parent, records(11, 11))
  const effects = rig.effects()
  t.same(seqsOf(framesOf(effects, child)), [11])
  t.same(framesOf(effects, second), [], 'its link takes nothing')
  const sends = effectsOf(effects, 'link-send').filter(({ link }) => link === child)
  t.equal(sends.length, 1, 'signals are in a lane of their own')
  const keys = effectsOf(effects, 'link-signal').map(({ link, key }) => `${link} ${key}`)
  t.ok(new Set(keys).size <= 2, 'where the later one takes the place of the one before')
  t.ok(viewersIn(framesOf(effects, parent)).length <= 1)
  rig.congest(second, false)
  rig.pass(0)
  const caughtUp = rig.sent(second)
  t.same(seqsOf(caughtUp), [11])
  t.equal(caughtUp.filter(({ kind }) => kind === 'status').length, 1, 'how it is now')
})

t.test('a joiner gets no signals from before', async t => {
  const rig = live()
  rig.frame(parent, records(11, 12))
  rig.frame(parent, { kind: 'status', channel, stale: true, ageMs: 5 })
  rig.frame(parent, { kind: 'status', channel, stale: false, ageMs: 0 })
  rig.pass(2_000)
  rig.open(second)
  rig.join(second)
  const kinds = rig.sent(second).map(({ kind }) => kind)
  t.notOk(kinds.includes('signal') || kinds.includes('status'), kinds.join())
})

t.test('old records go by age though no new ones come', async t => {
  const ring = { recordsMax: 1_000, bytesMax: 1_000_000, ageMax: milliseconds(60_000) }
  const follower = { ring, upstream: defaultUpstreamLimits, pendingBytesMax: 1_000_000 }
  const rig = live({ follower })
  rig.frame(parent, records(11, 20))
  rig.pass(50_000)
  rig.open(second)
  rig.join(second, positionAt(15))
  t.match(rig.sent(second)[0], { kind: 'welcome', mode: 'tail' })
  rig.pass(15_000)
  rig.join(second, positionAt(15))
  t.match(rig.sent(second)[0], { kind: 'welcome', mode: 'snapshot' })
})

t.test('a document at rest wants no turns', async t => {
  const rig = live()
  rig.frame(parent, records(11, 12))
  rig.pass(120_000)
  t.equal(rig.proxy.documentCount, 1)
  t.equal(rig.proxy.wakeAt(), undefined)
})

t.test('how far behind a child is goes no further up, and is noted', async t => {
  const rig = live()
  rig.effects()
  rig.frame(child, { kind: 'signal', signal: 'lag', doc, value: 120 })
  rig.frame(child, presence(3))
  const effects = rig.effects()
  const facts = effects.flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : []))
  t.match(facts, [{ event: 'lag-told', doc, lagMs: 120 }])
  const signals = effects.flatMap(effect => (effect.kind === 'link-signal' ? [effect.key] : []))
  t.same(signals, [`presence:${doc}`])
  t.equal(rig.proxy.viewersBelow, 3)
})

t.test('children that wait for a parent that says nothing are told to ask again', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.join()
  rig.pass(1_499)
  t.same(rig.sent(child), [])
  rig.pass(1)
  t.match(rig.sent(child), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT', retryAfterMs: 250 }])
  rig.join()
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
  t.match(rig.sent(child)[0], { kind: 'welcome' })
})

t.test('after a thousand children nothing is kept of them', async t => {
  const rig = live()
  for (let round = 0; round < 1_000; round++) {
    const id = link((round % 50) + 2)
    rig.open(id)
    rig.join(id)
    rig.frame(id, presence(round))
    rig.frame(id, { kind: 'request-replay', doc, replay: 1, have: undefined, credit: 1 })
    rig.close(id)
  }
  rig.close(child)
  rig.close(parent)
  rig.pass(120_000)
  t.match(rig.proxy, { documentCount: 0, childCount: 0, streamCount: 0 })
  t.equal(rig.proxy.wakeAt(), undefined)
})
