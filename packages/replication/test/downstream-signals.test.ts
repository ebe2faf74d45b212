import t from 'tap'
import { after, doc, framesOf, link, seqsOf, signalsOf } from './build-stream.ts'
import { child, log, Rig, settled } from './downstream-rig.ts'

const stale = { stale: true, ageMs: 25 }
const fresh = { stale: false, ageMs: 0 }
const second = link(2)

t.test('that a node is stale is told to all children, as a signal by its channel', async t => {
  const rig = settled()
  rig.join({ link: second, have: after(log[9]) })
  rig.effects()
  rig.tellStaleness(stale)
  const effects = rig.effects()
  t.same(framesOf(effects), [], 'not among the records')
  for (const to of [child, second]) {
    const frame = { kind: 'status', channel: 7, ...stale } as const
    t.same(signalsOf(effects, to), [{ key: 'status:7', frame }])
  }
})

t.test('a child that joins a node that is stale is told', async t => {
  const rig = settled()
  rig.staleness = stale
  rig.join({ link: second, have: after(log[9]) })
  t.match(signalsOf(rig.effects(), second), [{ frame: { kind: 'status', ...stale } }])
  rig.staleness = fresh
  rig.join({ link: link(3), have: after(log[9]) })
  t.same(signalsOf(rig.effects()), [], 'that it is not goes without saying')
})

t.test('a child that joins once more on a full link is told how it is now', async t => {
  const rig = settled()
  rig.staleness = stale
  rig.join({ link: second, have: after(log[9]), isCongested: true })
  t.match(signalsOf(rig.effects(), second), [{ key: 'status:7', frame: stale }], 'which waits')
  rig.tellStaleness(fresh)
  rig.join({ link: second, have: after(log[9]), isCongested: true })
  t.match(signalsOf(rig.effects(), second), [{ key: 'status:7', frame: fresh }], 'in its place')
})

t.test('a child whose link is full is told when it is not, how it is then', async t => {
  const rig = settled()
  rig.downstream.setCongested(child, true)
  rig.tellStaleness(stale)
  rig.flush()
  t.same(rig.effects(), [])
  rig.staleness = { stale: true, ageMs: 700 }
  rig.downstream.setCongested(child, false)
  rig.flush()
  t.match(signalsOf(rig.effects()), [{ frame: { ageMs: 700 } }])
})

t.test('what was told on a link that became full is told once more', async t => {
  const rig = settled()
  rig.tellStaleness(stale)
  rig.tellStaleness(fresh)
  rig.effects()
  const drain = (): unknown[] => {
    rig.downstream.setCongested(child, true)
    rig.downstream.setCongested(child, false)
    rig.flush()
    return signalsOf(rig.effects())
  }
  t.match(drain(), [{ frame: { stale: false } }])
  t.same(drain(), [], 'and then not again')
})

t.test('the head is told to those who were sent everything', async t => {
  const rig = settled()
  rig.join({ link: second, have: after(log[9]) })
  rig.join({ link: link(3), have: undefined })
  rig.flush()
  rig.downstream.setCongested(second, true)
  rig.push(log[10])
  rig.flush()
  rig.effects()
  rig.signalHead()
  const effects = rig.effects()
  const frame = { kind: 'signal', signal: 'head', doc, value: 11 } as const
  t.same(signalsOf(effects, child), [{ key: 'head:7', frame }])
  t.same(signalsOf(effects, second), [], 'one that is behind would take it for a gap')
  t.same(framesOf(effects), [])
})

t.test('a child with a snapshot under way is not told where the head is', async t => {
  const rig = new Rig(5)
  rig.hasSnapshot = false
  rig.join()
  rig.flush()
  rig.signalHead()
  t.same(signalsOf(rig.effects()), [])
})

t.test('signals never delay a record: they go beside it', async t => {
  const rig = settled()
  for (let round = 0; round < 1_000; round++) rig.tellStaleness(round % 2 ? fresh : stale)
  rig.push(log[10])
  rig.flush()
  const effects = rig.effects()
  t.same(seqsOf(framesOf(effects)), [11])
  t.equal(new Set(signalsOf(effects).map(({ key }) => key)).size, 1, 'which the lane keeps one of')
  rig.join({ link: second, have: undefined })
  rig.flush()
  t.same(signalsOf(rig.effects(), second), [], 'and a joiner gets none from before')
})
