import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkId,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { ChildLinks } from '../src/child-links.ts'
import { Downstream } from '../src/downstream.ts'
import { PiecePacker } from '../src/piece-packer.ts'
import { RecordRing } from '../src/record-ring.ts'
import { LinkAllowance, TurnAllowance } from '../src/transfer-allowance.ts'
import {
  after,
  at,
  doc,
  framesOf,
  headOf,
  link,
  recordsOf,
  ringLimits,
  snapshotAt,
} from './build-stream.ts'
import { unmeasured } from './serving-node.ts'
import { ToyCodec } from './toy-codec.ts'

t.test('a turn may do so much, and the next one as much again', async t => {
  const turn = new TurnAllowance(100)
  turn.spend(99)
  t.notOk(turn.isSpent)
  turn.spend(50)
  t.ok(turn.isSpent)
  turn.refill()
  t.notOk(turn.isSpent)
  turn.spend(100)
  t.ok(turn.isSpent)
})

t.test('a link may be handed so much in a turn, whatever the others are', async t => {
  const turn = new TurnAllowance(1_000)
  const limits = { ...unmeasured, bytesOnLinkMax: 100 }
  const [a, b] = [new LinkAllowance(turn, limits), new LinkAllowance(turn, limits)]
  a.spend(99)
  t.notOk(a.isSpent)
  a.spend(1)
  t.ok(a.isSpent)
  t.notOk(b.isSpent)
  turn.refill()
  t.notOk(a.isSpent)
})

/** What a link may be handed that holds so many bytes that its child has not taken. */
const allowanceOf = (bytesUnderWayMax: number): LinkAllowance =>
  new LinkAllowance(new TurnAllowance(1_000), { ...unmeasured, bytesUnderWayMax })

t.test('a link is full until its child has taken some, whatever the turn', async t => {
  const allowance = allowanceOf(100)
  allowance.spend(99)
  t.ok(allowance.mayGo(1))
  allowance.spend(50)
  t.notOk(allowance.mayGo(1))
  allowance.turn.refill()
  t.ok(allowance.isFull)
  allowance.taken(49)
  t.ok(allowance.isFull)
  allowance.taken(1)
  t.ok(allowance.mayGo(1))
})

t.test('a child that has taken more than was under way has taken all of it', async t => {
  const allowance = allowanceOf(100)
  allowance.taken(1_000)
  allowance.spend(100)
  t.ok(allowance.isFull)
  allowance.forgive()
  t.notOk(allowance.isFull)
  allowance.spend(100)
  t.ok(allowance.isFull)
})

t.test(
  'those that wait for a link go on one by one: who begins, then who waits longest',
  async t => {
    const allowance = allowanceOf(100)
    allowance.spend(100)
    allowance.wait(1)
    allowance.wait(2)
    allowance.wait(1)
    allowance.waitToBegin(3)
    t.equal(allowance.next, undefined, 'nobody while it is full')
    allowance.taken(100)
    const order: (number | undefined)[] = []
    for (; allowance.next !== undefined; allowance.endWait(allowance.next)) {
      const { next } = allowance
      order.push(next)
      t.same(
        [1, 2, 3, 4].filter(channel => allowance.mayGo(channel)),
        [next],
      )
    }
    t.same(order, [3, 1, 2])
    t.ok(allowance.mayGo(4), 'where nobody waits, who comes goes')
  },
)

t.test('what is under way is lost when a child asks twice and takes nothing between', async t => {
  const allowance = allowanceOf(100)
  allowance.spend(200)
  let askedAt = allowance.takenCount
  for (let count = 0; count < 3; count++) {
    allowance.taken(10)
    allowance.askedAgain(askedAt)
    t.ok(allowance.isFull)
    askedAt = allowance.takenCount
  }
  allowance.askedAgain(askedAt)
  t.notOk(allowance.isFull)
  allowance.spend(200)
  allowance.askedAgain(askedAt)
  t.ok(allowance.isFull, 'who asked at the same time makes no more room')
})

t.test('a child whose link is full is asked once: what it has not taken then is lost', async t => {
  const allowance = allowanceOf(100)
  allowance.spend(99)
  t.equal(allowance.ask(), undefined, 'there is room')
  allowance.spend(70)
  t.equal(allowance.ask(), 1)
  t.equal(allowance.ask(), undefined, 'it was asked')
  allowance.taken(30)
  t.ok(allowance.isFull, 'what it says unasked is no answer')
  allowance.taken(0, 7)
  t.ok(allowance.isFull, 'nor is another number')
  allowance.taken(40, 1)
  t.notOk(allowance.isFull)
  allowance.spend(99)
  t.notOk(allowance.isFull, 'all of 169 are over')
  allowance.spend(1)
  t.equal(allowance.ask(), 2)
})

t.test('what a link was handed after its child was asked is under way when it answers', async t => {
  const allowance = allowanceOf(100)
  allowance.spend(120)
  const number = allowance.ask()
  allowance.taken(60)
  allowance.spend(90)
  allowance.taken(10, number)
  allowance.spend(9)
  t.notOk(allowance.isFull)
  allowance.spend(1)
  t.ok(allowance.isFull)
})

t.test('a document waits once for a link, for the turn that it began', async t => {
  const allowance = allowanceOf(100)
  allowance.waitToBegin(1)
  allowance.wait(2)
  allowance.wait(1)
  t.equal(allowance.waitingCount, 2)
  t.equal(allowance.next, 1)
  allowance.endWait(1)
  allowance.wait(1)
  t.equal(allowance.next, 2, 'having had its turn it is behind the other')
  allowance.endWait(1)
  allowance.endWait(2)
  t.equal(allowance.waitingCount, 0)
})

/** A link of so many bytes in a turn, which is congested past a limit and drained under half of it. */
class SlowLink {
  static readonly bytesMax = 1_048_576
  readonly id: LinkId
  readonly arrived: { readonly frame: Uint8Array; readonly turn: number }[] = []
  unsent: Uint8Array[] = []
  unsentBytes = 0
  isCongested = false
  #sentOfFirst = 0

  constructor(id: LinkId) {
    this.id = id
  }

  send(frame: Uint8Array): void {
    this.unsent.push(frame)
    this.unsentBytes += frame.length
  }

  pass(bytes: number, turn: number): void {
    let left = bytes
    for (let first = this.unsent[0]; first !== undefined && left > 0; first = this.unsent[0]) {
      const rest = first.length - this.#sentOfFirst
      if (rest > left) {
        this.#sentOfFirst += left
        this.unsentBytes -= left
        return
      }
      left -= rest
      this.unsentBytes -= rest
      this.#sentOfFirst = 0
      this.unsent.shift()
      this.arrived.push({ frame: first, turn })
    }
  }
}

/** A node that serves one large document and many small ones to one child. */
class BusyNode {
  readonly link = new SlowLink(link(1))
  readonly others: readonly DocumentKey[]
  readonly #links: ChildLinks
  readonly #downstreams = new Map<DocumentKey, Downstream>()
  readonly #rings = new Map<DocumentKey, RecordRing>()
  readonly #effects: LinkEffect[] = []
  #turn = 0
  /** The most that was unsent when a record of another document was handed to the link. */
  aheadMost = 0

  constructor(otherCount: number, largeBytes: number) {
    this.others = Array.from({ length: otherCount }, (_, index) =>
      parseDocumentKey(`acme/match/other${index}`),
    )
    this.#links = new ChildLinks({
      join: (key, request) => {
        const ring = this.#rings.get(key)
        if (ring !== undefined) {
          this.#downstreams.get(key)?.join(request, headOf(ring), this.#effects)
        }
        this.#links.hasMore(key)
      },
      downstream: key => this.#downstreams.get(key),
      left: () => undefined,
      flush: key => this.#flush(key),
      variant: () => undefined,
      signal: () => undefined,
    })
    const packer = new PiecePacker(new ToyCodec())
    const large = snapshotAt(after(undefined), largeBytes)
    for (const key of [doc, ...this.others]) {
      const ring = new RecordRing(ringLimits())
      const source = key === doc ? large : snapshotAt(after(undefined))
      this.#rings.set(key, ring)
      const downstream = new Downstream({
        doc: key,
        channel: this.#links.assignChannel(key),
        ring,
        chain: new Chain(sha256),
        source: { snapshot: () => source, lastSnapshot: source },
        ceiling: () => 239,
        packer,
      })
      this.#downstreams.set(key, downstream)
    }
    const peer = { node: 'n1', incarnation: '1', region: 'r', roles: [], ceiling: 239 }
    const opened = { kind: 'link-opened', link: this.link.id, peer, dialled: false } as const
    this.#links.receive(opened, this.#effects)
    for (const key of [...this.others, doc]) this.#join(key)
  }

  #join(key: DocumentKey): void {
    const join = { doc: key, have: undefined, credit: 1_000_000, take: 'any', codecs: 0 } as const
    const frame = encodeLinkFrame({ kind: 'join', ...join })
    this.#links.receive({ kind: 'link-frame', link: this.link.id, frame }, this.#effects)
  }

  publish(key: DocumentKey, seq: number): void {
    const [record] = recordsOf(seq).slice(-1)
    if (record === undefined) return
    this.#rings.get(key)?.push(record, at(0))
    this.#flush(key)
    this.#carry()
  }

  /** One turn of the node, and so many bytes over the link. */
  turn(bytes: number): void {
    this.#turn++
    if (this.#links.hasBusy) this.#links.flushNext(this.#effects)
    this.#carry()
    const arrivedBefore = this.link.arrived.length
    this.link.pass(bytes, this.#turn)
    for (const { frame } of this.link.arrived.slice(arrivedBefore)) this.#taken(frame)
    const { unsentBytes, isCongested, id } = this.link
    const limit = SlowLink.bytesMax
    if (isCongested ? unsentBytes * 2 >= limit : unsentBytes <= limit) return
    this.link.isCongested = !isCongested
    const kind = this.link.isCongested ? 'link-congested' : 'link-drained'
    this.#links.receive({ kind, link: id }, this.#effects)
  }

  /** The child has taken what has arrived. */
  #taken(arrived: Uint8Array): void {
    const [frame] = framesOf([{ kind: 'link-send', link: this.link.id, frame: arrived }])
    if (frame?.kind !== 'snapshot-begin' && frame?.kind !== 'snapshot-piece') return
    const bytes = arrived.length
    const taken = encodeLinkFrame({ kind: 'pieces-taken', bytes, answers: 0 })
    this.#links.receive({ kind: 'link-frame', link: this.link.id, frame: taken }, this.#effects)
  }

  get turns(): number {
    return this.#turn
  }

  #flush(key: DocumentKey): void {
    const downstream = this.#downstreams.get(key)
    if (downstream?.flush(this.#effects) === true) this.#links.hasMore(key)
  }

  #carry(): void {
    for (const effect of this.#effects.splice(0)) {
      if (effect.kind !== 'link-send') continue
      const [frame] = framesOf([effect])
      if (frame?.kind === 'records') {
        this.aheadMost = Math.max(this.aheadMost, this.link.unsentBytes)
      }
      this.link.send(effect.frame)
    }
  }
}

t.test('a long snapshot and a hundred busy documents on one link have their turns', async t => {
  const node = new BusyNode(100, 6_000_000)
  let seq = 0
  const publishedAt: number[] = []
  while (node.turns < 400) {
    if (node.turns % 4 === 0 && node.turns >= 120 && seq < 50) {
      seq++
      for (const key of node.others.slice(0, 10)) node.publish(key, seq)
      publishedAt[seq] = node.turns
    }
    node.turn(200_000)
  }
  const frames = node.link.arrived.map(({ frame, turn }) => ({
    frame: framesOf([{ kind: 'link-send', link: node.link.id, frame }])[0],
    turn,
  }))
  const pieces = frames.filter(({ frame }) => frame?.kind === 'snapshot-piece')
  t.ok(pieces.length > 190, 'all of the snapshot and of the small ones')
  const lags: number[] = []
  for (const { frame, turn } of frames) {
    if (frame?.kind !== 'records') continue
    for (const { seq } of frame.records) lags.push(turn - (publishedAt[seq] ?? 0))
  }
  t.equal(lags.length, 500)
  const longest = Math.max(...lags)
  t.ok(longest <= 4, `no record waits longer than what the link may hold, got ${longest} turns`)
  const { bytesUnderWayMax } = unmeasured
  const bound = bytesUnderWayMax + 65_600
  t.ok(node.aheadMost <= bound, `${node.aheadMost} bytes before a record`)
})
