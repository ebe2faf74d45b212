/* A proxy that has too much to do, in bytes or in children, sends some of those that it has to others. */
import type { LinkFrame, LinkId } from '@fanfold/protocol'
import { Detours, defaultFanOutOptions, type FanOutOptions } from '@fanfold/topology'
import t from 'tap'
import { doc, framesOf, link, parent, Rig, records, snapshot, welcome } from './build-proxy.ts'

const children = [link(1), link(2), link(3), link(4)]

/** A proxy `me` with some edges, which may recruit those of the list as it is then. */
function proxyOf(fanOut: Partial<FanOutOptions>, edges = 3): { rig: Rig; recruits: string[] } {
  const recruits: string[] = []
  const options = { ...defaultFanOutOptions, ...fanOut }
  const tiers = new Detours({ base: () => ['root'], self: 'me', options })
  const rig = new Rig(
    {},
    {
      routes: { routeOf: key => tiers.routeOf(key), tiers },
      tree: {
        self: 'me',
        fanOut: options,
        pathOf: key => tiers.pathOf(key),
        recruitsFor: () => recruits,
        isProxy: node => !node.startsWith('edge') && node !== 'me',
      },
    },
  )
  const place = { path: ['owner', 'root'], others: [] }
  rig.open(parent, 239, { node: 'root', roles: ['proxy'] })
  for (const id of children.slice(0, edges)) come(rig, id, `edge-${id}`)
  rig.frame(parent, { ...welcome('snapshot', 10), place } as LinkFrame, ...snapshot(10))
  rig.effects()
  return { rig, recruits }
}

function come(rig: Rig, id: LinkId, node: string): void {
  rig.open(id, 239, { node, roles: [] })
  const join = { doc, have: undefined, credit: 1_000_000, take: 'any', codecs: 0 } as const
  rig.frame(id, { kind: 'join', ...join, isMovable: true })
}

/** One record after the other, each after so many ms: what children are told of other places meanwhile. */
function stream(rig: Rig, from: number, to: number, everyMs = 500): string[] {
  const sent: string[] = []
  for (let seq = from; seq <= to; seq++) {
    rig.frame(parent, records(seq, seq))
    rig.pass(everyMs)
    sent.push(...redirects(rig))
  }
  return sent
}

/** Redirects since the last time: which link, and where. */
function redirects(rig: Rig): string[] {
  const effects = rig.effects()
  return children.flatMap(id =>
    framesOf(effects, id).flatMap(frame =>
      frame.kind === 'redirect' ? [`${id} to ${frame.to.join(' ')}`] : [],
    ),
  )
}

t.test('over its budget of bytes a proxy sends whoever comes to others', async t => {
  const { rig, recruits } = proxyOf({ bytesPerSecondMax: 100 })
  recruits.push('a')
  t.same(stream(rig, 11, 13), [], 'not yet those that it has')
  come(rig, link(4), 'edge-4')
  t.same(redirects(rig), ['4 to a'])
  t.match(rig.proxy.standingOf(doc), { children: 3 })
  t.ok(rig.proxy.isOverBytes)
  rig.pass(3_000)
  t.notOk(rig.proxy.isOverBytes, 'nothing is sent any more')
  come(rig, link(4), 'edge-4')
  t.same(redirects(rig), [])
})

t.test('after some seconds it sends on those that came last, but one', async t => {
  const { rig, recruits } = proxyOf({ bytesPerSecondMax: 100 })
  recruits.push('a', 'b')
  t.same(stream(rig, 11, 20), ['2 to b a', '3 to a b'])
  t.same(stream(rig, 21, 23), [], 'who was sent on is on its way')
})

t.test('with room for some it keeps as many', async t => {
  const { rig, recruits } = proxyOf({ bytesPerSecondMax: 1_000 })
  recruits.push('a')
  const sent = stream(rig, 11, 20)
  t.same(sent, ['3 to a'])
})

t.test('under its budget it sends on nobody, and at rest it measures nothing', async t => {
  const { rig, recruits } = proxyOf({ bytesPerSecondMax: 1_000_000 })
  recruits.push('a')
  t.same(stream(rig, 11, 30), [])
  rig.pass(20_000)
  come(rig, link(4), 'edge-4')
  t.same(redirects(rig), [])
})

t.test('what another role of the process has counts for nothing', async t => {
  const { rig, recruits } = proxyOf({ bytesPerSecondMax: 100 }, 0)
  recruits.push('a')
  come(rig, link(1), 'me')
  come(rig, link(2), 'me')
  t.same(stream(rig, 11, 30), [])
})

t.test('where nobody has room all stay, until somebody has', async t => {
  const { rig, recruits } = proxyOf({ childrenMax: 2 }, 4)
  t.match(rig.proxy.standingOf(doc), { children: 4 })
  rig.pass(20_000)
  t.same(redirects(rig), [])
  recruits.push('a')
  rig.pass(30_000)
  t.same([...new Set(redirects(rig))], ['3 to a', '4 to a'])
})

t.test('so it is with bytes', async t => {
  const { rig, recruits } = proxyOf({ bytesPerSecondMax: 100 }, 2)
  t.same(stream(rig, 11, 30), [])
  recruits.push('a')
  t.same(stream(rig, 31, 60, 1_000).slice(0, 1), ['2 to a'])
})

t.test('a tier stays while its children would be too many bytes above', async t => {
  const { rig } = proxyOf({ bytesPerSecondMax: 1_000, collapseAfterMs: 2_000 }, 1)
  rig.open(link(2), 239, { node: 'a', roles: ['proxy'] })
  const join = { doc, have: undefined, credit: 1_000_000, take: 'any', codecs: 0 } as const
  rig.frame(link(2), { kind: 'join', ...join, isMovable: true })
  rig.frame(link(2), { kind: 'signal', signal: 'children', doc, value: 4 })
  const isDissolved = (): boolean =>
    framesOf(rig.effects(), link(2)).some(
      frame => frame.kind === 'signal' && frame.signal === 'dissolve',
    )
  for (let seq = 11; seq <= 30; seq++) {
    rig.frame(parent, records(seq, seq))
    rig.pass(500)
    t.notOk(isDissolved())
  }
  rig.pass(10_000)
  t.ok(isDissolved(), 'and then goes')
})
