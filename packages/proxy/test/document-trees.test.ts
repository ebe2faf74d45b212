/* A proxy that has as many children of a document as it may sends others on. */
import { type LinkFrame, type LinkId, parseDocumentKey, type TreePlace } from '@fanfold/protocol'
import { Detours, defaultFanOutOptions } from '@fanfold/topology'
import t from 'tap'
import {
  channel,
  doc,
  framesOf,
  link,
  parent,
  positionAt,
  Rig,
  snapshot,
  welcome,
} from './build-proxy.ts'

const above = { path: ['owner', 'root'], others: ['owner'] }
const fanOut = { ...defaultFanOutOptions, childrenMax: 2, tiersMax: 4 }

/** A proxy `me` below `root`, which has the document; it may recruit these. */
function proxyOf(recruits: readonly string[], place: TreePlace = above): Rig {
  const tiers = new Detours({ base: () => ['root'], self: 'me', options: fanOut })
  const rig = new Rig(
    {},
    {
      routes: { routeOf: key => tiers.routeOf(key), tiers },
      tree: {
        self: 'me',
        fanOut,
        pathOf: key => tiers.pathOf(key),
        recruitsFor: () => recruits,
        isProxy: node => !node.startsWith('edge'),
      },
    },
  )
  rig.open(parent, 239, { node: 'root', roles: ['proxy'] })
  come(rig, link(1), 'edge-1')
  rig.frame(parent, { ...welcome('snapshot', 10), place } as LinkFrame, ...snapshot(10))
  return rig
}

type Joining = {
  readonly isProxy?: boolean
  readonly isMovable?: boolean
  /** The record up to which it has the document. */
  readonly has?: number
}

/** A node comes and asks for the document. */
function come(
  rig: Rig,
  id: LinkId,
  node: string,
  { isProxy = false, isMovable = true, has }: Joining = {},
): void {
  rig.open(id, 239, { node, roles: [isProxy ? 'proxy' : 'edge'] })
  const have = has === undefined ? undefined : positionAt(has)
  rig.frame(id, { kind: 'join', doc, have, credit: 1_000_000, take: 'any', codecs: 0, isMovable })
}

/** What links were told of their places: where they stand, where they are sent, or that they are refused. */
function told(rig: Rig, ...ids: readonly LinkId[]): string[][] {
  const effects = rig.effects()
  return ids.map(id => framesOf(effects, id).flatMap(wordOf))
}

function wordOf(frame: LinkFrame): string[] {
  if (frame.kind === 'welcome') return [`below ${frame.place?.path.join(' ')}`]
  if (frame.kind === 'redirect') return [`to ${frame.to.join(' ')}`]
  if (frame.kind === 'path') return [`now below ${frame.path.join(' ')}`]
  if (frame.kind === 'refused') return [frame.code]
  return frame.kind === 'signal' && frame.signal === 'dissolve' ? ['dissolve'] : []
}

const [one, two, three, four, five] = [link(1), link(2), link(3), link(4), link(5)]

t.test('children are told who is above them, as many as there may be', async t => {
  const rig = proxyOf(['a', 'b'])
  come(rig, two, 'edge-2')
  come(rig, three, 'edge-3')
  t.same(told(rig, one, two, three), [['below owner root me'], ['below owner root me'], ['to a b']])
  t.match(rig.proxy.standingOf(doc), { children: 2 })
})

t.test('who goes on from what it has is led on, and then sent on', async t => {
  const rig = proxyOf(['a', 'b'])
  come(rig, two, 'edge-2')
  rig.effects()
  come(rig, three, 'edge-3', { has: 10 })
  t.same(told(rig, three), [['below owner root me', 'to a b']])
  come(rig, four, 'edge-4')
  t.same(told(rig, four), [['to a b']], 'it does not count as one that stays')
})

t.test('a proxy takes the place of an edge, which goes below it', async t => {
  const rig = proxyOf(['a', 'b'])
  come(rig, two, 'edge-2')
  rig.effects()
  come(rig, three, 'a', { isProxy: true })
  t.same(told(rig, one, two, three), [[], ['to a'], ['below owner root me']])
  rig.frame(two, { kind: 'leave', doc })
  come(rig, four, 'edge-4')
  t.same(told(rig, four), [['to a']], 'whoever comes next goes there')
  rig.frame(three, { kind: 'signal', signal: 'children', doc, value: 2 })
  come(rig, five, 'edge-5')
  t.same(told(rig, five), [['to b a']], 'unless that is full')
})

t.test('who stays is taken, and so is everybody where there is nowhere to go', async t => {
  const rig = proxyOf(['a'])
  come(rig, two, 'edge-2')
  rig.effects()
  come(rig, three, 'edge-3', { isMovable: false })
  t.same(told(rig, three), [['below owner root me']])
  const alone = proxyOf([])
  come(alone, two, 'edge-2')
  come(alone, three, 'edge-3')
  t.same(told(alone, three), [['below owner root me']])
})

t.test('one that is not taken is not counted, and leaves nothing', async t => {
  const rig = proxyOf(['a'])
  rig.frame(one, { kind: 'signal', signal: 'presence', doc, value: 3 })
  t.equal(rig.proxy.viewersBelow, 3)
  rig.frame(parent, { kind: 'signal', signal: 'dissolve', doc, value: 0 })
  rig.effects()
  rig.frame(one, {
    kind: 'join',
    doc,
    have: undefined,
    credit: 1_000_000,
    take: 'any',
    codecs: 0,
    isMovable: true,
  })
  t.same(told(rig, one), [['to root']])
  t.equal(rig.proxy.viewersBelow, 0)
  t.match(rig.proxy.standingOf(doc), { children: 0 })
  rig.pass(10_000)
  t.equal(rig.proxy.documentCount, 0, 'nobody wants it here any more')
})

t.test('a tier that has become the first one sends nobody to the owner', async t => {
  const rig = proxyOf([])
  rig.frame(parent, { kind: 'signal', signal: 'dissolve', doc, value: 0 })
  come(rig, two, 'edge-2')
  t.same(told(rig, two), [['to root']])
  rig.frame(parent, { kind: 'path', channel, path: ['root'] })
  rig.effects()
  come(rig, three, 'edge-3')
  t.same(told(rig, three), [['below root me']], 'root is the owner now')
  rig.frame(parent, { kind: 'signal', signal: 'dissolve', doc, value: 0 })
  t.same(told(rig, three), [[]])
})

t.test('another role of the process is always served', async t => {
  const rig = proxyOf(['a'])
  come(rig, two, 'edge-2')
  rig.effects()
  come(rig, three, 'me')
  t.same(told(rig, three), [['below owner root me']])
  rig.frame(two, { kind: 'leave', doc })
  come(rig, four, 'a', { isProxy: true })
  t.same(told(rig, one, three), [['to a'], []], 'and makes room for nobody')
  rig.frame(parent, { kind: 'signal', signal: 'dissolve', doc, value: 0 })
  t.same(told(rig, three), [[]])
})

t.test('an edge that was told to go and is still here counts again after a while', async t => {
  const rig = proxyOf(['a'])
  come(rig, two, 'edge-2')
  come(rig, three, 'a', { isProxy: true })
  rig.effects()
  rig.pass(9_000)
  come(rig, four, 'edge-4')
  t.same(told(rig, four), [['to a']])
  rig.pass(2_000)
  come(rig, five, 'b', { isProxy: true })
  t.same(told(rig, two, five), [['to b'], ['below owner root me']], 'and is told again')
})

t.test('nobody is served by who is below it, nor too far down', async t => {
  const rig = proxyOf(['a'])
  rig.effects()
  come(rig, two, 'owner', { isProxy: true })
  t.same(told(rig, two), [['FANFOLD_NO_PARENT']])
  const deep = proxyOf(['a'], { path: ['owner', 'x', 'y', 'z'], others: [] })
  t.match(framesOf(deep.effects(), one).flatMap(wordOf), [])
})

t.test('a parent that is below us is left, and the next one asked', async t => {
  const rig = proxyOf([])
  rig.effects()
  rig.frame(parent, { kind: 'path', channel: 55, path: ['owner', 'me', 'root'] })
  const frames = framesOf(rig.effects(), parent)
  t.match(frames, [{ kind: 'leave', doc }])
  rig.pass(1_000)
  t.match(framesOf(rig.effects(), parent), [{ kind: 'join' }], 'it may stand elsewhere by then')
})

t.test('children hear when who is above them is another one', async t => {
  const rig = proxyOf([])
  rig.effects()
  rig.frame(parent, { kind: 'path', channel: 55, path: ['owner', 'other', 'root'] })
  t.same(told(rig, one), [['now below owner other root me']])
  rig.frame(parent, { kind: 'path', channel: 55, path: ['owner', 'other', 'root'] })
  t.same(told(rig, one), [[]], 'once')
})

t.test('the parent is told how many are below', async t => {
  const rig = proxyOf(['a'])
  const signals = () =>
    framesOf(rig.effects(), parent).flatMap(frame =>
      frame.kind === 'signal' ? [`${frame.signal} ${frame.value}`] : [],
    )
  rig.pass(1_000)
  t.ok(signals().includes('children 1'))
  come(rig, two, 'a', { isProxy: true })
  rig.frame(two, { kind: 'signal', signal: 'edges', doc, value: 5 })
  rig.pass(2_000)
  const said = signals()
  t.same([said.includes('children 2'), said.includes('edges 6')], [true, true])
})

t.test('what children make up about what is below them does no harm', async t => {
  const rig = proxyOf(['a'])
  const most = Number.MAX_SAFE_INTEGER
  for (const [id, node] of [
    [two, 'a'],
    [three, 'b'],
  ] as const) {
    come(rig, id, node, { isProxy: true })
    for (const signal of ['children', 'edges'] as const) {
      rig.frame(id, { kind: 'signal', signal, doc, value: most })
    }
  }
  rig.pass(2_000)
  const said = framesOf(rig.effects(), parent).filter(
    frame => frame.kind === 'signal' && frame.signal === 'edges',
  )
  t.match(said.at(-1), { value: most })
  rig.frame(two, { kind: 'signal', signal: 'edges', doc: parseDocumentKey('a/b/other'), value: 1 })
  rig.pass(1_000)
  t.match(rig.proxy.standingOf(doc), { children: 3 })
})

t.test('a tier of no use is told to send its children up', async t => {
  const rig = proxyOf(['a'])
  come(rig, two, 'a', { isProxy: true })
  rig.frame(two, { kind: 'signal', signal: 'children', doc, value: 1 })
  rig.frame(one, { kind: 'leave', doc })
  rig.effects()
  rig.pass(29_000)
  t.same(told(rig, two), [[]])
  rig.pass(3_000)
  t.same(told(rig, two), [['dissolve']])
})

t.test('one that is told to does, and for a while sends on whoever asks', async t => {
  const rig = proxyOf(['a'])
  come(rig, two, 'edge-2', { isMovable: false })
  rig.effects()
  rig.frame(parent, { kind: 'signal', signal: 'dissolve', doc, value: 0 })
  t.same(told(rig, one, two), [['to root'], []], 'but for those who stay')
  come(rig, three, 'edge-3')
  t.same(told(rig, three), [['to root']])
  rig.pass(5_000)
  rig.frame(one, { kind: 'leave', doc })
  come(rig, four, 'edge-4')
  t.same(told(rig, four), [['below owner root me']])
})

t.test('a proxy that is sent on goes on from what it has, and is served until then', async t => {
  const rig = proxyOf([])
  rig.effects()
  rig.frame(parent, { kind: 'redirect', doc, to: ['b'] })
  t.match(rig.effects(), [{ kind: 'want-nodes', nodes: ['b', 'root'] }])
  const other = link(101)
  rig.open(other, 239, { node: 'b', roles: ['proxy'] })
  const effects = rig.effects()
  t.same(framesOf(effects, parent), [])
  t.match(framesOf(effects, other), [{ kind: 'join', have: { seq: 10 }, isMovable: true }])
  rig.frame(other, welcome('tail', 10))
  t.match(framesOf(rig.effects(), parent), [{ kind: 'leave' }])
})
