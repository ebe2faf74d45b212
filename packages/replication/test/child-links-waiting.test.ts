import t from 'tap'
import { a, b, c, isFull, joinedTo, second } from './room-rig.ts'

t.test('a document that was left while it waits is in nobody’s way', async t => {
  for (const left of [a, b, c]) {
    const node = joinedTo({ a: 3_000_000, b: 3_000_000, c: 3_000_000 })
    node.take({ kind: 'leave', doc: left })
    t.notOk(node.links.hasBusy)
    node.finish()
    for (const doc of [a, b, c]) t.equal(node.hasAll(doc), doc !== left, `${doc} without ${left}`)
  }
})

t.test('a document that was put away while it waits is in nobody’s way', async t => {
  const node = joinedTo({ a: 3_000_000, b: 3_000_000, c: 3_000_000 })
  node.putAway(a)
  node.putAway(b)
  node.finish()
  t.ok(node.hasAll(c))
})

t.test('a document without a snapshot to give lets the others go before it', async t => {
  const node = joinedTo({ a: 3_000_000, b: 100_000, c: 100_000 })
  const without = node.served.get(b)
  if (without !== undefined) without.hasSnapshot = false
  node.finish()
  t.ok(node.hasAll(a))
  t.ok(node.hasAll(c))
  t.equal(node.received(b), undefined)
  if (without !== undefined) without.hasSnapshot = true
  node.publish(b)
  node.finish()
  t.ok(node.hasAll(b))
})

t.test('a link that is full in both ways goes on when it is neither', async t => {
  for (const isDrainedFirst of [true, false]) {
    const node = joinedTo({ a: 3_000_000, b: 3_000_000 })
    node.congest(true)
    const bytes = node.receiveNext(4)
    if (isDrainedFirst) node.congest(false)
    else node.acknowledge(bytes)
    const before = node.bytesOnWay()
    node.settle()
    t.equal(node.bytesOnWay(), before)
    if (isDrainedFirst) node.acknowledge(bytes)
    else node.congest(false)
    node.finish()
    t.ok(node.hasAll(a) && node.hasAll(b))
  }
})

t.test('a link that is drained serves all that wait, whoever is first', async t => {
  const node = joinedTo({ a: 3_000_000, b: 1_000, c: 1_000 })
  node.congest(true)
  node.acknowledge(node.receiveNext(1_000))
  node.settle()
  t.equal(node.bytesOnWay(), 0)
  node.congest(false)
  node.settle()
  t.ok(isFull(node))
  node.receiveNext(1_000)
  t.ok(node.hasAll(b) && node.hasAll(c))
})

t.test('a link that closes while documents wait leaves nothing to do', async t => {
  const node = joinedTo({ a: 3_000_000, b: 3_000_000 })
  node.acknowledge(node.receiveNext(4))
  t.ok(node.links.hasBusy)
  node.close()
  t.notOk(node.links.hasBusy)
  node.open(second)
  node.join(a, second)
  node.finish(second)
  t.ok(node.hasAll(a, second))
})
