import { RedisServer } from '@fanfold/nemesis'
import t from 'tap'
import { announcementOf, makeMember, placementOf } from './coordinator-rig.ts'

const servers = await RedisServer.startCluster(t, 3)
const [first] = servers as [RedisServer]
const hosts = servers.map(({ port }) => `127.0.0.1:${port}`)
const address = `redis+cluster://${hosts.join(',')}`
const slot = Number(await first.client.call('cluster', 'keyslot', 'fanfold:{members}:heard'))
const home = servers[Math.floor((slot * 3) / 16_384)] ?? first

t.test('members of a cluster meet on one of its nodes', async t => {
  const [one, other] = [makeMember(t, { address }), makeMember(t, { address })]
  await other.watch()
  await one.announce(announcementOf('a'))
  t.ok((await other.hear(Buffer.from('a'), 0)) < 5_000)
  t.equal((await one.place(0, placementOf('acme', 1))).kind, 'placed')
  t.match(await other.read('acme', 1, 0), { subject: 'acme', version: 1 })
  const withdrawn = announcementOf('b')
  await one.announce(withdrawn)
  one.withdraw(withdrawn)
  t.match(await other.next('member-withdrawn', 0), { node: 'b' })
  const sizes = await Promise.all(servers.map(({ client }) => client.dbsize()))
  t.same(
    sizes.map(size => size > 0),
    servers.map(server => server === home),
  )
})

t.test('they are lost with that node alone, and found with it', async t => {
  const client = makeMember(t, { address, lostAfterMs: 1_000, connectWithinMs: 200 })
  await client.watch()
  const elsewhere = servers.find(server => server !== home)
  await elsewhere?.kill()
  const from = client.inputs.length
  await client.announce(announcementOf('a', 'while another is away'))
  await elsewhere?.restart()
  t.notOk(client.inputs.slice(from).some(({ kind }) => kind === 'coordinator-lost'))
  await home.kill()
  await client.next('coordinator-lost', from)
  await home.restart()
  await client.next('coordinator-found', from)
  t.match(await client.place(1, placementOf('acme', 2)), { kind: 'placed' })
})
