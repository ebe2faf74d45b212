import t from 'tap'
import { Crossings } from '../src/crossings.ts'
import type { Fault } from '../src/fault.ts'

const crash = (node: string): Fault => ({ kind: 'crash', node, atMs: 0, forMs: 1 })
const drain = (node: string): Fault => ({ kind: 'drain', node, atMs: 0, forMs: 1 })

/** A chain of four nodes, and what happens there. */
function open(faults: readonly Fault[]) {
  const crossings = new Crossings(faults)
  for (const [above, below] of ['ab', 'bc', 'cd']) crossings.join(`${above}`, `${below}`)
  const everywhere = (): void => {
    for (const node of 'abcd') {
      const around = crossings.around(node)
      if (around.mask !== 0) crossings.count(`send by ${node}`, around)
    }
  }
  return { crossings, everywhere }
}

t.test('an effect crosses the faults at its node and at the ones beside it', async t => {
  const { crossings, everywhere } = open([crash('a'), drain('d')])
  everywhere()
  t.same(crossings.entries, [], 'nothing is on')
  crossings.begin(crash('a'))
  everywhere()
  crossings.begin(drain('d'))
  everywhere()
  t.same(crossings.entries, [
    ['send by a', 'crash', 2],
    ['send by b', 'crash', 2],
    ['send by c', 'drain', 1],
    ['send by d', 'drain', 1],
  ])
})

t.test('a fault is on until each that began there has ended', async t => {
  const { crossings, everywhere } = open([crash('a')])
  crossings.begin(crash('a'))
  crossings.begin(crash('b'))
  crossings.end(crash('a'))
  everywhere()
  const counted = [
    ['send by a', 'crash', 1],
    ['send by b', 'crash', 1],
    ['send by c', 'crash', 1],
  ]
  t.same(crossings.entries, counted)
  crossings.end(crash('b'))
  everywhere()
  t.same(crossings.entries, counted)
  t.throws(() => crossings.end(crash('b')), /a crash ends after it began/)
})
