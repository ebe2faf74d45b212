import t from 'tap'
import { findCycle } from '../src/rule-cycle.ts'

t.test('a way back is found, wherever the search begins', async t => {
  t.equal(findCycle([]), undefined)
  t.equal(findCycle([[1, 2], [2], []]), undefined)
  t.same(findCycle([[0]]), [0])
  t.same(findCycle([[1], [2], [3], [1]]), [1, 2, 3])
})

t.test('many ways to one node cost no more than each edge once', async t => {
  const layers = 40
  const graph = Array.from({ length: layers * 2 }, (_, node) => {
    const next = (Math.floor(node / 2) + 1) * 2
    return next < layers * 2 ? [next, next + 1] : []
  })
  t.equal(findCycle(graph), undefined)
})
