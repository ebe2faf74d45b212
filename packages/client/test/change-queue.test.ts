import t from 'tap'
import type { Change } from '../src/change.ts'
import { ChangeQueue } from '../src/change-queue.ts'
import { snapshotChange } from '../src/view-tracker.ts'

const delta = (seq: number): Change => ({
  kind: 'delta',
  epoch: 1,
  from: seq - 1,
  seq,
  patch: [],
  time: seq,
})

function build(countMax = 3) {
  const world: { seq: number | undefined; stops: number } = { seq: 5, stops: 0 }
  const queue = new ChangeQueue({
    countMax,
    snapshot: from =>
      world.seq === undefined
        ? undefined
        : snapshotChange({ epoch: 1, seq: world.seq, view: { n: world.seq }, count: 0 }, from),
    stopped: () => {
      world.stops++
    },
  })
  const push = (seq: number) => {
    world.seq = seq
    queue.push(delta(seq))
  }
  return { queue, world, push }
}

t.test('begins with the view of now, and goes on with deltas', async t => {
  const { queue, push } = build()
  const first = await queue.next()
  t.match(first.value, { kind: 'snapshot', from: 0, seq: 5 })
  t.same(first.value.patch, [{ op: 'replace', path: '', value: { n: 5 } }])
  push(6)
  push(7)
  t.match((await queue.next()).value, { kind: 'delta', from: 5, seq: 6 })
  t.match((await queue.next()).value, { kind: 'delta', from: 6, seq: 7 })
})

t.test('a taker waits for the first view, and for the next change', async t => {
  const { queue, world, push } = build()
  world.seq = undefined
  const first = queue.next()
  const second = queue.next()
  push(6)
  t.match((await first).value, { kind: 'snapshot', seq: 6 })
  push(7)
  t.match((await second).value, { kind: 'delta', seq: 7 })
})

t.test('holds countMax changes; one more, and a snapshot comes in place of all', async t => {
  const { queue, push } = build(3)
  await queue.next()
  push(6)
  push(7)
  push(8)
  t.match((await queue.next()).value, { kind: 'delta', seq: 6 })
  push(9)
  push(10)
  push(11)
  t.match((await queue.next()).value, { kind: 'snapshot', from: 6, seq: 11 })
  push(12)
  t.match((await queue.next()).value, { kind: 'delta', from: 11, seq: 12 })
})

t.test('an end lets the loop take what waits', async t => {
  const { queue, push } = build()
  await queue.next()
  push(6)
  queue.end(undefined)
  push(7)
  t.match((await queue.next()).value, { seq: 6 })
  t.same(await queue.next(), { done: true, value: undefined })
})

t.test('an end by an error is thrown once', async t => {
  const { queue } = build()
  await queue.next()
  const waiting = queue.next()
  queue.end(new Error('lost'))
  await t.rejects(waiting, { message: 'lost' })
  t.same(await queue.next(), { done: true, value: undefined })
})

t.test('leaving the loop stops the queue', async t => {
  const { queue, world, push } = build()
  for await (const change of queue) {
    t.equal(change.seq, 5)
    break
  }
  t.equal(world.stops, 1)
  push(6)
  t.same(await queue.next(), { done: true, value: undefined })
})
