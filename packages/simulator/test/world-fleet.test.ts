import { sha256 } from '@fanfold/conformance'
import { instant } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { drawWorld } from '../src/drawn-world.ts'
import type { Fault } from '../src/fault.ts'
import { simulate } from '../src/simulate.ts'
import { completeOptions } from '../src/simulation-options.ts'
import { World } from '../src/world.ts'

const doc = parseDocumentKey('acme/board/final')

/** A fleet of two authorities and two regions in which nobody writes and nobody observes. */
function makeFleet(seed: string, faults: readonly Fault[] = []) {
  const options = completeOptions({
    redial: 'fleet',
    authorities: 2,
    regions: 2,
    proxies: 4,
    edges: 4,
    viewers: 0,
    writes: 0,
    faults,
  })
  const world = new World(seed, options, sha256)
  const pass = (ms: number): void => world.clock.runUntil(instant(world.clock.now + ms * 1_000))
  const begin = (): void => {
    for (const fault of faults) world.begin(fault)
  }
  const end = (): void => {
    for (const fault of faults) world.endOf(fault)
  }
  return { world, pass, begin, end }
}

t.test('members find each other, and each document has one owner', async t => {
  const { world, pass } = makeFleet('meet')
  t.match(world.unsettled, /knows only|not sure/)
  pass(3_000)
  t.equal(world.unsettled, undefined)
  const owners = new Set(world.authorities.map(authority => authority.leadsTo(doc)))
  t.equal(owners.size, 1)
  t.ok(world.authorities.some(({ name }) => owners.has(name)))
})

t.test('an authority that ends is missed at once, and is back when it is started', async t => {
  const crash: Fault = { kind: 'crash', node: 'authority-1', atMs: 3_000, forMs: 9_000 }
  const { world, pass, begin, end } = makeFleet('end', [crash])
  pass(3_000)
  begin()
  pass(1_000)
  t.equal(world.authority.leadsTo(doc), 'authority', 'the link to it says so')
  t.equal(world.tally.count('member-left silent'), 0)
  pass(8_000)
  t.ok(world.tally.count('member-left silent') > 0, 'to who has no link to it, its silence')
  end()
  pass(3_000)
  t.equal(world.unsettled, undefined)
  t.same(world.problems.messages, [], 'one that is gone is silent by right')
})

t.test('who is given up for nothing is a problem', async t => {
  const { world, pass } = makeFleet('nothing')
  pass(3_000)
  world.authorities[1]?.node.stop()
  pass(9_000)
  t.match(world.problems.messages[0], /gives up authority-1, which was never silent/)
})

t.test('while nobody reaches the place to meet nobody is given up', async t => {
  const away: Fault = { kind: 'coordinator-away', node: '*', atMs: 0, forMs: 20_000 }
  const { world, pass, begin, end } = makeFleet('away', [away])
  pass(3_000)
  begin()
  pass(20_000)
  t.match(world.unsettled, /not sure/, 'and nobody is sure of being seen')
  for (const { node } of world.authorities) t.equal(node.member?.view.members.length, 10)
  end()
  pass(5_000)
  t.equal(world.unsettled, undefined)
  t.same(world.problems.messages, [])
})

t.test('who alone does not reach it is given up by the others, and knows them still', async t => {
  const away: Fault = { kind: 'coordinator-away', node: 'authority-1', atMs: 0, forMs: 20_000 }
  const { world, pass, begin, end } = makeFleet('alone', [away])
  pass(3_000)
  begin()
  pass(10_000)
  const [first, second] = world.authorities
  t.equal(first?.leadsTo(doc), 'authority')
  t.equal(second?.node.member?.view.members.length, 10)
  t.notOk(second?.node.member?.isSettled)
  end()
  pass(5_000)
  t.equal(world.unsettled, undefined)
  t.same(world.problems.messages, [])
})

t.test('a place that was emptied fills again before anybody is given up', async t => {
  const emptied: Fault = { kind: 'coordinator-emptied', atMs: 0 }
  const { world, pass, begin } = makeFleet('emptied', [emptied])
  pass(3_000)
  begin()
  pass(10_000)
  t.equal(world.unsettled, undefined)
  t.equal(world.tally.count('member-left'), 0)
  t.same(world.problems.messages, [])
})

t.test('what logs have lost is taken back everywhere, and said by who had written it', async t => {
  const lost: Fault = { kind: 'logs-fallen-back', atMs: 2_500, byMs: 600 }
  const { problems, tally } = simulate({
    ...drawWorld({ world: 'fleet', seed: 'losses', nodes: undefined }),
    seed: 'losses',
    sha256,
    busyMs: 4_000,
    writes: 200,
    faults: [lost],
  })
  const counts = new Map(tally)
  t.same(problems, [])
  t.ok((counts.get('acknowledged write lost by a log') ?? 0) > 0)
  t.ok((counts.get('document-refused FANFOLD_LOG_LOST') ?? 0) > 0)
})
