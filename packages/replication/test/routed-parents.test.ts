import { type DocumentKey, decodeLinkFrame, type LinkId, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { doc, link } from './build-stream.ts'
import { head, Rig, snapshotFrames, welcome } from './following-rig.ts'

const [a, b, c] = [link(1), link(2), link(3)]

/** A rig that follows the document by a route, which the test may change. */
function routed(...route: string[]): { rig: Rig; routes: { route: readonly string[] } } {
  const routes = { route: route as readonly string[] }
  return { rig: new Rig({ routes: { routeOf: () => routes.route } }), routes }
}

/** The same, live from its best parent. */
function live(...route: string[]): ReturnType<typeof routed> {
  const made = routed(...route)
  const { rig } = made
  rig.follow()
  rig.open(a, route[0])
  rig.take([welcome('snapshot'), ...snapshotFrames(head)], a)
  rig.effects()
  return made
}

/** What the rig sends over a link: the kinds of its frames. */
const kindsTo = (rig: Rig, to: LinkId): string[] => rig.sent(to).map(({ kind }) => kind)

t.test('the best node of the route is wanted, and asked when it is connected', async t => {
  const { rig } = routed('a', 'b')
  t.same(rig.wantedNodes(), undefined, 'nothing is followed')
  rig.follow()
  t.same(rig.wantedNodes(), ['a'])
  t.ok(rig.following.parents.mayBeHad(doc))
  rig.open(a, 'a')
  t.same(kindsTo(rig, a), ['join'])
  t.equal(rig.wantedNodes(), undefined)
  rig.unfollow()
  t.same(rig.wantedNodes(), [])
})

t.test('when nobody is reached there the next one is wanted too, and serves', async t => {
  const { rig } = routed('a', 'b', 'c')
  rig.follow()
  rig.unreachable('a')
  t.same(rig.wantedNodes(), ['a', 'b'])
  rig.unreachable('a')
  t.equal(rig.wantedNodes(), undefined, 'again it is nothing new')
  rig.open(b, 'b')
  t.same(kindsTo(rig, b), ['join'])
  rig.open(a, 'a')
  t.equal(rig.linkFor(), a, 'who comes back has it again')
  t.same(rig.wantedNodes(), ['a'])
})

t.test('without anybody who may be reached it cannot be had, until somebody is', async t => {
  const { rig } = routed('a', 'b')
  rig.follow()
  rig.unreachable('a')
  t.ok(rig.following.parents.mayBeHad(doc))
  rig.unreachable('b')
  t.notOk(rig.following.parents.mayBeHad(doc))
  t.same(rig.wantedNodes(), ['a', 'b'])
  rig.open(b, 'b')
  t.ok(rig.following.parents.mayBeHad(doc))
})

t.test(
  'a document without a route waits, is stale for nobody, and goes on when there is one',
  async t => {
    const { rig, routes } = routed()
    rig.follow()
    rig.pass(0)
    t.notOk(rig.following.parents.mayBeHad(doc))
    t.equal(rig.wantedNodes(), undefined)
    routes.route = ['b']
    rig.reroute()
    t.same(rig.wantedNodes(), ['b'])
  },
)

t.test('when the parent is lost the next one is dialled at once', async t => {
  const { rig } = live('a', 'b')
  rig.close(a)
  t.same(rig.wantedNodes(), ['a', 'b'])
  t.equal(rig.staleMs, 0)
  rig.open(b, 'b')
  const [join] = rig.sent(b)
  t.match(join, { kind: 'join', have: head }, 'from what is held')
})

t.test('who moves is taken by the new parent before the old one is left', async t => {
  const { rig, routes } = live('a', 'b')
  routes.route = ['b']
  rig.reroute()
  t.same(rig.wantedNodes(), ['a', 'b'], 'the one that serves, too')
  t.equal(rig.linkFor(), a)
  rig.open(b, 'b')
  t.same(kindsTo(rig, b), ['join'])
  t.equal(rig.linkFor(), a)
  rig.take([welcome('tail', 9)], b)
  t.same(kindsTo(rig, a), ['leave'])
  t.equal(rig.linkFor(), b)
  t.equal(rig.staleMs, undefined, 'nothing was late')
})

t.test('one that goes away is left for the next one, as soon as that is there', async t => {
  const { rig } = live('a', 'b')
  rig.take([{ kind: 'signal', signal: 'hand-over', doc: undefined, value: 0 }], a)
  t.same(rig.wantedNodes(), ['a', 'b'])
  rig.open(b, 'b')
  rig.take([welcome('tail', 9)], b)
  t.equal(rig.linkFor(), b)
  rig.close(a)
  t.equal(rig.staleMs, undefined)
})

t.test(
  'a parent that is of no use is left for another one, until that was well for long',
  async t => {
    const { rig } = routed('a', 'b', 'c')
    rig.follow()
    rig.open(a, 'a')
    rig.effects()
    rig.pass(2_000)
    t.same(rig.wantedNodes(), ['a', 'b', 'c'], 'any other may do')
    rig.open(c, 'c')
    t.equal(rig.linkFor(), c)
    rig.take([welcome('snapshot', 9), ...snapshotFrames(head, 9)], c)
    rig.open(b, 'b')
    t.equal(rig.linkFor(), c, 'who is well stays')
    rig.pass(12_000)
    rig.take([welcome('tail')], a)
    t.equal(rig.linkFor(), a, 'and then goes where it belongs')
    t.same(rig.wantedNodes(), ['a'])
  },
)

t.test('one that does not exist yet is asked of its best parent again, after trouble', async t => {
  const { rig } = routed('a', 'b')
  const refuse = (code: 'FANFOLD_NO_PARENT' | 'FANFOLD_NO_DOCUMENT', at: LinkId): void =>
    rig.take([{ kind: 'refused', doc, code, message: '', retryAfterMs: 250 }], at)
  rig.follow()
  rig.open(a, 'a')
  refuse('FANFOLD_NO_PARENT', a)
  rig.open(b, 'b')
  t.equal(rig.linkFor(), b)
  for (let second = 0; second < 12; second++) {
    rig.effects()
    rig.pass(1_000)
    refuse('FANFOLD_NO_DOCUMENT', rig.linkFor() ?? b)
  }
  t.equal(rig.linkFor(), a, 'nothing is amiss at who says so')
})

t.test('a document in trouble leaves who has it no more', async t => {
  const { rig, routes } = routed('a', 'b')
  rig.follow()
  rig.open(a, 'a')
  rig.pass(2_000)
  rig.open(b, 'b')
  rig.take([welcome('snapshot', 9), ...snapshotFrames(head, 9)], b)
  rig.open(c, 'c')
  rig.effects()
  routes.route = ['c']
  rig.reroute()
  rig.take([welcome('tail', 8)], c)
  t.equal(rig.linkFor(), c)
})

t.test(
  'a node that cannot have it now, or is not the one that has it, is left for another',
  async t => {
    for (const code of ['FANFOLD_NO_PARENT', 'FANFOLD_MOVED'] as const) {
      const { rig } = routed('a', 'b')
      rig.follow()
      rig.open(a, 'a')
      rig.effects()
      rig.take([{ kind: 'refused', doc, code, message: '', retryAfterMs: 250 }], a)
      t.same(rig.wantedNodes(), ['a', 'b'])
      rig.open(b, 'b')
      t.equal(rig.linkFor(), b)
      t.same(rig.events().slice(0, 1), ['refused'])
    }
  },
)

t.test('what was down before is lost once', async t => {
  const { rig } = live('a', 'b')
  rig.close(a)
  rig.effects()
  rig.unreachable('a')
  t.equal(rig.following.wakeAt() === rig.now, false, 'nothing has to be looked at')
})

t.test('a node that nobody wants is forgotten, and so is that it was down', async t => {
  const { rig, routes } = routed('a', 'b')
  rig.follow()
  rig.unreachable('a')
  routes.route = ['b']
  rig.reroute()
  rig.pass(0)
  routes.route = ['a', 'b']
  rig.effects()
  rig.reroute()
  t.same(rig.wantedNodes(), ['a'])
})

t.test('the newer of two connections to a node counts', async t => {
  const { rig } = live('a', 'b')
  rig.open(b, 'a')
  rig.take([welcome('tail', 9)], b)
  t.equal(rig.linkFor(), b, 'the older one may be gone without a word')
  rig.close(a)
  t.equal(rig.linkFor(), b)
  t.equal(rig.wantedNodes(), undefined, 'the node is not down')
})

/** What may happen, to one of four nodes and twelve documents. */
type Step =
  | { readonly do: 'open' | 'close' | 'unreachable' | 'hand-over'; readonly node: number }
  | { readonly do: 'follow' | 'unfollow'; readonly doc: number }
  | { readonly do: 'route'; readonly doc: number; readonly route: readonly number[] }

const nodes = ['a', 'b', 'c', 'd']
const keys = Array.from({ length: 12 }, (_, index) => parseDocumentKey(`acme/match/m${index}`))
const route = fc.shuffledSubarray([0, 1, 2, 3])
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('open', 'close', 'unreachable', 'hand-over'),
    node: fc.nat({ max: 3 }),
  }),
  fc.record({ do: fc.constantFrom('follow', 'unfollow'), doc: fc.nat({ max: 11 }) }),
  fc.record({ do: fc.constant('route'), doc: fc.nat({ max: 11 }), route }),
)

/** Nodes that are there or not, and what is followed from which of them. */
class World {
  readonly #rig: Rig
  readonly #routes = new Map<DocumentKey, readonly string[]>(keys.map(key => [key, nodes]))
  readonly #followed = new Set<DocumentKey>()
  readonly #links = new Map<string, { link: LinkId; isGoing: boolean; joined: Set<DocumentKey> }>()
  readonly #down = new Set<string>()
  #told: readonly string[] = []
  #opened = 0

  constructor() {
    this.#rig = new Rig({ routes: { routeOf: key => this.#routes.get(key) ?? [] } })
  }

  do(step: Step): void {
    if ('node' in step) this.#doTo(nodes[step.node] ?? '', step.do)
    else if (step.do === 'route') {
      const key = keys[step.doc]
      if (key !== undefined)
        this.#routes.set(
          key,
          step.route.map(index => nodes[index] ?? ''),
        )
      this.#rig.reroute()
    } else this.#follow(keys[step.doc], step.do === 'follow')
    this.#deliver()
  }

  #doTo(node: string, what: 'open' | 'close' | 'unreachable' | 'hand-over'): void {
    const there = this.#links.get(node)
    if (what === 'open' && there === undefined) {
      const opened = { link: link(++this.#opened), isGoing: false, joined: new Set<DocumentKey>() }
      this.#links.set(node, opened)
      this.#rig.open(opened.link, node)
      this.#down.delete(node)
    } else if (what === 'close' && there !== undefined) {
      this.#links.delete(node)
      this.#rig.close(there.link)
      this.#down.add(node)
    } else if (what === 'unreachable' && there === undefined) {
      this.#rig.unreachable(node)
      this.#down.add(node)
    } else if (what === 'hand-over' && there !== undefined) {
      there.isGoing = true
      const signal = { kind: 'signal', signal: 'hand-over', doc: undefined, value: 0 } as const
      this.#rig.take([signal], there.link)
    }
  }

  #follow(key: DocumentKey | undefined, isWanted: boolean): void {
    if (key === undefined || this.#followed.has(key) === isWanted) return
    if (isWanted) this.#followed.add(key)
    else this.#followed.delete(key)
    if (isWanted) this.#rig.follow(key)
    else this.#rig.unfollow(key)
  }

  #deliver(): void {
    for (const effect of this.#rig.effects()) {
      if (effect.kind === 'want-nodes') this.#told = effect.nodes
      if (effect.kind !== 'link-send') continue
      const frame = decodeLinkFrame(effect.frame)
      const parent = [...this.#links.values()].find(({ link }) => link === effect.link)
      if (frame?.kind === 'join') parent?.joined.add(frame.doc)
      else if (frame?.kind === 'leave') parent?.joined.delete(frame.doc)
    }
    // What is not wanted any more is not known to be down.
    for (const node of this.#down) if (!this.#told.includes(node)) this.#down.delete(node)
  }

  /** What is not as it should be. */
  wrong(): string[] {
    const wrong: string[] = []
    const wanted = new Set<string>()
    for (const key of keys) {
      const serving = nodes.filter(node => this.#links.get(node)?.joined.has(key))
      const route = this.#routes.get(key) ?? []
      const there = route.filter(node => this.#links.has(node))
      const best = there.find(node => this.#links.get(node)?.isGoing === false)
      const isFollowed = this.#followed.has(key)
      if (serving.length > 1) wrong.push(`${key} is served by ${serving}`)
      if (!isFollowed && serving.length > 0) wrong.push(`${key} is served by ${serving}, unwanted`)
      if (isFollowed && best !== undefined && serving[0] !== best) {
        wrong.push(`${key} is served by ${serving}, not ${best}`)
      }
      if (isFollowed && there.length > 0 && serving.length === 0) wrong.push(`${key} is not served`)
      if (!isFollowed) continue
      for (const node of serving) wanted.add(node)
      const isUp = (node: string): boolean =>
        !this.#down.has(node) && this.#links.get(node)?.isGoing !== true
      const first = route.findIndex(isUp)
      for (const node of first < 0 ? route : route.slice(0, first + 1)) wanted.add(node)
    }
    const due = [...wanted].toSorted()
    if (`${due}` !== `${this.#told}`) wrong.push(`wanted are ${due}, told was ${this.#told}`)
    return wrong
  }
}

t.test(
  'whatever nodes do, each document is served once, by the best one that is there',
  async t => {
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), steps => {
      const world = new World()
      for (const step of steps) {
        world.do(step)
        const [wrong] = world.wrong()
        if (wrong !== undefined) throw new Error(wrong)
      }
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  },
)

t.test('who is asked about a document that is not followed is wanted for a while', async t => {
  const { rig } = routed('a')
  t.equal(rig.askReplay(), undefined)
  t.same(rig.wantedNodes(), ['a'])
  rig.pass(4_999)
  t.equal(rig.wantedNodes(), undefined)
  rig.open(a, 'a')
  t.ok(rig.askReplay())
  rig.pass(5_000)
  t.equal(rig.wantedNodes(), undefined, 'what was asked is on its way')
  rig.take([{ kind: 'replay-ended', replay: 1, code: undefined, message: '', retryAfterMs: 0 }], a)
  rig.pass(5_000)
  t.same(rig.wantedNodes(), [])
})
