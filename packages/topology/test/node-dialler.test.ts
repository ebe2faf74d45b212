import { after, type Instant, instant, milliseconds, Prng } from '@fanfold/kernel'
import type { LinkId } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  linkBreakerOptions,
  NodeDialler,
  type NodeDiallerEffect,
  type NodeDiallerInput,
} from '../src/node-dialler.ts'

const peer = { incarnation: '1', region: 'r', roles: ['proxy'], ceiling: 0 }

/** A dialler, and somebody who dials for it. */
class Rig {
  readonly addresses = new Map([
    ['a', 'ws://a'],
    ['b', 'ws://b'],
    ['c', 'ws://c'],
  ])
  readonly dialler: NodeDialler
  /** Links that were dialled, newest last. */
  readonly links: {
    readonly node: string
    readonly link: LinkId
    state: 'new' | 'open' | 'over'
  }[] = []
  readonly unreachable: string[] = []
  cutOff: readonly string[] = []
  readonly noted: string[] = []
  readonly closed: LinkId[] = []
  canDial = true
  incarnation = 'first'
  nowMs = 0

  constructor() {
    this.dialler = new NodeDialler({
      whereIs: node => {
        const address = this.addresses.get(node)
        return address === undefined ? undefined : { address, incarnation: this.incarnation }
      },
      isIt: (node, peer) => peer.node === node,
      breaker: linkBreakerOptions,
      lingerMs: 5_000,
      prng: new Prng('dialler'),
    })
  }

  get now(): Instant {
    return after(instant(0), milliseconds(this.nowMs))
  }

  /** When something is due, ms; undefined when nothing is. */
  get dueMs(): number | undefined {
    const at = this.dialler.wakeAt()
    return at === undefined ? undefined : at / 1_000
  }

  take(input: NodeDiallerInput): void {
    const effects: NodeDiallerEffect[] = []
    this.dialler.receive(input, this.now, effects)
    this.#perform(effects)
  }

  want(...nodes: string[]): void {
    this.take({ kind: 'want-nodes', nodes })
  }

  /** The newest link to the node. */
  linkTo(node: string): LinkId | undefined {
    return this.links.findLast(link => link.node === node)?.link
  }

  /** How often the node was dialled. */
  dialsOf(node: string): number {
    return this.links.filter(link => link.node === node).length
  }

  open(node: string, as = node): void {
    const dialled = this.links.findLast(link => link.node === node)
    if (dialled?.state !== 'new') return
    dialled.state = 'open'
    const { link } = dialled
    this.take({ kind: 'link-opened', link, peer: { ...peer, node: as }, dialled: true })
  }

  lose(node: string): void {
    const dialled = this.links.findLast(link => link.node === node)
    if (dialled === undefined || dialled.state === 'over') return
    dialled.state = 'over'
    this.take({ kind: 'link-closed', link: dialled.link, reason: 'gone' })
  }

  /** Passes time, and does what is due meanwhile, each at its time. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms
    for (let due = this.dueMs; due !== undefined && due <= endMs; due = this.dueMs) {
      this.nowMs = Math.max(due, this.nowMs)
      this.#tick()
    }
    this.nowMs = endMs
  }

  /** Passes the time up to the next thing that is due; how long it was, ms. */
  passWait(): number {
    const wait = Math.max(0, (this.dueMs ?? this.nowMs) - this.nowMs)
    this.nowMs += wait
    this.#tick()
    return wait
  }

  #tick(): void {
    const effects: NodeDiallerEffect[] = []
    this.dialler.tick(this.now, effects)
    this.#perform(effects)
  }

  #perform(effects: readonly NodeDiallerEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'dial-node': {
          const link = (this.links.length + 1) as LinkId
          if (this.canDial) this.links.push({ node: effect.node, link, state: 'new' })
          const { node } = effect
          this.take({ kind: 'node-dialled', node, link: this.canDial ? link : undefined })
          break
        }
        case 'link-close': {
          this.closed.push(effect.link)
          const one = this.links.find(({ link }) => link === effect.link)
          if (one !== undefined) one.state = 'over'
          break
        }
        case 'node-unreachable':
          this.unreachable.push(effect.node)
          break
        case 'cut-off-changed':
          this.cutOff = effect.nodes
          break
        case 'node-noted':
          this.noted.push(`${effect.event} ${effect.node}`)
      }
    }
  }
}

t.test('what is wanted is dialled once, and stays connected', async t => {
  const rig = new Rig()
  rig.want('a')
  rig.want('a')
  t.equal(rig.dialsOf('a'), 1)
  rig.open('a')
  rig.pass(60_000)
  t.equal(rig.dialsOf('a'), 1)
  t.same(rig.dialler.nodes, [{ node: 'a', isOpen: true, breaker: 'closed' }])
  t.same(rig.unreachable, [])
})

t.test(
  'what is not wanted any more is left after a while, and not when it is wanted again',
  async t => {
    const rig = new Rig()
    rig.want('a')
    rig.open('a')
    rig.want()
    rig.pass(4_999)
    rig.want('a')
    rig.pass(60_000)
    t.same(rig.closed, [])
    rig.want()
    rig.pass(5_000)
    t.same(rig.closed, [rig.linkTo('a')])
    t.same(rig.dialler.nodes, [])
    t.equal(rig.dueMs, undefined)
    rig.want('a')
    t.equal(rig.dialsOf('a'), 2)
  },
)

t.test('one that is being dialled is left by its link, or before it has one', async t => {
  const rig = new Rig()
  rig.want('a')
  rig.want()
  rig.pass(5_000)
  t.same(rig.closed, [rig.linkTo('a')])
  rig.take({ kind: 'node-dialled', node: 'a', link: 9 as LinkId })
  t.same(rig.closed, [rig.linkTo('a'), 9], 'nobody waits for this link')
})

t.test('one that is not reached is told each time, and dialled after waits that grow', async t => {
  const rig = new Rig()
  rig.want('a')
  const waits: number[] = []
  for (let failure = 0; failure < 2; failure++) {
    rig.lose('a')
    waits.push(rig.passWait())
  }
  t.same(rig.unreachable, ['a', 'a'])
  t.ok(
    waits.every((wait, index) => wait >= 50 * 2 ** index && wait <= 100 * 2 ** index),
    `${waits}`,
  )
  t.same(rig.noted, ['node-not-reached a', 'node-not-reached a'])
})

t.test('after three failures it is dialled seldom, by one attempt at a time', async t => {
  const rig = new Rig()
  rig.want('a')
  const waits: number[] = []
  for (let failure = 0; failure < 12; failure++) {
    rig.lose('a')
    waits.push(rig.passWait())
  }
  t.ok(
    waits.slice(2).every(wait => wait >= 1_000 && wait <= 15_000),
    `${waits}`,
  )
  t.equal(rig.dialler.nodes[0]?.breaker, 'half-open')
  rig.open('a')
  t.same(rig.dialler.nodes, [{ node: 'a', isOpen: true, breaker: 'closed' }])
})

t.test('a link that comes up and goes again and again is one that fails', async t => {
  const rig = new Rig()
  rig.want('a')
  for (let round = 0; round < 3; round++) {
    rig.open('a')
    rig.lose('a')
    if (round < 2) rig.passWait()
  }
  t.equal(rig.dialler.nodes[0]?.breaker, 'open')
  t.same(rig.unreachable, [], 'who had a link has seen it go')
})

t.test('one that nobody can find is told, and dialled when somebody can', async t => {
  const rig = new Rig()
  rig.want('d')
  t.same(rig.unreachable, ['d'])
  t.equal(rig.dueMs, undefined)
  rig.take({ kind: 'addresses-changed' })
  t.same(rig.unreachable, ['d', 'd'])
  rig.addresses.set('d', 'ws://d')
  rig.take({ kind: 'addresses-changed' })
  t.equal(rig.dialsOf('d'), 1)
})

t.test('an address that changes does not cut a wait short', async t => {
  const rig = new Rig()
  rig.want('a')
  rig.lose('a')
  rig.take({ kind: 'addresses-changed' })
  t.equal(rig.dialsOf('a'), 1)
})

t.test(
  'a node that was started again is dialled at once, whatever the one before it did',
  async t => {
    const rig = new Rig()
    rig.want('a')
    for (let failure = 0; failure < 6; failure++) {
      rig.lose('a')
      rig.passWait()
    }
    rig.lose('a')
    const before = rig.dialsOf('a')
    rig.incarnation = 'second'
    rig.take({ kind: 'addresses-changed' })
    t.equal(rig.dialsOf('a'), before + 1)
    rig.open('a')
    t.same(rig.dialler.nodes, [{ node: 'a', isOpen: true, breaker: 'closed' }])
  },
)

t.test('somebody else at the address is not the node', async t => {
  const rig = new Rig()
  rig.want('a')
  rig.open('a', 'b')
  const link = rig.linkTo('a') ?? (0 as LinkId)
  t.same(rig.closed, [link])
  t.same(rig.unreachable, ['a'])
  t.ok(rig.dialler.isStranger(link), 'the role never hears of it')
  rig.take({ kind: 'link-closed', link, reason: 'closed' })
  t.notOk(rig.dialler.isStranger(link))
  rig.pass(100)
  t.equal(rig.dialsOf('a'), 2)
})

t.test('a node that fails again and again is one that this node is cut off from', async t => {
  const rig = new Rig()
  rig.want('a', 'b')
  rig.open('b')
  for (const failures of [1, 2, 3]) {
    rig.lose('a')
    t.same(rig.cutOff, failures < 3 ? [] : ['a'])
    if (failures < 3) rig.pass(5_000)
  }
  rig.want('b')
  const { length } = rig.unreachable
  const dials = rig.dialsOf('a')
  rig.pass(3_000)
  t.equal(rig.dialsOf('a'), dials + 1, 'it is tried, though nobody wants it')
  t.same(rig.cutOff, ['a'])
  rig.lose('a')
  t.equal(rig.unreachable.length, length, 'and nobody has to hear that it was in vain')
  rig.pass(10_000)
  rig.open('a')
  t.same(rig.cutOff, [])
  rig.pass(6_000)
  t.same(
    rig.dialler.nodes.map(({ node }) => node),
    ['b'],
    'once it can be reached it is left, as nobody wants it',
  )
})

t.test('from one that is not alive nobody is cut off', async t => {
  const rig = new Rig()
  rig.want('a')
  for (let failures = 0; failures < 3; failures++) {
    rig.lose('a')
    rig.pass(5_000)
  }
  t.same(rig.cutOff, ['a'])
  rig.addresses.delete('a')
  rig.take({ kind: 'addresses-changed' })
  t.same(rig.cutOff, [])
  rig.want()
  rig.pass(60_000)
  t.same(rig.dialler.nodes, [])
  t.equal(rig.dueMs, undefined)
})

t.test('a node that may dial nobody says so of each', async t => {
  const rig = new Rig()
  rig.canDial = false
  rig.want('a')
  t.same(rig.unreachable, ['a'])
})

t.test('links of others are none of its business', async t => {
  const rig = new Rig()
  rig.want('a')
  rig.take({ kind: 'link-opened', link: 99 as LinkId, peer: { ...peer, node: 'x' }, dialled: true })
  rig.take({ kind: 'link-closed', link: 99 as LinkId, reason: 'gone' })
  t.same(rig.noted, [])
  t.same(rig.closed, [])
})

t.test(
  'whatever happens, each node has one link at most, and those wanted are dialled',
  async t => {
    const node = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ do: fc.constant('want' as const), nodes: fc.uniqueArray(node) }),
      fc.record({ do: fc.constantFrom('open' as const, 'lose' as const), node }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.nat({ max: 6_000 }) }),
    )
    const property = fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const rig = new Rig()
      let wanted: readonly string[] = []
      for (const step of steps) {
        if (step.do === 'want') {
          wanted = step.nodes
          rig.want(...wanted)
        } else if (step.do === 'pass') rig.pass(step.ms)
        else if (step.do === 'open') rig.open(step.node)
        else rig.lose(step.node)
        for (const node of rig.addresses.keys()) {
          const alive = rig.links.filter(link => link.node === node && link.state !== 'over')
          if (alive.length > 1) return false
        }
      }
      // A breaker is open for 15 s at most, and a link that nobody wants is left after 5 s.
      rig.pass(20_000)
      return [...rig.addresses.keys()].every(node => {
        const isAlive = rig.links.some(link => link.node === node && link.state !== 'over')
        return isAlive === wanted.includes(node)
      })
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  },
)
