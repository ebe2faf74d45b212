import { toHex } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  limits,
  type PeerIdentity,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { ChildLinks } from '../src/child-links.ts'
import type { JoinRequest } from '../src/child-stream.ts'
import type { ReplayRequest, Replays } from '../src/replays.ts'
import { bytesOf, doc, framesOf, link } from './build-stream.ts'
import { variantOf } from './build-variant.ts'

const child = link(1)
const semis = parseDocumentKey('acme/match/semis')
const peer: PeerIdentity = { node: 'n1', incarnation: '1', region: 'r', roles: [], ceiling: 3 }

const one = variantOf('one')

/** Links whose owner writes down what it is told. */
class Rig {
  readonly joins: { doc: DocumentKey; request: JoinRequest }[] = []
  readonly left: { doc: DocumentKey; link: LinkId }[] = []
  readonly flushed: DocumentKey[] = []
  readonly variants: { name: string; link: LinkId }[] = []
  readonly signals: { link: LinkId; signal: string; doc: DocumentKey; value: number }[] = []
  readonly effects: LinkEffect[] = []
  readonly links: ChildLinks
  readonly channel: number

  constructor(options: { readonly replays?: Replays } = {}) {
    this.links = new ChildLinks({
      join: (doc, request) => this.joins.push({ doc, request }),
      downstream: () => undefined,
      left: (doc, link) => this.left.push({ doc, link }),
      flush: doc => this.flushed.push(doc),
      variant: (hash, link) => this.variants.push({ name: toHex(hash), link }),
      signal: (link, signal, doc, value) => this.signals.push({ link, signal, doc, value }),
      replays: options.replays,
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

  ask({ variant }: typeof one, from = child): void {
    this.take({ kind: 'request-variant', hash: variant.hash }, from)
  }

  answer({ variant }: typeof one, isHere: boolean, links = [child]): LinkFrame[] {
    this.links.answerVariant(variant.hash, links, isHere ? variant : undefined, this.effects)
    return framesOf(this.effects.splice(0))
  }

  join(key = doc): void {
    this.take({ kind: 'join', doc: key, have: undefined, credit: 9, take: 'any', codecs: 0 })
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
  'a link with very many documents that drains has none of them hold the others up',
  async t => {
    const rig = new Rig()
    const count = 2_000
    for (let index = 0; index < count; index++) rig.join(parseDocumentKey(`acme/match/m${index}`))
    rig.congest(true)
    rig.congest(false)
    while (rig.links.hasBusy) {
      const before = rig.flushed.length
      rig.links.flushNext(rig.effects)
      const looked = rig.flushed.length - before
      t.ok(looked > 0 && looked <= 256, `${looked} in a turn`)
    }
    t.equal(new Set(rig.flushed).size, count, 'each of them has its turn')
  },
)

t.test(
  'one turn sends what waits of one document; the next in line comes in the next turn',
  async t => {
    const sent: DocumentKey[] = []
    const effects: LinkEffect[] = []
    const links = new ChildLinks({
      join: () => undefined,
      downstream: () => undefined,
      left: () => undefined,
      flush: key => {
        sent.push(key)
        effects.push({ kind: 'link-send', link: child, frame: new Uint8Array(1) })
        if (key === doc && sent.length < 3) links.hasMore(key)
      },
      variant: () => undefined,
      signal: () => undefined,
    })
    links.hasMore(doc)
    links.hasMore(semis)
    for (let turn = 0; turn < 3; turn++) links.flushNext(effects)
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
    signal: () => undefined,
  })
  links.hasMore(doc)
  links.hasMore(semis)
  links.flushNext([])
  t.same(flushed, [doc, semis])
})

t.test('a document that is served no more has no channel and no turn', async t => {
  const rig = new Rig()
  rig.links.hasMore(doc)
  rig.links.releaseChannel(rig.channel)
  rig.links.releaseChannel(rig.channel)
  t.notOk(rig.links.hasBusy)
  rig.take({ kind: 'credit', channel: rig.channel, bytes: 1 })
  t.notOk(rig.links.hasBusy)
  t.not(rig.links.assignChannel(doc), rig.channel, 'a channel is never used again')
})

t.test('what a child says of a document that it follows reaches the owner', async t => {
  const rig = new Rig()
  rig.join()
  rig.take({ kind: 'signal', signal: 'presence', doc, value: 7 })
  rig.take({ kind: 'signal', signal: 'lag', doc, value: 30 })
  t.same(rig.signals, [
    { link: child, signal: 'presence', doc, value: 7 },
    { link: child, signal: 'lag', doc, value: 30 },
  ])
  rig.take({ kind: 'leave', doc })
  rig.take({ kind: 'signal', signal: 'presence', doc, value: 8 })
  rig.take({ kind: 'signal', signal: 'presence', doc: semis, value: 8 })
  rig.take({ kind: 'signal', signal: 'lag', doc: undefined, value: 8 })
  t.equal(rig.signals.length, 2, 'what it says of others is worth nothing')
  t.same(framesOf(rig.effects.splice(0), child), [{ kind: 'left', doc }])
  for (const signal of ['head', 'hand-over', 'in-use'] as const) {
    rig.take({ kind: 'signal', signal, doc, value: 1 })
    t.match(rig.effects.splice(0), [{ kind: 'link-close', code: 'FANFOLD_BAD_FRAME' }])
  }
})

t.test(
  'what an authority has in use reaches another one, which need not have been asked for it',
  async t => {
    const used: unknown[] = []
    const links = new ChildLinks({
      join: () => undefined,
      downstream: () => undefined,
      left: () => undefined,
      flush: () => undefined,
      variant: () => undefined,
      signal: () => undefined,
      inUse: (link, doc, seq) => used.push({ link, doc, seq }),
    })
    const effects: LinkEffect[] = []
    links.receive({ kind: 'link-opened', link: child, peer, dialled: false }, effects)
    for (const of of [doc, undefined]) {
      const frame = encodeLinkFrame({ kind: 'signal', signal: 'in-use', doc: of, value: 41 })
      links.receive({ kind: 'link-frame', link: child, frame }, effects)
    }
    t.same(used, [{ link: child, doc, seq: 41 }], 'what is said of the whole link is worth nothing')
    t.same(effects, [])
  },
)

t.test('a node that tells of no trees says so', async t => {
  const rig = new Rig()
  const asked = { doc, isWhole: true, withinMs: 1_000, entriesMax: 512 } as const
  rig.take({ kind: 'request-tree', number: 4, ...asked })
  t.same(framesOf(rig.effects), [{ kind: 'tree', number: 4, entries: [] }])
  rig.take({ kind: 'tree', number: 4, entries: [] })
  t.equal(rig.effects.length, 1, 'an answer that it has not asked for is no matter')
})

t.test('a node that replays no logs says so', async t => {
  const rig = new Rig()
  rig.take({ kind: 'request-replay', doc, replay: 4, have: undefined, credit: 9 })
  rig.take({ kind: 'replay-credit', replay: 4, bytes: 9 })
  rig.take({ kind: 'leave-replay', replay: 4 })
  t.match(framesOf(rig.effects), [{ kind: 'replay-ended', replay: 4, code: 'FANFOLD_NO_PARENT' }])
})

/** What a node's replays were asked, in words. */
class ToldReplays implements Replays {
  readonly asked: string[] = []
  asking: ReplayRequest | undefined
  hasMore = false

  request(key: DocumentKey, request: ReplayRequest): void {
    this.asking = request
    this.asked.push(`${request.link} asks ${key} as ${request.replay}`)
  }

  credit(link: LinkId, replay: number, bytes: number): void {
    this.asked.push(`${link} takes ${bytes} of ${replay}`)
  }

  leave(link: LinkId, replay: number): void {
    this.asked.push(`${link} leaves ${replay}`)
  }

  close(link: LinkId): void {
    this.asked.push(`${link} is gone`)
  }

  drained(link: LinkId): void {
    this.asked.push(`${link} is drained`)
  }

  sendNext(): void {
    this.asked.push('next')
  }

  letGo(): void {
    this.asked.push('let go')
  }
}

t.test('what a child asks of replays reaches what answers, and they have their turns', async t => {
  const replays = new ToldReplays()
  const rig = new Rig({ replays })
  rig.take({ kind: 'request-replay', doc, replay: 4, have: undefined, credit: 9 })
  t.match(replays.asking, { link: child, ceiling: 3, have: undefined, credit: 9 })
  t.equal(replays.asking?.isCongested(), false)
  rig.congest(true)
  t.equal(replays.asking?.isCongested(), true)
  rig.congest(false)
  rig.take({ kind: 'replay-credit', replay: 4, bytes: 5 })
  rig.take({ kind: 'leave-replay', replay: 4 })
  t.equal(rig.links.hasBusy, false)
  replays.hasMore = true
  t.equal(rig.links.hasBusy, true)
  rig.links.flushNext(rig.effects)
  rig.close()
  t.same(replays.asked, [
    `1 asks ${doc} as 4`,
    '1 is drained',
    '1 takes 5 of 4',
    '1 leaves 4',
    'next',
    '1 is gone',
  ])
})

t.test('leaving is told once, and only of what was joined', async t => {
  const rig = new Rig()
  rig.take({ kind: 'leave', doc })
  rig.join()
  rig.take({ kind: 'leave', doc })
  rig.take({ kind: 'leave', doc })
  t.same(rig.left, [{ doc, link: child }])
  const answers = framesOf(rig.effects, child).filter(({ kind }) => kind === 'left')
  t.equal(answers.length, 3, 'and answered each time')
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
  rig.take({ kind: 'join', doc, have: undefined, credit: 1, take: 'any', codecs: 0 }, link(5))
  rig.congest(true, link(5))
  t.same(rig.joins, [])
})

t.test('a request for a variant reaches the owner, once, and is answered once', async t => {
  const rig = new Rig()
  rig.ask(one)
  rig.ask(one)
  t.same(rig.variants, [{ name: one.name, link: child }])
  t.match(rig.answer(one, true), [{ kind: 'variant', variant: { hash: one.variant.hash } }])
  t.same(rig.answer(one, true), [])
  rig.ask(one)
  t.match(rig.answer(one, false), [{ kind: 'no-variant', hash: one.variant.hash }])
})

t.test('only who waits is answered', async t => {
  const rig = new Rig()
  rig.links.receive({ kind: 'link-opened', link: link(2), peer, dialled: false }, rig.effects)
  rig.ask(one)
  t.equal(rig.answer(one, true, [child, link(2), link(3)]).length, 1)
  rig.ask(one, link(2))
  rig.close()
  t.equal(rig.answer(one, true, [child, link(2)]).length, 1)
})

t.test(
  'a child may wait for as many variants as the limit says; of one more there is none',
  async t => {
    const rig = new Rig()
    const most = limits.variantsAskedMax.value
    const many = Array.from({ length: most + 1 }, (_, index) => variantOf(`variant ${index}`))
    for (const variant of many) rig.ask(variant)
    t.equal(rig.variants.length, most)
    t.match(framesOf(rig.effects.splice(0)), [
      { kind: 'no-variant', hash: many[most]?.variant.hash },
    ])
    if (many[0] !== undefined) rig.answer(many[0], true)
    if (many[most] !== undefined) rig.ask(many[most])
    t.equal(rig.variants.length, most + 1)
  },
)

t.test('a link that is full gets no variant, and may ask again', async t => {
  const rig = new Rig()
  rig.ask(one)
  rig.congest(true)
  t.match(rig.answer(one, true), [{ kind: 'no-variant' }])
  rig.ask(one)
  t.match(framesOf(rig.effects.splice(0)), [{ kind: 'no-variant' }])
  t.equal(rig.variants.length, 1)
  rig.congest(false)
  rig.ask(one)
  t.match(rig.answer(one, true), [{ kind: 'variant' }])
})

t.test('children that wait for the same variant get the same bytes', async t => {
  const rig = new Rig()
  rig.links.receive({ kind: 'link-opened', link: link(2), peer, dialled: false }, rig.effects)
  rig.ask(one)
  rig.ask(one, link(2))
  rig.links.answerVariant(one.variant.hash, [child, link(2)], one.variant, rig.effects)
  const [first, second] = bytesOf(rig.effects)
  t.ok(first)
  t.equal(first, second)
})
