import fc from 'fast-check'
import t from 'tap'
import { treeShares } from '../src/tree-shares.ts'

const child = fc.record({
  peer: fc.record({ roles: fc.constantFrom(['proxy'], ['edge'], ['proxy', 'edge']) }),
  edgesBelow: fc.nat(1_000),
})

await t.test(
  'no more is dealt out than there is, and everybody who is asked has a place',
  async t => {
    const property = fc.property(fc.array(child), fc.nat(600), (children, entriesMax) => {
      const shares = treeShares(children, entriesMax)
      const dealt = shares.reduce((sum, { entries }) => sum + entries, 0)
      return (
        dealt <= entriesMax &&
        shares.length === Math.min(children.length, entriesMax) &&
        shares.every(({ entries }) => entries >= 1)
      )
    })
    t.doesNotThrow(() => fc.assert(property))
  },
)

const proxy = (edgesBelow: number) => ({ peer: { roles: ['proxy'] }, edgesBelow })
const edge = { peer: { roles: ['edge'] }, edgesBelow: 1_000 }

await t.test('an edge has a place for itself, and proxies the rest', async t => {
  const shares = treeShares([edge, proxy(92), proxy(0)], 111)
  t.same(
    shares.map(({ entries }) => entries),
    [101, 9, 1],
    'in proportion to what is below them',
  )
})

await t.test('where there is not room for all, proxies are asked first', async t => {
  const children = [edge, edge, proxy(0), proxy(5)]
  t.same(
    treeShares(children, 3).map(({ child }) => child),
    [children[3], children[2], edge],
  )
  t.same(treeShares(children, 0), [])
})
