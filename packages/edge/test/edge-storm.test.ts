import { milliseconds } from '@fanfold/kernel'
import { parseDocumentKey, type ViewerId } from '@fanfold/protocol'
import t from 'tap'
import { live, Rig, rangesOf } from './build-edge.ts'
import { define, doc, viewer } from './edge-log.ts'
import { put, Show } from './history.ts'

const many = (count: number): ViewerId[] =>
  Array.from({ length: count }, (_, number) => viewer(100 + number))

/** A document of some 70 kB that one viewer observes. */
function large(limits: ConstructorParameters<typeof Rig>[0] = {}): Show {
  const show = new Show(
    define(),
    { n: 0, rows: Array.from({ length: 70 }, () => 'x'.repeat(1_000)) },
    { limits, ring: { bytesMax: 10_000_000, ageMax: milliseconds(60_000) } },
  )
  show.rig.open(viewer(1))
  show.rig.observe(viewer(1))
  show.rig.got(viewer(1))
  return show
}

/** Counts how often something large is written out while `run` runs. */
function countLarge(run: () => void): number {
  const { stringify } = JSON
  let count = 0
  JSON.stringify = ((...args: Parameters<typeof stringify>) => {
    const text = stringify(...args)
    if (text !== undefined && text.length > 50_000) count++
    return text
  }) as typeof stringify
  try {
    run()
  } finally {
    JSON.stringify = stringify
  }
  return count
}

t.test('a thousand viewers that join at once cost at most two snapshots', async t => {
  const show = large()
  const viewers = many(1_000)
  for (const id of viewers) show.rig.open(id)
  show.rig.effects()
  const encoded = countLarge(() => {
    for (const id of viewers.slice(0, 500)) show.rig.observe(id)
    show.change(put('/n', 1))
    for (const id of viewers.slice(500)) show.rig.observe(id)
    show.rig.pass(100)
  })
  t.ok(encoded <= 2, `${encoded}`)
  const facts = show.rig.effects().flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : []))
  const told = facts.filter(({ event }) => event === 'snapshot-made')
  t.equal(told.length, encoded, 'each is told')
  for (const id of viewers) {
    const last = show.rig.got(id).at(-1)
    t.ok(last?.type === 'snapshot' || last?.type === 'delta', `${id}`)
  }
})

t.test('viewers join by slices, in their order, and deltas go out between these', async t => {
  const show = large({ joinSliceBytes: 100_000 })
  const viewers = many(200)
  for (const id of viewers) {
    show.rig.open(id)
    show.rig.observe(id)
  }
  const joined = (): number =>
    viewers.filter(id => (show.rig.received.get(id)?.length ?? 0) > 0).length
  const first = joined()
  t.ok(first > 0 && first < 100, `${first}`)
  t.equal(show.rig.edge.wakeAt(), show.rig.nowMs * 1_000, 'the next slice is due at once')
  show.change(put('/n', 1))
  t.same(rangesOf(show.rig.got(viewer(1))), ['2>3'], 'who is connected does not wait')
  t.equal(joined(), first)
  show.rig.pass(1)
  t.equal(joined(), 200)
  for (const id of viewers) show.rig.got(id)
  show.change(put('/n', 2))
  for (const id of viewers) t.same(rangesOf(show.rig.got(id)), ['3>4'])
  t.not(show.rig.edge.wakeAt(), show.rig.nowMs * 1_000, 'nothing more is due')
})

t.test('one that leaves while it waits for its turn gets nothing', async t => {
  const show = large({ joinSliceBytes: 1 })
  const [one, two, three] = many(3) as [ViewerId, ViewerId, ViewerId]
  for (const id of [one, two, three]) {
    show.rig.open(id)
    show.rig.observe(id)
  }
  show.rig.request(two, { type: 'leave', doc })
  show.rig.got(two)
  show.rig.pass(1)
  t.same(show.rig.got(two), [])
  t.same(rangesOf(show.rig.got(three)), ['=2'])
})

t.test('past the bound of those who wait a viewer is told when to come again', async t => {
  const rig = new Rig({ joinsWaitingMax: 3 })
  rig.openParent()
  const [one, two, three, four] = many(4) as [ViewerId, ViewerId, ViewerId, ViewerId]
  for (const id of [one, two, three, four]) {
    rig.open(id)
    rig.observe(id)
  }
  t.same(rig.got(three), [], 'at the bound')
  const [refused] = rig.got(four)
  t.match(refused, { type: 'refused', doc, code: 'FANFOLD_OVERLOADED' })
  const wait = refused?.type === 'refused' ? refused.retryAfter : undefined
  t.ok(wait !== undefined && wait >= 500 && wait < 2_500, `${wait}`)
  rig.observe(one)
  t.same(rig.got(one), [], 'who waits may ask again')
  rig.request(one, { type: 'leave', doc })
  rig.got(one)
  rig.observe(four)
  t.same(rig.got(four), [], 'there is room again')
})

t.test(
  'who was told why it waits takes no room, until there is something to let it in to',
  async t => {
    const rig = new Rig({ joinsWaitingMax: 2 })
    rig.openParent()
    const missing = parseDocumentKey('acme/match/missing')
    const viewers = many(5)
    const [one, two, three, four, five] = viewers as [
      ViewerId,
      ViewerId,
      ViewerId,
      ViewerId,
      ViewerId,
    ]
    for (const id of viewers) rig.open(id)
    for (const id of [one, two]) rig.observe(id, { doc: missing })
    rig.observe(three)
    t.match(rig.got(three), [{ code: 'FANFOLD_OVERLOADED' }])
    const code = 'FANFOLD_NO_DOCUMENT'
    rig.frame({ kind: 'refused', doc: missing, code, message: 'no', retryAfterMs: 0 })
    rig.observe(three)
    rig.observe(four)
    t.same([...rig.got(three), ...rig.got(four)], [], 'there is room')
    rig.request(one, { type: 'leave', doc: missing })
    rig.observe(five)
    t.match(rig.got(five), [{ code: 'FANFOLD_OVERLOADED' }], 'who left had taken none')
  },
)

t.test('viewers that drain all at once are led on by slices', async t => {
  const show = large({ joinSliceBytes: 50_000 })
  const viewers = many(100)
  for (const id of viewers) {
    show.rig.open(id)
    show.rig.observe(id)
    show.rig.pass(1)
    show.rig.got(id)
    show.rig.lag(id)
  }
  show.change(put('/n', 1))
  for (const id of viewers) show.rig.drain(id)
  const first = viewers.filter(id => (show.rig.received.get(id)?.length ?? 0) > 0).length
  t.ok(first > 0 && first < 100, `${first}`)
  show.rig.pass(1)
  for (const id of viewers) t.same(rangesOf(show.rig.got(id)), ['2>3'])
})

t.test(
  'a viewer that resumes in a storm and missed nothing is answered once, in its turn',
  async t => {
    const rig = live({ joinSliceBytes: 1 })
    const [one, two] = many(2) as [ViewerId, ViewerId]
    rig.open(one)
    rig.observe(one)
    rig.pass(1)
    const first = rig.got(one)[0]
    rig.open(two)
    const from = first?.type === 'snapshot' ? first.position : ''
    rig.observe(two, { from })
    t.same(rig.got(two), [])
    rig.pass(1)
    t.same(rangesOf(rig.got(two)), ['live'])
  },
)
