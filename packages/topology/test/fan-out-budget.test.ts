import { after, type Instant, instant, milliseconds, Prng } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import {
  alternativesOf,
  defaultFanOutOptions,
  type FanOutChild,
  FanOutCollapse,
  type FanOutQuestion,
  joinVerdict,
  pathProblem,
  reliefOf,
} from '../src/fan-out-budget.ts'
import { FanOutTree } from './fan-out-tree.ts'

const options = { ...defaultFanOutOptions, childrenMax: 3 }
const at = (ms: number): Instant => after(instant(0), milliseconds(ms))

const edge = (node: string): FanOutChild => ({
  node,
  isProxy: false,
  isMovable: true,
  childCount: 0,
  edgesBelow: 1,
})
const proxy = (node: string, childCount: number, edgesBelow = childCount): FanOutChild => ({
  node,
  isProxy: true,
  isMovable: true,
  childCount,
  edgesBelow,
})
const verdictOf = (overrides: Partial<FanOutQuestion>) =>
  joinVerdict(
    {
      joiner: { node: 'e', isProxy: false },
      children: [],
      path: ['authority', 'self'],
      recruits: () => [],
      isOverBytes: false,
      ...overrides,
    },
    options,
  )
const joiningProxy = { node: 'p', isProxy: true }
const fullOfEdges = [edge('e1'), edge('e2'), edge('e3')]

await t.test('who comes is taken while there is room', async t => {
  t.same(verdictOf({}), { kind: 'take' })
  t.same(verdictOf({ children: fullOfEdges.slice(1) }), { kind: 'take' })
  t.same(verdictOf({ children: fullOfEdges, joiner: { node: 'e2', isProxy: false } }), {
    kind: 'take',
  })
})

await t.test(
  'a full parent sends an edge to the least loaded of its proxies with room',
  async t => {
    const children = [proxy('p1', 2, 9), proxy('p2', 3, 3), proxy('p3', 1, 5)]
    t.same(verdictOf({ children, recruits: () => ['p9'] }), { kind: 'redirect', to: ['p3', 'p1'] })
  },
)

await t.test('without such a proxy it goes to one that is not in the tree yet', async t => {
  const recruits = ['authority', 'self', 'p1', 'p4', 'e', 'p5', 'p6', 'p7']
  const children = [edge('e1'), proxy('p1', 3), edge('e2')]
  t.same(verdictOf({ children, recruits: () => recruits }), {
    kind: 'redirect',
    to: ['p4', 'p5', 'p6'],
  })
  t.same(verdictOf({ children: fullOfEdges, recruits: () => [] }), {
    kind: 'refuse',
    reason: 'full',
  })
})

await t.test('where no new proxy would find a place, it goes deeper', async t => {
  const children = [proxy('p1', 3, 9), proxy('p2', 3, 4), proxy('p3', 3, 5)]
  t.same(verdictOf({ children, recruits: () => ['p9'] }), {
    kind: 'redirect',
    to: ['p2', 'p3', 'p1'],
  })
})

await t.test('a full parent takes a proxy by moving the last edge below it', async t => {
  const children = [edge('e1'), edge('e2'), proxy('p1', 1)]
  t.same(verdictOf({ joiner: joiningProxy, children }), { kind: 'take-and-move', moved: 'e2' })
  const proxies = [proxy('p1', 3), proxy('p2', 3), proxy('p3', 2)]
  t.same(verdictOf({ joiner: joiningProxy, children: proxies }), { kind: 'redirect', to: ['p3'] })
})

await t.test('a parent that sends too many bytes takes nobody more', async t => {
  const children = [proxy('p1', 1), edge('e1')]
  t.same(verdictOf({ children, isOverBytes: true }), { kind: 'redirect', to: ['p1'] })
  t.same(verdictOf({ isOverBytes: true }), { kind: 'refuse', reason: 'full' })
})

await t.test('nobody joins below itself, nor deeper than tiers go', async t => {
  t.same(verdictOf({ joiner: { node: 'self', isProxy: true } }), {
    kind: 'refuse',
    reason: 'loop',
  })
  t.same(verdictOf({ joiner: { node: 'authority', isProxy: true } }), {
    kind: 'refuse',
    reason: 'loop',
  })
  const path = Array.from({ length: 8 }, (_, tier) => `tier-${tier}`)
  t.same(verdictOf({ path }), { kind: 'take' }, 'an edge')
  t.same(verdictOf({ path, joiner: joiningProxy }), { kind: 'refuse', reason: 'too-deep' })
  t.same(verdictOf({ path: [...path, 'tier-8'] }), { kind: 'refuse', reason: 'too-deep' })
  t.same(
    verdictOf({ path, children: fullOfEdges, recruits: () => ['p1'] }),
    { kind: 'refuse', reason: 'full' },
    'nobody is recruited for a tier that may not be',
  )
})

await t.test('a path that has oneself in it, or is too long, is a parent to leave', async t => {
  t.equal(pathProblem(['a', 'b'], 'c', options), undefined)
  t.equal(pathProblem(['a', 'b'], 'a', options), 'loop')
  const path = Array.from({ length: 9 }, (_, tier) => `tier-${tier}`)
  t.equal(pathProblem(path, 'c', options), 'too-deep')
  t.equal(pathProblem(path.slice(1), 'c', options), undefined)
})

await t.test('a welcome names the node above, then the least loaded beside', async t => {
  const children = [proxy('p1', 3), edge('e1'), proxy('p2', 1), proxy('p3', 2), proxy('p4', 4)]
  const path = ['authority', 'regional', 'self']
  t.same(alternativesOf('p3', { path, children }), ['regional', 'p2', 'p1', 'p4'])
  t.same(alternativesOf('e1', { path: ['authority'], children: [edge('e1')] }), [])
})

await t.test('a tier goes when it has fitted above for half a minute, not sooner', async t => {
  const collapse = new FanOutCollapse({ ...options, childrenMax: 8 })
  const hot = [proxy('p1', 3), proxy('p2', 3), edge('e1')]
  const cool = [proxy('p1', 3), proxy('p2', 2), edge('e1')]
  t.equal(collapse.look(cool, at(0)), undefined)
  t.equal(collapse.look(hot, at(20_000)), undefined)
  t.equal(collapse.look(cool, at(21_000)), undefined)
  t.equal(collapse.look(cool, at(50_999)), undefined)
  t.equal(collapse.look(cool, at(51_000)), 'p2')
  t.equal(collapse.look(cool, at(51_001)), undefined, 'the next one has its own time')
  t.equal(collapse.look([edge('e1')], at(99_000)), undefined)
})

await t.test('a tier that was told in vain is told again after twice as long', async t => {
  const collapse = new FanOutCollapse({ ...options, childrenMax: 8 })
  const told: number[] = []
  for (let second = 0; second <= 220; second++) {
    const node = collapse.look([proxy('p1', 1)], at(second * 1_000))
    if (node !== undefined) told.push(second)
  }
  t.same(told, [30, 91, 212])
  t.equal(
    collapse.look([proxy('p2', 1)], at(300_000)),
    'p2',
    'another one is told for the first time',
  )
})

await t.test('a tier stays where the node may not send what it sends', async t => {
  const collapse = new FanOutCollapse({ ...options, childrenMax: 8 })
  const cool = [proxy('p1', 3), edge('e1')]
  for (let second = 0; second <= 60; second++) {
    t.equal(
      collapse.look(cool, at(second * 1_000), count => count < 3),
      undefined,
    )
  }
})

await t.test('a node is relieved of the edges that came last, by who has room', async t => {
  const relief = (count: number, overrides: Partial<FanOutQuestion> = {}) =>
    reliefOf(
      count,
      {
        children: fullOfEdges,
        path: ['authority', 'self'],
        recruits: () => ['r', 's'],
        ...overrides,
      },
      options,
    ).map(({ moved, to }) => `${moved} to ${to.join(' ')}`)
  t.same(relief(2), ['e3 to r s', 'e2 to s r'])
  t.same(relief(9), ['e3 to r s', 'e2 to s r'], 'one child stays')
  t.same(relief(1, { recruits: () => ['self'] }), [], 'where there is nobody it stays as it is')
  const tiered = [edge('e1'), proxy('p1', 3), proxy('p2', 2), proxy('p3', 1), edge('e2')]
  t.same(relief(9, { children: tiered }), ['e2 to p3 p2', 'e1 to p2 p3'])
  t.same(relief(1, { children: [edge('e1'), proxy('p1', 3)], recruits: () => [] }), [])
  t.same(relief(1, { children: [edge('e1')] }), [], 'never its only one')
  t.same(relief(1, { children: [proxy('p1', 0), proxy('p2', 0)] }), [], 'proxies stay')
  t.same(relief(1, { children: [{ ...edge('e1'), isMovable: false }, proxy('p1', 0)] }), [])
})

await t.test('bounds of a tree make sense', async t => {
  t.throws(() => new FanOutCollapse({ ...options, childrenMax: 1 }), /at least 2 children, got/)
  t.throws(() => new FanOutCollapse({ ...options, collapseShare: 1 }), /between 0 and 1, got 1/)
})

await t.test(
  '200 edges with a budget of 8 make a tree of three tiers, and it goes again',
  async t => {
    const tree = new FanOutTree(100, { ...options, childrenMax: 8 })
    for (let index = 0; index < 200; index++) {
      t.ok(tree.join(`edge-${index}`), `edge ${index}`)
      if (tree.widest > 8) t.fail(`a node has ${tree.widest} children`)
    }
    t.equal(tree.depths.length, 200)
    t.ok(Math.max(...tree.depths) <= 4, `${Math.max(...tree.depths)} tiers`)
    t.ok(tree.proxyCount <= 60, `${tree.proxyCount} proxies`)
    t.ok(tree.asksTaken <= 8, `${tree.asksTaken} asks`)
    const { proxyCount } = tree
    tree.pass(3_600)
    t.equal(tree.proxyCount, proxyCount, 'a tree that is needed stays')
    for (let index = 3; index < 200; index++) tree.leave(`edge-${index}`)
    tree.pass(3_600)
    t.same(tree.depths, [1, 1, 1])
    t.equal(tree.proxyCount, 1)
  },
)

await t.test('whoever comes and goes, no node is over budget and no node is lost', async t => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 2, max: 6 }), (seed, childrenMax) => {
      const prng = new Prng(seed)
      const tree = new FanOutTree(60, { ...options, childrenMax })
      const inside = new Set<string>()
      for (let step = 0; step < 150; step++) {
        const node = `edge-${prng.below(60)}`
        if (inside.has(node)) {
          tree.leave(node)
          inside.delete(node)
        } else if (tree.join(node)) {
          inside.add(node)
        }
        tree.pass(prng.below(8))
        if (tree.widest > childrenMax || tree.depths.length !== inside.size) return false
      }
      return true
    }),
    { numRuns: 40 },
  )
  t.pass('40 stories of 150 steps')
})
