import { instant } from '@fanfold/kernel'
import t from 'tap'
import { Crossings } from '../src/crossings.ts'
import type { Fault } from '../src/fault.ts'

const crash = (node: string, forMs = 1): Fault => ({ kind: 'crash', node, atMs: 0, forMs })
const drain = (node: string, forMs = 1): Fault => ({ kind: 'drain', node, atMs: 0, forMs })

/** A chain of four nodes, each of which does something. */
function open(faults: readonly Fault[]) {
  const crossings = new Crossings(faults)
  for (const [above = '', below = ''] of ['ab', 'bc', 'cd'].map(pair => [...pair])) {
    crossings.join(above, below)
  }
  const everywhere = (atMs: number): void => {
    for (const node of 'abcd') {
      if (crossings.around(node).mask === 0) continue
      crossings.count(`send by ${node}`, node, instant(atMs * 1000))
    }
  }
  return { crossings, everywhere }
}

t.test('an effect crosses the faults at its node and at the ones beside it', async t => {
  const { crossings, everywhere } = open([crash('a'), drain('d')])
  everywhere(0)
  t.same(crossings.entries, [], 'nothing is on')
  crossings.begin(crash('a'), instant(0))
  everywhere(0)
  crossings.begin(drain('d'), instant(0))
  everywhere(0)
  t.same(crossings.entries, [
    ['send by a', 'crash', 2],
    ['send by b', 'crash', 2],
    ['send by c', 'drain', 1],
    ['send by d', 'drain', 1],
  ])
})

t.test('a fault that names no node is at all of them', async t => {
  const { crossings, everywhere } = open([crash('*')])
  crossings.begin(crash('*'), instant(0))
  everywhere(0)
  t.equal(crossings.entries.length, 4)
})

t.test('a fault is felt until a second after the last of its kind has ended', async t => {
  const { crossings, everywhere } = open([crash('a')])
  crossings.begin(crash('a', 500), instant(0))
  crossings.begin(crash('a', 100), instant(0))
  everywhere(1_499)
  const felt = [
    ['send by a', 'crash', 1],
    ['send by b', 'crash', 1],
  ]
  t.same(crossings.entries, felt)
  everywhere(1_500)
  t.same(crossings.entries, felt)
  t.equal(crossings.around('a').mask, 0)
})

t.test('a fault of a viewer is at the edges, and above them', async t => {
  const fault: Fault = { kind: 'sever', from: 'viewer-1', to: '*', atMs: 0 }
  const crossings = new Crossings([fault])
  crossings.join('authority', 'proxy-0')
  crossings.join('proxy-0', 'edge-0')
  crossings.begin(fault, instant(0))
  const names = ['authority', 'proxy-0', 'edge-0']
  t.same(
    names.map(name => crossings.around(name).mask > 0),
    [false, true, true],
  )
})
