import { toHex } from '@fanfold/kernel'
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
  readonly flushed: DocumentKey[] = []
  readonly variants: { name: string; link: LinkId }[] = []
  readonly effects: LinkEffect[] = []
  readonly links: ChildLinks
  readonly channel: number

  constructor() {
    this.links = new ChildLinks({
      join: (doc, request) => this.joins.push({ doc, request }),
      downstream: () => undefined,
      left: (doc, link) => this.left.push({ doc, link }),
      flush: doc => this.flushed.push(doc),
      variant: (hash, link) => this.variants.push({ name: toHex(hash), link }),
    })
    this.channel = this.links.assignChannel(doc)
    this.links.receive({ kind: 'link-opened', link: child, peer, dialled: false }, this.effects)
  }

  take(frame: LinkFrame | Uint8Array, from = child): void {
    const bytes = frame instanceof Uint8Array ? frame : encodeLinkFrame(frame)
    this.links.receive({ kind: 'link-frame', link: from, frame: bytes }, this.effects)
  }

  congest(isCongested: boolean, link = child): void {
    const kind = isCongested ? 'link-congested' : 'link-drained'
    this.links.receive({ kind, link }, this.effects)
  }

  close(): void {
    this.links.receive({ kind: 'link-closed', link: child, reason: 'gone' }, this.effects)
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
  rig.congest(true)
  rig.join()
  const request = rig.joins[0]?.request
  t.equal(request?.isCongested, true)
  rig.congest(false)
  t.equal(request?.isCongested, false)
  rig.links.flushNext(rig.effects)
  t.same(rig.flushed, [doc])
})

t.test(
  'credit says that the child can take more; of an unknown channel it says nothing',
  async t => {
    const rig = new Rig()
    rig.take({ kind: 'credit', channel: rig.channel + 1, bytes: 1 })
    rig.take({ kind: 'request-pieces', channel: rig.channel + 1, indexes: [1] })
    rig.take({ kind: 'ping' })
    t.notOk(rig.links.hasBusy)
    rig.take({ kind: 'credit', channel: rig.channel, bytes: 1 })
    t.ok(rig.links.hasBusy)
    rig.links.flushNext(rig.effects)
    t.same(rig.flushed, [doc])
    t.notOk(rig.links.hasBusy)
    t.same(rig.effects, [])
  },
)

t.test(
  'one turn sends what waits of one document; the next in line comes in the next turn',
  async t => {
    const sent: DocumentKey[] = []
    const links = new ChildLinks({
      join: () => undefined,
      downstream: () => undefined,
      left: () => undefined,
      flush: key => {
        sent.push(key)
        links.setBusy(key, key === doc && sent.length < 3)
      },
      variant: () => undefined,
    })
    links.setBusy(doc, true)
    links.setBusy(semis, true)
    for (let turn = 0; turn < 3; turn++) links.flushNext(sent)
    t.same(sent, [doc, semis, doc])
    t.notOk(links.hasBusy)
  },
)

t.test('a document that had nothing to send costs nobody a turn', async t => {
  const flushed: DocumentKey[] = []
  const links = new ChildLinks({
    join: () => undefined,
    downstream: () => undefined,
    left: () => undefined,
    flush: key => flushed.push(key),
    variant: () => undefined,
  })
  links.setBusy(doc, true)
  links.setBusy(semis, true)
  links.flushNext([])
  t.same(flushed, [doc, semis])
})

t.test('a document that is served no more has no channel and no turn', async t => {
  const rig = new Rig()
  rig.links.setBusy(doc, true)
  rig.links.releaseChannel(rig.channel)
  rig.links.releaseChannel(rig.channel)
  t.notOk(rig.links.hasBusy)
  rig.take({ kind: 'credit', channel: rig.channel, bytes: 1 })
  t.notOk(rig.links.hasBusy)
  t.not(rig.links.assignChannel(doc), rig.channel, 'a channel is never used again')
})

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
  rig.close()
  t.same(rig.left, [
    { doc, link: child },
    { doc: semis, link: child },
  ])
  t.equal(rig.links.count, 0)
  rig.close()
  rig.join()
  t.equal(rig.joins.length, 3, 'what comes after the close is nothing')
})

t.test('a bad frame, or one that children do not send, closes the link', async t => {
  for (const frame of [
    new Uint8Array([99]),
    new Uint8Array(0),
    encodeLinkFrame({ kind: 'proof', signature: new Uint8Array(3) }),
    encodeLinkFrame({ kind: 'status', channel: 1, stale: true, ageMs: 1 }),
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
  rig.congest(true, link(5))
  t.same(rig.joins, [])
})
