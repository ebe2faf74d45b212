/* What a proxy's children ask of a state is asked once, and answered at once where it is known. */
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import {
  child,
  doc,
  framesOf,
  link,
  live,
  parent,
  positionAt,
  type Rig,
  records,
} from './build-proxy.ts'

const ask = { kind: 'request-state-hash', doc } as const

const told = (seq: number, tags: readonly number[] = [0, 1, 2], ceiling = 239): LinkFrame => ({
  kind: 'state-hash',
  doc,
  ceiling,
  at: positionAt(seq),
  hashes: tags.map(tag => ({ tag, hash: new Uint8Array(32).fill(tag + seq) })),
})

/** Children ask, and what is due is done. */
function asks(rig: Rig, ...ids: Parameters<Rig['frame']>[0][]): readonly LinkFrame[] {
  rig.effects()
  for (const id of ids) rig.frame(id, ask)
  rig.pass(1)
  const effects = rig.effects()
  return [...ids, parent].flatMap(id =>
    framesOf(effects, id).filter(
      ({ kind }) => kind === 'state-hash' || kind === 'request-state-hash',
    ),
  )
}

const none = { kind: 'state-hash', doc, hashes: [] } as const

t.test('many children ask, and the parent is asked once', async t => {
  const rig = live()
  rig.open(link(2))
  rig.join(link(2), positionAt(10))
  t.same(asks(rig, child, link(2)), [ask])
  t.same(asks(rig, child), [], 'the answer is under way')
  rig.frame(parent, told(10))
  const effects = rig.effects()
  for (const id of [child, link(2)]) t.same(framesOf(effects, id), [told(10)])
})

t.test(
  'what is known of the last record is answered at once, and of one before is not',
  async t => {
    const rig = live()
    asks(rig, child)
    rig.frame(parent, told(10))
    t.same(asks(rig, child), [told(10)])
    rig.frame(parent, records(11, 11))
    t.same(asks(rig, child), [ask])
  },
)

t.test('a child is told what is within its ceiling', async t => {
  const rig = live()
  rig.open(link(2), 1)
  rig.join(link(2))
  rig.pass(10)
  t.same(asks(rig, link(2)), [ask])
  rig.frame(parent, told(10))
  t.same(rig.sent(link(2)), [told(10, [0, 1], 1)])
})

t.test('an answer that comes behind what follows it is none', async t => {
  const rig = live()
  asks(rig, child)
  rig.frame(parent, records(11, 12))
  rig.effects()
  rig.frame(parent, told(10))
  t.match(rig.sent(child), [none])
})

t.test('without a parent that serves, or with one that has none, there is none', async t => {
  const rig = live()
  asks(rig, child)
  rig.frame(parent, { kind: 'state-hash', doc, ceiling: 0, at: positionAt(10), hashes: [] })
  t.match(rig.sent(child), [none])
  rig.frame(parent, records(11, 11))
  rig.close(parent)
  t.match(asks(rig, child), [none])
})

t.test('a parent that stays silent is asked again after a while', async t => {
  const rig = live()
  t.same(asks(rig, child), [ask])
  rig.pass(4_000)
  t.same(asks(rig, child), [])
  rig.pass(1_001)
  rig.frame(child, ask)
  rig.pass(1)
  t.same(rig.sent(parent), [ask])
})

t.test('of what it has not joined a child is told nothing', async t => {
  const rig = live()
  rig.open(link(2))
  t.same(asks(rig, link(2)), [])
})
