import t from 'tap'
import { sayingsMax } from '../src/board.ts'
import { drawWorld, isWorldName, numberedSeed, worldNames } from '../src/drawn-world.ts'

t.test('a seed draws the same options each time, another one others', async t => {
  for (const world of worldNames) {
    const drawn = (number: number) =>
      drawWorld({ world, seed: numberedSeed(world, number), nodes: undefined })
    t.same(drawn(1), drawn(1))
    const different = new Set(Array.from({ length: 40 }, (_, n) => JSON.stringify(drawn(n))))
    t.ok(different.size >= 38, `${different.size} of 40 differ`)
  }
})

t.test('a number of nodes says how large a world is, and nothing else', async t => {
  // What goes wrong in the third kind is drawn for its tree.
  for (const world of ['random', 'catch-up'] as const) {
    for (const nodes of [2, 3, 24, 200]) {
      const seed = numberedSeed(world, 3)
      const drawn = drawWorld({ world, seed, nodes })
      const { proxies, edges, proxyFanout, viewers, writes, documents, eventsMin, ...rest } = drawn
      t.equal((proxies ?? 0) + (edges ?? 0), nodes)
      t.ok((writes ?? 0) <= 40 && (documents ?? 0) <= 3 && eventsMin === 5_000, 'and no longer')
      t.ok((edges ?? 0) >= 1 && (proxies ?? 0) >= 1)
      t.ok((proxyFanout ?? 0) >= 2, 'wide rather than deep')
      t.match(drawWorld({ world, seed, nodes: undefined }), rest)
    }
    t.throws(() => drawWorld({ world, seed: 'one', nodes: 1 }), /2 nodes or more, got 1/)
  }
})

t.test('where nobody observes, nobody observes a larger tree either', async t => {
  const seeds = Array.from({ length: 100 }, (_, number) => numberedSeed('random', number))
  const silent = seeds.filter(
    seed => drawWorld({ world: 'random', seed, nodes: undefined }).viewers === 0,
  )
  t.ok(silent.length > 0)
  for (const seed of silent) t.equal(drawWorld({ world: 'random', seed, nodes: 12 }).viewers, 0)
})

t.test('only worlds that are drawn have names', async t => {
  t.ok(worldNames.every(isWorldName))
  t.notOk(isWorldName('moon'))
})

t.test('documents are deleted in some worlds of faults, and in no others', async t => {
  const deletionsOf = (world: (typeof worldNames)[number]) =>
    Array.from(
      { length: 100 },
      (_, number) =>
        drawWorld({ world, seed: numberedSeed(world, number), nodes: undefined }).deletions ?? 0,
    )
  const some = deletionsOf('faults').filter(count => count > 0).length
  t.ok(some > 10 && some < 60, `${some} of 100`)
  t.ok([...deletionsOf('random'), ...deletionsOf('catch-up')].every(count => count === 0))
})

t.test(
  'viewers say something in all worlds of crowds, in some others, and never too much',
  async t => {
    const sayingsOf = (world: (typeof worldNames)[number]) =>
      Array.from({ length: 60 }, (_, number) => {
        const seed = numberedSeed(world, number)
        return drawWorld({ world, seed, nodes: undefined }).sayings ?? 0
      })
    t.ok(sayingsOf('crowd').every(sayings => sayings > 0 && sayings < sayingsMax))
    t.ok(sayingsOf('catch-up').every(sayings => sayings === 0))
    for (const world of ['random', 'faults', 'fleet'] as const) {
      const speaking = sayingsOf(world).filter(sayings => sayings > 0).length
      t.ok(speaking > 3 && speaking < 30, `${speaking} of 60 ${world}`)
    }
  },
)
