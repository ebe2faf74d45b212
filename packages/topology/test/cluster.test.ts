import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { Cluster, renewedForMsOf } from '../src/cluster.ts'
import type { ClusterEffect } from '../src/cluster-effect.ts'
import { encodeMember } from '../src/member.ts'
import { defaultMembersOptions } from '../src/members.ts'
import { entryOf, incarnationOf, memberOf } from './arbitraries.ts'
import { areAgreed, docs, Fleet, type FleetNode } from './fleet.ts'

await t.test('nodes that start find each other and agree', async t => {
  const nodes = new Fleet().startAll('a', 'b', 'c')
  for (const node of nodes) t.same(node.alive, ['a', 'b', 'c'])
  t.ok(areAgreed(nodes))
})

await t.test(
  'a node has no view before it has heard who is there and was itself taken',
  async t => {
    const fleet = new Fleet()
    fleet.space.setUnreachable('not yet')
    const [node] = fleet.startAll('a')
    fleet.time.pass(60_000)
    t.equal(node?.cluster.placement, undefined)
    t.equal(node?.cluster.renewedUntil, undefined)
    fleet.space.setUnreachable(undefined)
    fleet.time.pass(1_100)
    t.same(node?.alive, ['a'])
  },
)

await t.test('a node that is alone owns everything, and stays as it is', async t => {
  const fleet = new Fleet()
  const [node] = fleet.startAll('a')
  fleet.time.pass(60_000)
  t.ok(docs.every(doc => node?.cluster.placement?.ownerNameOf(doc) === 'a'))
  t.equal(node?.viewCount, 1)
  t.ok(node?.cluster.isSure(fleet.time.now()))
  t.same(node?.events, [])
})

await t.test('while all is well views do not change, however busy the nodes are', async t => {
  const fleet = new Fleet()
  const nodes = fleet.startAll('a', 'b', 'c')
  const counts = nodes.map(node => node.viewCount)
  for (let second = 0; second < 60; second++) {
    for (const [index, node] of nodes.entries()) {
      const load = { documents: second, viewers: index, children: 1, bytesPerSecond: second }
      node.give({ kind: 'load-measured', load })
    }
    fleet.time.pass(1_000)
  }
  t.same(
    nodes.map(node => node.viewCount),
    counts,
  )
  const load = nodes[0]?.cluster.placement?.member('b')?.load
  t.ok(load !== undefined, 'the load is known')
})

await t.test(
  'who is killed is gone after 5 seconds, and its documents go to who stood by',
  async t => {
    const fleet = new Fleet()
    const [a, b, c] = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
    const before = docs.map(doc => a.cluster.placement?.ownerOf(doc))
    c.kill()
    fleet.time.pass(3_900)
    t.same(a.alive, ['a', 'b', 'c'])
    fleet.time.pass(1_200)
    t.same(a.alive, ['a', 'b'])
    t.same(b.alive, ['a', 'b'])
    for (const [index, doc] of docs.entries()) {
      const was = before[index]
      const expected = was?.owner?.node === 'c' ? was.standby?.node : was?.owner?.node
      t.equal(a.cluster.placement?.ownerNameOf(doc), expected)
    }
  },
)

await t.test(
  'a connection that closed asks for a dial, and a refused one ends the member',
  async t => {
    const fleet = new Fleet()
    const [a, , c] = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
    c.kill()
    a.give({ kind: 'peer-lost', node: 'c' })
    a.give({ kind: 'peer-lost', node: 'c' })
    t.same(a.of('dial-member'), [
      { kind: 'dial-member', node: 'c', incarnation: incarnationOf(3), address: 'ws://c:9600' },
    ])
    fleet.time.pass(20)
    a.give({
      kind: 'member-dialled',
      node: 'c',
      incarnation: incarnationOf(3),
      outcome: 'refused',
    })
    t.same(a.alive, ['a', 'b'])
    fleet.time.pass(10_000)
    t.same(a.alive, ['a', 'b'], 'what it had said does not bring it back')
    a.give({ kind: 'peer-lost', node: 'a' })
    t.equal(a.of('dial-member').length, 1, 'nobody dials itself')
  },
)

await t.test('who leaves is gone at once, and was told to have', async t => {
  const fleet = new Fleet()
  const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
  b.give({ kind: 'leave' })
  t.notOk(b.cluster.isSure(fleet.time.now()))
  fleet.time.pass(10)
  t.same(a.alive, ['a'])
  t.match(a.of('view-changed').at(-1)?.members, [{ kind: 'member-left', why: 'withdrawn' }])
  fleet.time.pass(10_000)
  t.same(a.alive, ['a'])
})

await t.test('who drains says so at once', async t => {
  const fleet = new Fleet()
  const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
  b.give({ kind: 'self-changed', changes: { isDraining: true } })
  // So long a coordinator may wait for more that is announced.
  fleet.time.pass(60)
  t.ok(docs.every(doc => a.cluster.placement?.ownerNameOf(doc) === 'a'))
  t.same(a.alive, ['a', 'b'])
  t.ok(areAgreed([a, b]))
})

await t.test('a restart replaces: the view has as many members as before, and agrees', async t => {
  const fleet = new Fleet()
  const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
  const owners = docs.map(doc => a.cluster.placement?.ownerNameOf(doc))
  for (let round = 0; round < 5; round++) {
    const again = round === 0 ? b : undefined
    again?.kill()
    fleet.time.pass(300)
    const restarted = fleet.start('b', { address: `ws://b-${round}:9600` })
    fleet.time.pass(1_500)
    t.same(a.alive, ['a', 'b'])
    t.equal(a.cluster.placement?.member('b')?.address, `ws://b-${round}:9600`)
    t.same(
      docs.map(doc => a.cluster.placement?.ownerNameOf(doc)),
      owners,
    )
    restarted.kill()
  }
  t.notOk(a.events.includes('member-cloned'))
})

await t.test('of a node and its clone the later one is refused, with a remedy', async t => {
  const fleet = new Fleet()
  const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
  fleet.time.pass(10_000)
  const clone = fleet.start('b', { address: 'ws://clone:9600' })
  fleet.time.pass(4_000)
  t.match(clone.of('node-refused'), [
    {
      code: 'FANFOLD_NODE_CLONED',
      message:
        'node id b is in use at ws://b:9600, by an incarnation that started before this one; give this node a node id of its own, and a data directory that is no copy',
    },
  ])
  t.notOk(clone.cluster.isSure(fleet.time.now()))
  t.same(b.of('node-refused'), [])
  t.ok(b.cluster.isSure(fleet.time.now()))
  for (const node of [a, b]) {
    t.ok(node.events.includes('member-cloned'))
    t.equal(node.cluster.placement?.member('b')?.address, 'ws://b:9600')
    t.same(node.alive, ['a', 'b'])
  }
  const counts = [a.viewCount, b.viewCount]
  fleet.time.pass(20_000)
  t.same([a.viewCount, b.viewCount], counts, 'and all is quiet')
})

await t.test('without a coordinator nobody dies, and nobody is sure', async t => {
  const fleet = new Fleet()
  const [a, b, c] = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
  const owners = docs.map(doc => a.cluster.placement?.ownerNameOf(doc))
  const counts = [a, b, c].map(node => node.viewCount)
  fleet.space.setUnreachable('pulled out')
  fleet.time.pass(3_500)
  t.ok(a.cluster.isFrozen)
  fleet.time.pass(56_500)
  t.notOk(a.cluster.isSure(fleet.time.now()))
  t.same(
    [a, b, c].map(node => node.viewCount),
    counts,
  )
  t.ok((a.cluster.knownForMs(fleet.time.now()) ?? 0) >= 59_000)
  t.same(
    a.of('certainty-changed').map(({ isSure }) => isSure),
    [true, false],
  )
  fleet.space.setUnreachable(undefined)
  fleet.time.pass(1_100)
  for (const [index, node] of [a, b, c].entries()) {
    t.notOk(node.cluster.isFrozen)
    t.ok(node.cluster.isSure(fleet.time.now()))
    t.equal(node.viewCount, counts[index])
    t.same(node.events, ['coordinator-lost', 'view-frozen', 'coordinator-found', 'view-thawed'])
  }
  t.same(
    docs.map(doc => a.cluster.placement?.ownerNameOf(doc)),
    owners,
  )
})

await t.test(
  'who died while the coordinator was lost dies 5 seconds after it is found',
  async t => {
    const fleet = new Fleet()
    const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
    fleet.space.setUnreachable('pulled out')
    fleet.time.pass(1_000)
    b.kill()
    fleet.time.pass(60_000)
    fleet.space.setUnreachable(undefined)
    fleet.time.pass(4_900)
    t.same(a.alive, ['a', 'b'])
    fleet.time.pass(1_200)
    t.same(a.alive, ['a'])
  },
)

await t.test('after an outage the announcements come spread over a heartbeat', async t => {
  const fleet = new Fleet()
  const names = Array.from({ length: 40 }, (_, index) => `node-${index}`)
  const nodes = fleet.startAll(...names)
  fleet.space.setUnreachable('pulled out')
  fleet.time.pass(10_000)
  const sentOf = () => nodes.map(node => node.of('coordinator-announce').length)
  const before = sentOf()
  fleet.space.setUnreachable(undefined)
  fleet.time.pass(500)
  const early = sentOf().filter((count, index) => count > (before[index] ?? 0)).length
  t.ok(early > 8 && early < 32, `${early} of 40 in the first half`)
  fleet.time.pass(501)
  t.ok(sentOf().every((count, index) => count === (before[index] ?? 0) + 1))
})

await t.test('a process that stood still declares nobody dead when it goes on', async t => {
  const fleet = new Fleet()
  const [a, b, c] = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
  const count = a.viewCount
  a.stop()
  fleet.time.pass(30_000)
  t.same(b.alive, ['b', 'c'], 'the others have given it up')
  a.continue()
  t.notOk(a.cluster.isSure(fleet.time.now()))
  t.same(a.alive, ['a', 'b', 'c'])
  fleet.time.pass(2_000)
  t.equal(
    a
      .of('view-changed')
      .slice(count)
      .flatMap(({ members }) => members).length,
    0,
  )
  for (const node of [a, b, c]) t.same(node.alive, ['a', 'b', 'c'])
  t.ok(a.cluster.isSure(fleet.time.now()))
})

await t.test('a node is unsure of itself before the others give it up', async t => {
  const fleet = new Fleet()
  const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
  let unsureAt = 0
  let goneAt = 0
  a.stop()
  for (let ms = 10; goneAt === 0; ms += 10) {
    fleet.time.pass(10)
    if (unsureAt === 0 && !a.cluster.isSure(fleet.time.now())) unsureAt = ms
    if (!b.alive.includes('a')) goneAt = ms
  }
  t.ok(unsureAt > 0 && unsureAt <= goneAt - 900, `${unsureAt} and ${goneAt} ms`)
})

await t.test('a coordinator that takes no announcements is one that says nothing', async t => {
  const cluster = new Cluster({
    self: memberOf({ node: 'a', incarnation: incarnationOf(1) }),
    members: defaultMembersOptions,
    renewedForMs: renewedForMsOf(defaultMembersOptions),
    startedAt: new Fleet().time.now(),
    prng: new Prng('a'),
  })
  const { time } = new Fleet()
  cluster.tick(time.now(), [])
  const heard = { kind: 'members-heard', members: [] } as const
  cluster.receive({ kind: 'placements-read', isWhole: true, placements: [] }, time.now(), [])
  cluster.receive({ kind: 'announced', announcement: 1 as never }, time.now(), [])
  cluster.receive(heard, time.now(), [])
  for (let second = 0; second < 20; second++) {
    time.pass(1_000)
    cluster.tick(time.now(), [])
    cluster.receive(heard, time.now(), [])
  }
  t.ok(cluster.isFrozen)
  t.equal([...(cluster.placement?.members ?? [])].length, 1)
})

await t.test('nobody is dead on word that has not come', async t => {
  for (const isAlive of [true, false]) {
    const { time } = new Fleet()
    const cluster = new Cluster({
      self: memberOf({ node: 'a', incarnation: incarnationOf(1) }),
      members: defaultMembersOptions,
      renewedForMs: renewedForMsOf(defaultMembersOptions),
      startedAt: time.now(),
      prng: new Prng('a'),
    })
    const word = (upMs: number) =>
      encodeMember(memberOf({ node: 'b', incarnation: incarnationOf(2), upMs }))
    let announcements = 0
    let own: Uint8Array = Buffer.from('')
    type Told = { readonly bytes: Uint8Array; readonly ageMs: number }
    /** What is announced is taken; when something is told of b, so is that. */
    const pass = (ms: number, told?: Told) => {
      time.pass(ms)
      const effects: ClusterEffect[] = []
      cluster.tick(time.now(), effects)
      for (const effect of effects) {
        if (effect.kind !== 'coordinator-announce') continue
        own = effect.bytes
        const announcement = ++announcements as never
        cluster.receive({ kind: 'announced', announcement }, time.now(), [])
      }
      if (told !== undefined) {
        const members = [told, { bytes: own, ageMs: 0 }]
        cluster.receive({ kind: 'members-heard', members }, time.now(), [])
      }
      cluster.tick(time.now(), [])
    }
    const alive = () => [...(cluster.placement?.members ?? [])].map(({ node }) => node).toSorted()
    cluster.receive({ kind: 'placements-read', isWhole: true, placements: [] }, time.now(), [])
    const first = word(0)
    pass(0, { bytes: first, ageMs: 0 })
    for (let ms = 1_000; ms <= 3_000; ms += 1_000) pass(1_000, { bytes: first, ageMs: ms })
    pass(1_000)
    pass(1_200)
    t.same(alive(), ['a', 'b'], 'what was said since the last reading is not known')
    t.notOk(cluster.isFrozen)
    pass(100, isAlive ? { bytes: word(4_900), ageMs: 400 } : { bytes: first, ageMs: 5_300 })
    t.same(alive(), isAlive ? ['a', 'b'] : ['a'])
  }
})

await t.test(
  'an announcement and a placement that nobody can read are told, and no more',
  async t => {
    const fleet = new Fleet()
    const [a] = fleet.startAll('a') as [FleetNode]
    const bytes = Buffer.from('{"node":7}')
    a.give({ kind: 'members-heard', members: [{ bytes, ageMs: 0 }] })
    for (const kept of [
      { subject: 'acme', version: 1, bytes },
      { subject: 'acme', version: 2, bytes: Buffer.from(JSON.stringify(entryOf())) },
    ]) {
      a.give({ kind: 'placements-read', isWhole: false, placements: [kept] })
    }
    t.same(a.events, ['member-unreadable', 'placement-unreadable', 'placement-unreadable'])
    t.same(a.alive, ['a'])
    t.same([...(a.cluster.placement?.entries ?? [])], [])
  },
)

await t.test('timers that contradict each other are refused', async t => {
  const { time } = new Fleet()
  const made = (renewedForMs: number, members = defaultMembersOptions) =>
    new Cluster({
      self: memberOf(),
      members,
      renewedForMs,
      startedAt: time.now(),
      prng: new Prng(''),
    })
  t.throws(() => made(5_000), /less than memberDeadAfterMs, got 5000 and 5000/)
  t.throws(() => made(1_999), /at least 2 heartbeats, got 1999 and heartbeatMs 1000/)
  const quick = { ...defaultMembersOptions, heartbeatMs: 500, memberDeadAfterMs: 2_999 }
  t.throws(() => made(2_000, quick), /a coordinator may be silent, got 2999 and 1000/)
  t.ok(made(2_000, { ...quick, memberDeadAfterMs: 3_000 }))
})

t.test('who starts after an interruption knows those who were there before it', async t => {
  const fleet = new Fleet()
  fleet.startAll('a', 'b', 'c')
  fleet.time.pass(3_000)
  fleet.space.setUnreachable('away')
  fleet.time.pass(8_000)
  const late = fleet.start('d')
  fleet.time.pass(2_000)
  fleet.space.setUnreachable(undefined)
  fleet.time.pass(10_000)
  const [first] = late.of('view-changed')
  const known = [...(first?.placement.members ?? [])].map(({ node }) => node).toSorted()
  t.same(known, ['a', 'b', 'c', 'd'], 'in its first view')
  const changes = late.of('view-changed').flatMap(({ members }) => members)
  t.notOk(changes.some(({ kind }) => kind === 'member-left'))
  t.notOk(late.events.includes('view-thawed'), 'nothing of it is worth a word')
})

t.test(
  'who starts does not take for alive who has been silent while others were heard',
  async t => {
    const fleet = new Fleet()
    const [, dead] = fleet.startAll('a', 'b', 'c')
    fleet.time.pass(3_000)
    dead?.kill()
    fleet.time.pass(7_000)
    const late = fleet.start('d')
    fleet.time.pass(3_000)
    t.same(late.alive, ['a', 'c', 'd'])
  },
)
