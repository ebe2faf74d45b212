import { instant } from '@fanfold/kernel'
import { RedisServer, until } from '@fanfold/nemesis'
import type { PlacementRequestId } from '@fanfold/topology'
import t, { type Test } from 'tap'
import { FleetMember } from './fleet-member.ts'
import { Relay } from './relay.ts'

const now = () => instant(performance.now() * 1_000)
const placed = 'fanfold:{members}:placed'

/** Two members that see each other, and a placement that both know. */
async function startFleet(t: Test, address: string): Promise<[FleetMember, FleetMember]> {
  const options = { address, lostAfterMs: 1_000, connectWithinMs: 200 }
  const fleet: [FleetMember, FleetMember] = [
    new FleetMember(t, 'a', options),
    new FleetMember(t, 'b', options),
  ]
  await until('they see each other', () => fleet.every(member => member.alive === 'a b'))
  fleet[0].give({
    kind: 'place-asked',
    request: 1 as PlacementRequestId,
    wish: {
      subject: 'acme',
      node: 'b',
      state: 'active',
      to: undefined,
      quota: undefined,
      who: 'a test',
      why: 'to see it',
      atMs: 0,
    },
    expected: undefined,
  })
  await until('both know it', () => fleet.every(member => member.placedOn('acme') === 'b'))
  return fleet
}

/** Both are there, the placement is there, and nobody was ever taken to be dead. */
async function isAsItWas(t: Test, server: RedisServer, fleet: readonly FleetMember[]) {
  await until(
    'all come back',
    async () => (await server.client.zcard('fanfold:{members}:heard')) === 2,
  )
  await until('the placement is given back', async () => {
    return /^1 \S+ /.test((await server.client.hget(placed, 'acme')) ?? '')
  })
  for (const member of fleet) {
    t.same([member.alive, member.left, member.placedOn('acme')], ['a b', [], 'b'])
  }
}

t.test('a server that is emptied is given back who is there and what is placed', async t => {
  const server = await RedisServer.start(t)
  const fleet = await startFleet(t, server.address)
  await server.client.flushall()
  await isAsItWas(t, server, fleet)
  t.ok(fleet.some(({ events }) => events.includes('placements-lost')))
  t.notOk(fleet.some(({ events }) => events.includes('coordinator-lost')))
})

t.test('a failover to a server that has nothing is as one that was emptied', async t => {
  const [server, other] = await Promise.all([RedisServer.start(t), RedisServer.start(t)])
  const relay = await Relay.open(t, server.port)
  const fleet = await startFleet(t, relay.address)
  relay.leadTo(other.port)
  await isAsItWas(t, other, fleet)
})

t.test('while the server is away for longer than it takes to die, nobody does', async t => {
  const server = await RedisServer.start(t)
  const fleet = await startFleet(t, server.address)
  await server.kill()
  await until('it is lost for both', () =>
    fleet.every(({ events }) => events.includes('coordinator-lost')),
  )
  await until('nothing was heard for long', () =>
    fleet.every(({ cluster }) => cluster.isFrozen && (cluster.knownForMs(now()) ?? 0) > 3_200),
  )
  await server.restart()
  await until('it is found', () =>
    fleet.every(({ events }) => events.includes('coordinator-found')),
  )
  await until('silence counts again', () => fleet.every(({ cluster }) => !cluster.isFrozen))
  await isAsItWas(t, server, fleet)
})
