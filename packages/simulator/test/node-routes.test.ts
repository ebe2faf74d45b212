import { Prng } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { NodeRoutes } from '../src/node-routes.ts'

const keys = Array.from({ length: 9 }, (_, index) => parseDocumentKey(`acme/board/${index}`))
const routesOf = (routes: NodeRoutes): string[] => keys.map(key => routes.routeOf(key).join(' '))

t.test('documents have different routes, each of all parents', async t => {
  const routes = new NodeRoutes(['a', 'b', 'c'], new Prng('routes'))
  t.same(new Set(routesOf(routes)), new Set(['a b c', 'b c a', 'c a b']))
  t.same(routesOf(routes), routesOf(routes), 'the same while nothing changes')
})

t.test(
  'changes bring other orders and fewer parents, and in the end there are all again',
  async t => {
    const routes = new NodeRoutes(['a', 'b', 'c'], new Prng('routes'))
    const lengths = new Set<number>()
    const firsts = new Set<string>()
    for (let change = 0; change < 100; change++) {
      routes.change()
      const route = routes.routeOf(keys[0] ?? parseDocumentKey('acme/board/0'))
      lengths.add(route.length)
      if (route[0] !== undefined) firsts.add(route[0])
    }
    t.same([...lengths].toSorted(), [0, 1, 2, 3])
    t.same([...firsts].toSorted(), ['a', 'b', 'c'])
    routes.heal()
    t.same(new Set(routesOf(routes)), new Set(['a b c', 'b c a', 'c a b']))
  },
)
