import t from 'tap'
import { a, b, bytesUnderWayMax, c, frameMax, joinedTo, key, nodeWith } from './room-rig.ts'

t.test('a child that asks for pieces gets on, whatever was lost', async t => {
  const node = joinedTo({ a: 3_000_000, b: 100_000 })
  node.receiveNext(2)
  node.lose()
  const channel = node.served.get(a)?.channel ?? 0
  node.take({ kind: 'request-pieces', channel, indexes: [1, 2, 3] })
  node.finish()
  t.ok([1, 2, 3].every(index => node.received(a)?.pieces.has(index)))
  t.ok(node.hasAll(b))
  const last = node.received(a)?.pieceCount ?? 0
  t.ok(node.received(a)?.pieces.has(last - 1), 'and what was not sent before')
})

t.test('a document that waits and is joined again has its turn no later', async t => {
  const node = joinedTo({ a: 3_000_000, b: 100_000, c: 100_000 })
  for (let asks = 0; asks < 3; asks++) {
    node.join(b)
    node.settle()
  }
  const begun: number[] = []
  while (begun.length < 2) {
    node.acknowledge(node.receiveNext(1))
    node.settle()
    for (const [doc, name] of [
      [b, 1],
      [c, 2],
    ] as const) {
      if (!begun.includes(name) && node.received(doc)?.begun === 1) begun.push(name)
    }
  }
  t.same(begun, [1, 2])
  node.finish()
  t.ok([a, b, c].every(doc => node.hasAll(doc)))
})

t.test('pieces that are asked for again make room for themselves, and no more', async t => {
  const node = joinedTo({ a: 3_000_000, b: 3_000_000 })
  const channel = node.served.get(a)?.channel ?? 0
  for (let asks = 1; asks < 5; asks++) {
    node.take({ kind: 'request-pieces', channel, indexes: [1, 77] })
    node.settle()
    const most = bytesUnderWayMax + (asks + 1) * frameMax
    t.ok(node.bytesOnWay() < most, `${node.bytesOnWay()} bytes after ${asks} times`)
  }
  node.finish()
  t.ok(node.hasAll(a))
  t.ok(node.hasAll(b))
})

t.test('a child that joins again what it waits for gets on, whatever was lost', async t => {
  const node = joinedTo({ a: 3_000_000, b: 100_000 })
  node.lose()
  t.notOk(node.links.hasBusy)
  node.join(b)
  node.finish()
  t.ok(node.hasAll(b))
  node.join(a)
  node.finish()
  t.ok(node.hasAll(a))
})

t.test(
  'a child that takes what it is sent, slowly, gets no more ahead by asking again',
  async t => {
    const node = joinedTo({ a: 3_000_000, b: 3_000_000 })
    for (let count = 0; count < 5; count++) {
      node.acknowledge(node.receiveNext(1))
      node.join(b)
      node.settle()
      t.ok(node.bytesOnWay() < bytesUnderWayMax + frameMax, `${node.bytesOnWay()} bytes`)
    }
  },
)

t.test('many documents that are asked for again at a time make room once', async t => {
  const names = Array.from({ length: 12 }, (_, at) => `m${at}`)
  const node = joinedTo(Object.fromEntries(names.map(name => [name, 3_000_000])))
  for (let round = 2; round < 5; round++) {
    for (const name of names) {
      node.join(key(name))
      node.settle()
    }
    const bytes = node.bytesOnWay()
    t.ok(bytes <= round * (bytesUnderWayMax + frameMax), `${bytes} bytes in round ${round}`)
  }
})

t.test('to join again what is there makes no room on a link that is full', async t => {
  const node = nodeWith({ b: 100_000, a: 3_000_000 })
  node.join(b)
  node.finish()
  node.join(a)
  node.settle()
  node.join(b)
  node.settle()
  t.ok(node.bytesOnWay() < bytesUnderWayMax + frameMax)
})
