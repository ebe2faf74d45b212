import type { DocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  a,
  b,
  bytesUnderWayMax,
  c,
  frameMax,
  isFull,
  joinedTo,
  key,
  nodeWith,
  second,
} from './room-rig.ts'
import { ServingNode } from './serving-node.ts'

const piecesOf = (node: ServingNode, doc: DocumentKey): number =>
  node.received(doc)?.pieces.size ?? 0

t.test(
  'a link holds so much that its child has not taken, and the node rests until it has',
  async t => {
    const node = joinedTo({ a: 3_000_000 })
    t.ok(isFull(node), `${node.bytesOnWay()} bytes`)
    t.notOk(node.links.hasBusy)
    const bytes = node.receiveNext(3)
    t.notOk(node.links.hasBusy, 'what the child has taken and not said changes nothing')
    node.acknowledge(bytes)
    t.ok(node.links.hasBusy)
    node.settle()
    t.ok(isFull(node), `${node.bytesOnWay()} bytes`)
    node.finish()
    t.ok(node.hasAll(a))
    t.equal(node.received(a)?.begun, 1)
  },
)

t.test('records of other documents go to a link that is full at once', async t => {
  const node = joinedTo({ b: 0, a: 3_000_000 })
  node.publish(b)
  t.equal(node.onWay().at(-1)?.kind, 'records')
  t.notOk(node.links.hasBusy)
})

t.test('long snapshots on one link share what it holds, and take turns', async t => {
  const node = joinedTo({ a: 3_000_000, b: 3_000_000, c: 3_000_000 })
  let apartMost = 0
  while (!node.hasAll(a) || !node.hasAll(b) || !node.hasAll(c)) {
    t.ok(node.bytesOnWay() < bytesUnderWayMax + frameMax)
    // One piece at a time is what the node hears of most often.
    node.acknowledge(node.receiveNext(1))
    node.settle()
    const counts = [a, b, c].map(doc => piecesOf(node, doc))
    // What the first one was sent before the others came is ahead of them.
    apartMost = Math.max(apartMost, Math.max(...counts) - Math.min(...counts))
  }
  t.ok(apartMost <= 10, `at most ${apartMost} pieces apart`)
})

t.test('a document that is published often does not go before those that wait longer', async t => {
  const node = joinedTo({ a: 3_000_000, b: 3_000_000 })
  for (let count = 0; count < 40; count++) {
    node.publish(a)
    node.take({ kind: 'pieces-taken', bytes: node.receiveNext(1), answers: 0 })
    node.publish(a)
    node.settle()
  }
  t.ok(Math.abs(piecesOf(node, a) - piecesOf(node, b)) <= 10)
})

t.test('a document that joins while the link is full begins before the others go on', async t => {
  const node = joinedTo({ a: 3_000_000, b: 3_000_000, c: 1_000 })
  t.notOk(node.onWay().some(frame => frame.kind === 'snapshot-begin' && frame.channel === 3))
  t.notOk(node.links.hasBusy)
  node.acknowledge(node.receiveNext(4))
  const before = node.onWay().length
  node.settle()
  const next = node.onWay().slice(before)
  t.match(next.slice(0, 2), [{ kind: 'snapshot-begin' }, { kind: 'snapshot-piece' }])
  node.finish()
  for (const doc of [a, b, c]) t.ok(node.hasAll(doc))
})

t.test(
  'a snapshot is begun when it can be sent: its child holds none open for nothing',
  async t => {
    const sizes: Record<string, number> = { a: 3_000_000 }
    for (let number = 0; number < 200; number++) sizes[`m${number}`] = 1_000
    const node = joinedTo(sizes)
    let openMost = 0
    for (let round = 0; round < 1_000 && !node.hasAll(key('m199')); round++) {
      node.acknowledge(node.receiveNext(1))
      node.settle()
      const open = Object.keys(sizes).filter(name => node.received(key(name))?.begun === 1)
      openMost = Math.max(openMost, open.filter(name => !node.hasAll(key(name))).length)
    }
    node.finish()
    t.ok(Object.keys(sizes).every(name => node.hasAll(key(name))))
    t.ok(openMost <= 2, `${openMost} at a time`)
  },
)

t.test(
  'what a child has taken costs a look for each document that goes on, not for all',
  async t => {
    const sizes: Record<string, number> = {}
    for (let number = 0; number < 1_000; number++) sizes[`m${number}`] = 20_000
    const node = joinedTo(sizes)
    const before = node.looks
    node.acknowledge(node.receiveNext(10))
    node.settle()
    t.ok(node.looks - before <= 8, `${node.looks - before} looks`)
    node.finish()
    t.ok(Object.keys(sizes).every(name => node.hasAll(key(name))))
    t.ok(node.looks <= 6_000, `${node.looks} looks in all`)
  },
)

t.test('a child that says it took more than it was sent gains nothing by it', async t => {
  const node = nodeWith({ a: 3_000_000, b: 3_000_000 })
  node.acknowledge(0xffff_ffff)
  node.join(a)
  node.settle()
  t.ok(node.bytesOnWay() < bytesUnderWayMax + frameMax)
  node.receiveNext(1_000)
  node.acknowledge(0xffff_ffff)
  node.settle()
  t.ok(node.bytesOnWay() < bytesUnderWayMax + frameMax)
})

t.test('what a child says that it took counts for its own link', async t => {
  const node = joinedTo({ a: 3_000_000 })
  node.open(second)
  node.join(a, second)
  node.settle()
  const ones = node.bytesOnWay()
  t.ok(isFull(node, second))
  node.acknowledge(node.receiveNext(2, second), second)
  node.settle()
  t.equal(node.bytesOnWay(), ones)
  t.ok(isFull(node, second))
  node.finish(second)
  t.notOk(node.hasAll(a))
  t.ok(node.hasAll(a, second), 'a child that takes nothing holds up nobody else')
})

const op = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), doc: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), doc: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), doc: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), doc: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), count: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('say' as const) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('congest' as const), is: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
)

t.test(
  'whatever a child does, it gets all that it wants in the end, and the node rests',
  async t => {
    const limits = { bytesUnderWayMax: 200_000, bytesOnLinkMax: 100_000 }
    const docs = ['a', 'b', 'c', 'd'].map(key)
    const check = fc.property(fc.array(op, { maxLength: 80, size: 'max' }), ops => {
      const node = new ServingNode(limits)
      node.open()
      for (const [index, doc] of docs.entries())
        node.serve(doc, [500, 90_000, 400_000, 900_000][index])
      const wanted = new Set<DocumentKey>()
      let untold = 0
      let isLost = false
      for (const step of ops) {
        const doc = 'doc' in step ? docs[step.doc] : undefined
        switch (step.kind) {
          case 'join':
            if (doc !== undefined) node.join(doc)
            if (doc !== undefined) wanted.add(doc)
            break
          case 'leave':
            if (doc !== undefined) node.take({ kind: 'leave', doc })
            if (doc !== undefined) wanted.delete(doc)
            break
          case 'publish':
            if (doc !== undefined) node.publish(doc)
            break
          case 'again': {
            const channel = (doc === undefined ? undefined : node.served.get(doc))?.channel ?? 0
            node.take({ kind: 'request-pieces', channel, indexes: [0, 3] })
            break
          }
          case 'take':
            untold += node.receiveNext(step.count)
            break
          case 'say':
            node.acknowledge(untold)
            untold = 0
            break
          case 'turn':
            node.turn()
            break
          case 'congest':
            node.congest(step.is)
            break
          case 'lose':
            node.lose()
            isLost = true
        }
      }
      node.congest(false)
      node.acknowledge(untold)
      node.finish()
      const isHere = (doc: DocumentKey): boolean =>
        node.hasAll(doc) && node.received(doc)?.seq === node.served.get(doc)?.ring.lastSeq
      // What was lost is missed, and asked for.
      for (const doc of isLost ? wanted : []) {
        // The first time the link may have been slow.
        for (let time = 0; time < 2 && !isHere(doc); time++) {
          node.join(doc)
          node.finish()
        }
      }
      return [...wanted].every(isHere) && node.settle() === 0
    })
    fc.assert(check, { numRuns: 300 })
    t.pass('no run failed')
  },
)
