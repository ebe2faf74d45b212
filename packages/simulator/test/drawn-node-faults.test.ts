import { Prng } from '@fanfold/kernel'
import t from 'tap'
import {
  drawDrains,
  drawLogAway,
  drawNodeFaults,
  drawUnreadable,
} from '../src/drawn-node-faults.ts'
import type { NodeFault } from '../src/node-fault.ts'

const tree = { proxies: 3, proxyFanout: 2, edges: 4, viewers: 9, busyMs: 4_000 }
const drawn = (seed: number, form = tree): readonly NodeFault[] =>
  drawNodeFaults(new Prng(`${seed}`), form)

t.test('faults are of nodes that there are, while the world is busy', async t => {
  const nodes = new Set(['authority', 'proxy-0', 'proxy-1', 'proxy-2'])
  for (let edge = 0; edge < 4; edge++) nodes.add(`edge-${edge}`)
  for (let seed = 0; seed < 200; seed++) {
    for (const fault of drawn(seed)) {
      t.ok(nodes.has(fault.node), fault.node)
      t.ok(fault.atMs >= 0 && fault.atMs <= tree.busyMs && fault.forMs >= 0)
      t.same(JSON.parse(JSON.stringify(fault)), fault, 'it is data')
    }
  }
})

t.test('in a world that is busy for a moment, too, nothing is wrong before it begins', async t => {
  const faults = Array.from({ length: 2_000 }, (_, seed) => drawn(seed, { ...tree, busyMs: 100 }))
  t.ok(faults.flat().every(({ atMs }) => atMs >= 0))
})

t.test('a seed draws the same faults each time', async t => {
  t.same(drawn(7), drawn(7))
  t.not(JSON.stringify(drawn(7)), JSON.stringify(drawn(8)))
})

t.test('every kind is drawn, and every role is hit', async t => {
  const faults = Array.from({ length: 400 }, (_, seed) => drawn(seed)).flat()
  t.same(new Set(faults.map(({ kind }) => kind)).size, 10)
  t.same(new Set(faults.map(({ node }) => node.replace(/-\d/, ''))).size, 3)
})

t.test('where there are no proxies none is hit', async t => {
  for (let seed = 0; seed < 50; seed++) {
    const faults = drawn(seed, { ...tree, proxies: 0 })
    t.notOk(faults.some(({ node }) => node.startsWith('proxy')))
  }
})

t.test('drains are those of the authority and of edges, and are in some worlds', async t => {
  const tree = { proxies: 2, proxyFanout: 1, edges: 3, viewers: 4, busyMs: 1_000 }
  const worlds = Array.from({ length: 100 }, (_, n) => drawDrains(new Prng(`drains ${n}`), tree))
  const some = worlds.filter(({ length }) => length > 0).length
  t.ok(some > 20 && some < 60, `${some} of 100`)
  const nodes = new Set(worlds.flat().map(({ node }) => node))
  t.same([...nodes].sort(), ['authority', 'edge-0', 'edge-1', 'edge-2'])
  t.ok(worlds.flat().every(({ kind, forMs }) => kind === 'drain' && forMs >= 300))
})

t.test(
  'disks that fail to read are the authority’s and proxies’, often as their node starts',
  async t => {
    const worlds = Array.from({ length: 200 }, (_, n) => drawUnreadable(new Prng(`${n}`), tree))
    const some = worlds.filter(({ length }) => length > 0).length
    t.ok(some > 50 && some < 110, `${some} of 200`)
    const faults = worlds.flat()
    t.same(new Set(faults.map(({ kind }) => kind)), new Set(['disk-unreadable', 'crash']))
    const nodes = [...new Set(faults.map(({ node }) => node))]
    t.same(nodes.sort(), ['authority', 'proxy-0', 'proxy-1', 'proxy-2'])
    for (const [index, { kind, node, atMs, forMs }] of faults.entries()) {
      const failing = faults[index - 1]
      if (kind !== 'crash' || failing === undefined) continue
      t.same([failing.kind, failing.node, failing.atMs], ['disk-unreadable', node, atMs])
      t.ok(forMs <= failing.forMs, 'it is back before the disk is')
    }
    t.same(
      drawUnreadable(new Prng('0'), { ...tree, proxies: 0 }).filter(
        ({ node }) => node !== 'authority',
      ),
      [],
    )
  },
)

t.test('a log is out of reach in some worlds, at times while its authority crashes', async t => {
  const worlds = Array.from({ length: 200 }, (_, n) => drawLogAway(new Prng(`${n}`), tree))
  const some = worlds.filter(({ length }) => length > 0).length
  t.ok(some > 35 && some < 85, `${some} of 200`)
  const faults = worlds.flat()
  t.same(new Set(faults.map(({ kind }) => kind)), new Set(['log-away', 'crash']))
  t.ok(faults.every(({ node, atMs }) => node === 'authority' && atMs <= 0.9 * tree.busyMs))
  const away = faults.filter(({ kind }) => kind === 'log-away')
  const long = away.filter(({ forMs }) => forMs > 1_000).length
  t.ok(long > away.length / 4 && long < away.length, `${long} of ${away.length} are long`)
})
