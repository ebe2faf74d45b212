import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { drawLinkFaults } from '../src/drawn-link-faults.ts'
import { linkFaultKinds } from '../src/fault.ts'
import { firstParentOf } from '../src/tree-form.ts'

const tree = { proxies: 4, proxyFanout: 2, edges: 6, viewers: 10, busyMs: 4_000 }

t.test('every kind is drawn, in time, and for nodes that there are', async t => {
  const faults = Array.from({ length: 60 }, (_, seed) =>
    drawLinkFaults(new Prng(`${seed}`), tree),
  ).flat()
  t.same(new Set(faults.map(({ kind }) => kind)), linkFaultKinds)
  for (const fault of faults) {
    t.ok(fault.atMs > 0 && fault.atMs < 60_000)
    const names = 'node' in fault ? [fault.node] : [fault.from, fault.to]
    for (const name of names) t.match(name, /^(\*|authority|proxy-[0-3]|edge-[0-5]|viewer-\d)$/)
    if ('forMs' in fault) t.ok(fault.forMs >= 10)
  }
})

t.test('a tree without proxies and viewers has links that fail, too', async t => {
  const small = { ...tree, proxies: 0, edges: 1, viewers: 0 }
  for (let seed = 0; seed < 50; seed++) {
    t.ok(drawLinkFaults(new Prng(`${seed}`), small).every(({ atMs }) => atMs > 0))
  }
})

t.test('parents are found by name', async t => {
  t.same(
    ['proxy-0', 'proxy-1', 'proxy-2', 'proxy-3', 'edge-0', 'edge-5'].map(node =>
      firstParentOf(node, tree),
    ),
    ['authority', 'authority', 'proxy-0', 'proxy-0', 'proxy-0', 'proxy-1'],
  )
  t.equal(firstParentOf('edge-3', { proxies: 0, proxyFanout: 1 }), 'authority')
})
