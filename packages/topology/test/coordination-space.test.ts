import { CoordinatorClient, testCoordinatorPort } from '@fanfold/conformance'
import t from 'tap'
import { CoordinationSpace } from '../src/coordination-space.ts'
import { VirtualTime } from './virtual-time.ts'

const placementsMax = 5

testCoordinatorPort(t, async () => {
  const time = new VirtualTime()
  const space = new CoordinationSpace({ time, limits: { placementsMax } })
  return {
    open: receive => space.open(receive),
    advance: () => time.step(),
    placementsMax,
    setReachable: isReachable => space.setUnreachable(isReachable ? undefined : 'the test says so'),
    clear: () => space.clear(),
    close: async () => undefined,
  }
})

await t.test('an announcement that is a minute old is forgotten', async t => {
  const time = new VirtualTime()
  const space = new CoordinationSpace({ time })
  const client = new CoordinatorClient(
    receive => space.open(receive),
    () => time.step(),
  )
  await client.announce({ node: 'a', incarnation: '1', bytes: Buffer.from('a') })
  time.pass(59_999)
  t.match(space.members(), [{ members: [{ ageMs: 59_999 }] }])
  time.pass(1)
  t.match(space.members(), [{ members: [] }])
})

await t.test('beyond its bound it forgets whom it has not heard for the longest', async t => {
  const time = new VirtualTime()
  const space = new CoordinationSpace({ time, limits: { membersMax: 2 } })
  for (const node of ['a', 'b', 'a', 'c']) {
    space.announce({ node, incarnation: '1', bytes: Buffer.from(node) })
  }
  const bytes = space
    .members()
    .flatMap(input => (input.kind === 'members-heard' ? input.members.map(one => one.bytes) : []))
  t.same(bytes.map(String), ['a', 'c'])
})

await t.test('who opens while it is out of reach is told so', async t => {
  const time = new VirtualTime()
  const space = new CoordinationSpace({ time })
  space.setUnreachable('unplugged')
  const client = new CoordinatorClient(
    receive => space.open(receive),
    () => time.step(),
  )
  t.match(await client.next('coordinator-lost', 0), { message: 'unplugged' })
})

await t.test('many members are told in inputs of a thousand', async t => {
  const space = new CoordinationSpace({ time: new VirtualTime() })
  const bytes = Buffer.from('x')
  for (let index = 0; index < 2_001; index++) {
    space.announce({ node: `node-${index}`, incarnation: '1', bytes })
  }
  t.same(
    space.members().map(input => input.kind === 'members-heard' && input.members.length),
    [1_000, 1_000, 1],
  )
})
