import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { drawFleetFaults, drawLogLosses } from '../src/drawn-fleet-faults.ts'
import { endOfMs } from '../src/fault.ts'
import { isFleetFault } from '../src/fleet-fault.ts'

const tree = { authorities: 3, proxies: 3, proxyFanout: 2, edges: 4, viewers: 9, busyMs: 20_000 }
const worlds = Array.from({ length: 300 }, (_, seed) =>
  drawFleetFaults(new Prng(`fleet ${seed}`), tree),
)
const all = worlds.flat()

t.test('they are of nodes that there are, or of all, while the world is busy', async t => {
  const names = ['authority', 'authority-1', 'authority-2', 'proxy-0', 'proxy-1', 'proxy-2', '*']
  const known = new Set([...names, 'edge-0', 'edge-1', 'edge-2', 'edge-3'])
  for (const fault of all) {
    for (const value of Object.values(fault).slice(1)) {
      if (typeof value === 'string') t.ok(known.has(value), value)
    }
    t.ok(fault.atMs > 0 && fault.atMs < tree.busyMs)
    t.same(JSON.parse(JSON.stringify(fault)), fault, 'it is data')
  }
})

t.test('every kind is drawn, some that last longer than a death takes', async t => {
  const kinds = new Set(all.map(({ kind }) => kind))
  const expected = ['coordinator-away', 'coordinator-emptied', 'crash', 'cut', 'log-away', 'pause']
  t.same([...kinds].sort(), expected)
  t.ok(all.some(fault => endOfMs(fault) - fault.atMs > 8_000))
  t.ok(all.some(fault => isFleetFault(fault) && 'node' in fault && fault.node === '*'))
  t.ok(
    worlds.some(({ length }) => length === 0),
    'some worlds have none',
  )
})

t.test('only authorities lose their logs', async t => {
  const nodes = all.flatMap(fault => (fault.kind === 'log-away' ? [fault.node] : []))
  t.ok(nodes.length > 0 && nodes.every(node => node.startsWith('authority')))
})

t.test('in some worlds logs lose what they had, while the world is busy', async t => {
  const losses = Array.from({ length: 300 }, (_, seed) =>
    drawLogLosses(new Prng(`fleet ${seed}`), tree),
  )
  const some = losses.filter(({ length }) => length > 0)
  t.ok(some.length > 30 && some.length < 150)
  for (const fault of some.flat()) {
    t.match(fault, { kind: 'logs-fallen-back' })
    t.ok(fault.atMs > 0 && fault.atMs < tree.busyMs)
    t.ok('byMs' in fault && fault.byMs >= 0 && fault.byMs <= 2_000)
    t.ok(isFleetFault(fault))
  }
})
