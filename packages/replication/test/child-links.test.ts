import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type PeerIdentity,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { ChildLinks } from '../src/child-links.ts'
import type { JoinRequest } from '../src/downstream.ts'
import { doc, framesOf, link } from './build-stream.ts'

const child = link(1)
const semis = parseDocumentKey('acme/match/semis')
const peer: PeerIdentity = { node: 'n1', incarnation: '1', region: 'r', roles: [], ceiling: 3 }

/** Links whose owner writes down what it is told. */
class Rig {
  readonly joins: { doc: DocumentKey; request: JoinRequest }[] = []
  readonly left: { doc: DocumentKey; link: LinkId }[] = []
  readonly ready: DocumentKey[] = []
  readonly effects: LinkEffect[] = []
  readonly links: ChildLinks

  constructor() {
    this.links = new ChildLinks(
      {
        join: (doc, request) => this.joins.push({ doc, request }),
        downstream: () => undefined,
        left: (doc, link) => this.left.push({ doc, link }),
        ready: doc => this.ready.push(doc),
      },
      new Map([[7, doc]]),
    )
    this.links.opened(child, peer)
  }

  take(frame: LinkFrame | Uint8Array, from = child): void {
    const bytes = frame instanceof Uint8Array ? frame : encodeLinkFrame(frame)
    this.links.receive(from, bytes, this.effects)
  }

  join(key = doc): void {
    this.take({ kind: 'join', doc: key, have: undefined, credit: 9 })
  }
}

t.test('a join reaches the owner with the ceiling of the link’s token', async t => {
  const rig = new Rig()
  rig.join()
  t.match(rig.joins, [{ doc, request: { link: child, ceiling: 3, credit: 9, isCongested: false } }])
})

t.test('a join that waits knows whether its link is congested when it is answered', async t => {
  const rig = new Rig()
  rig.links.setCongested(child, true)
  rig.join()
  const request = rig.joins[0]?.request
  t.equal(request?.isCongested, true)
  rig.links.setCongested(child, false)
  t.equal(request?.isCongested, false)
  t.same(rig.ready, [doc])
})

t.test(
  'credit says that the child can take more; of an unknown channel it says nothing',
  async t => {
    const rig = new Rig()
    rig.take({ kind: 'credit', channel: 7, bytes: 1 })
    rig.take({ kind: 'credit', channel: 8, bytes: 1 })
    rig.take({ kind: 'request-pieces', channel: 8, indexes: [1] })
    rig.take({ kind: 'ping' })
    t.same(rig.ready, [doc])
    t.same(rig.effects, [])
  },
)

t.test('leaving is told once, and only of what was joined', async t => {
  const rig = new Rig()
  rig.take({ kind: 'leave', doc })
  rig.join()
  rig.take({ kind: 'leave', doc })
  rig.take({ kind: 'leave', doc })
  t.same(rig.left, [{ doc, link: child }])
})

t.test('a link that closes leaves everything', async t => {
  const rig = new Rig()
  rig.join()
  rig.join(semis)
  rig.join()
  t.ok(rig.links.has(child))
  rig.links.closed(child)
  t.same(rig.left, [
    { doc, link: child },
    { doc: semis, link: child },
  ])
  t.equal(rig.links.count, 0)
  rig.links.closed(child)
  rig.join()
  t.equal(rig.joins.length, 3, 'what comes after the close is nothing')
})

t.test('a bad frame, or one that children do not send, closes the link', async t => {
  for (const frame of [
    new Uint8Array([99]),
    new Uint8Array(0),
    encodeLinkFrame({ kind: 'proof', signature: new Uint8Array(3) }),
    encodeLinkFrame({ kind: 'status', channel: 7, stale: true, ageMs: 1 }),
  ]) {
    const rig = new Rig()
    rig.take(frame)
    t.match(rig.effects, [{ kind: 'link-close', link: child, code: 'FANFOLD_BAD_FRAME' }])
    t.same(framesOf(rig.effects), [])
  }
})

t.test('a frame of a later version is passed over', async t => {
  const rig = new Rig()
  rig.take(new Uint8Array([200, 1, 2, 3]))
  t.same(rig.effects, [])
})

t.test('frames and congestion of an unknown link are nothing', async t => {
  const rig = new Rig()
  rig.take({ kind: 'join', doc, have: undefined, credit: 1 }, link(5))
  rig.links.setCongested(link(5), true)
  t.same(rig.joins, [])
})
