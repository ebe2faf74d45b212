/*
 * A child that does what it likes beside one that does what it should: that one is served as if it were
 * alone, and when all is said and done there is nothing left to do.
 */
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { link } from './build-stream.ts'
import { ServingNode } from './serving-node.ts'

const [hostile, honest] = [link(1), link(2)]
const docs: readonly DocumentKey[] = ['a', 'b', 'c', 'd'].map(name =>
  parseDocumentKey(`acme/match/${name}`),
)
const sizes = [500, 90_000, 400_000, 900_000]
const limits = { bytesUnderWayMax: 200_000, bytesOnLinkMax: 100_000 }

const at = fc.nat({ max: docs.length - 1 })
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('join', 'leave', 'publish', 'again', 'wanted'), at }),
  fc.record({ kind: fc.constantFrom('snapshot', 'no-snapshot'), at }),
  fc.record({ kind: fc.constantFrom('congest', 'drain', 'bounce', 'settle', 'turn'), at }),
  fc.record({ kind: fc.constantFrom('too-much', 'nothing', 'credit'), at }),
  fc.record({ kind: fc.constantFrom('honest-takes', 'honest-takes'), at }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** A step of anybody's. */
function take(node: ServingNode, wanted: Set<DocumentKey>, { kind, at }: Step): void {
  const doc = docs[at]
  const served = doc && node.served.get(doc)
  if (doc === undefined || served === undefined) return
  const { channel } = served
  switch (kind) {
    case 'join':
      node.join(doc, hostile)
      break
    case 'leave':
      node.take({ kind: 'leave', doc }, hostile)
      break
    case 'again':
      node.take({ kind: 'request-pieces', channel, indexes: [0, 1, 77] }, hostile)
      break
    case 'credit':
      node.take({ kind: 'credit', channel, bytes: 0xffff_ffff }, hostile)
      break
    case 'too-much':
      node.acknowledge(0xffff_ffff, hostile)
      break
    case 'nothing':
      node.acknowledge(0, hostile)
      break
    case 'congest':
    case 'drain':
      node.congest(kind === 'congest', hostile)
      break
    case 'bounce':
      node.close(hostile)
      node.open(hostile)
      break
    case 'publish':
      node.publish(doc)
      break
    case 'snapshot':
    case 'no-snapshot':
      served.hasSnapshot = kind === 'snapshot'
      // As the role does when there is one.
      node.publish(doc)
      break
    case 'wanted':
      wanted.add(doc)
      node.join(doc, honest)
      break
    case 'honest-takes':
      node.acknowledge(node.receiveNext(5, honest), honest)
      break
    case 'settle':
      node.settle()
      break
    case 'turn':
      node.turn()
  }
}

t.test('whatever one child does, the other gets what it wants, and the node rests', async t => {
  const check = fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
    const node = new ServingNode(limits)
    node.open(hostile)
    node.open(honest)
    for (const [index, doc] of docs.entries()) node.serve(doc, sizes[index])
    const wanted = new Set<DocumentKey>()
    for (const step of steps) take(node, wanted, step)
    for (const doc of docs) {
      const served = node.served.get(doc)
      if (served !== undefined) served.hasSnapshot = true
      node.publish(doc)
    }
    node.finish(honest)
    const isHere = (doc: DocumentKey): boolean =>
      node.hasAll(doc, honest) &&
      node.received(doc, honest)?.seq === node.served.get(doc)?.ring.lastSeq
    return [...wanted].every(isHere) && node.settle() === 0
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 300 }))
})

t.test(
  'two that wait for a snapshot that is not there, and for room, keep no turn busy',
  async t => {
    const node = new ServingNode(limits)
    const [, , held, missing] = docs
    if (held === undefined || missing === undefined) return
    for (const child of [hostile, honest]) node.open(child)
    for (const [index, doc] of docs.entries()) node.serve(doc, sizes[index])
    for (const child of [honest, hostile]) node.join(held, child)
    const served = node.served.get(missing)
    if (served !== undefined) served.hasSnapshot = false
    node.settle()
    node.acknowledge(0xffff_ffff, hostile)
    for (const child of [honest, hostile]) node.join(missing, child)
    node.acknowledge(node.receiveNext(5, honest), honest)
    t.doesNotThrow(() => node.settle())
    if (served !== undefined) served.hasSnapshot = true
    node.publish(missing)
    node.finish(honest)
    t.ok(node.hasAll(missing, honest), 'it comes when it is there')
  },
)

t.test(
  'a child that asks for pieces for ever is sent no more in a turn than any other',
  async t => {
    const node = new ServingNode()
    node.open(hostile)
    const [, , , doc] = docs
    if (doc === undefined) return
    node.serve(doc, 3_000_000)
    node.join(doc, hostile)
    node.lose(hostile)
    const channel = node.served.get(doc)?.channel ?? 0
    const indexes = Array.from({ length: 16 }, (_, index) => index)
    for (let count = 0; count < 50; count++) {
      node.take({ kind: 'request-pieces', channel, indexes }, hostile)
      node.turn()
      t.ok(node.bytesOnWay(hostile) <= 262_144 + 65_600, `${node.bytesOnWay(hostile)} bytes`)
      node.lose(hostile)
    }
  },
)
