import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { dialMember, targetOf } from '../src/dial-member.ts'

t.test('somebody who listens has answered, nobody has refused', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.equal(await dialMember(`ws://127.0.0.1:${port}`), 'answered')
  server.close()
  await once(server, 'close')
  t.equal(await dialMember(`ws://127.0.0.1:${port}`), 'refused')
})

t.test('an address leads to a host and a port, also where it does not say which', async t => {
  t.same(targetOf('ws://10.0.0.1:9600'), { host: '10.0.0.1', port: 9600 })
  t.same(targetOf('ws://[::1]:9600/edge/2'), { host: '::1', port: 9600 })
  t.same(targetOf('wss://a.example.com'), { host: 'a.example.com', port: 443 })
  t.same(targetOf('ws://a.example.com'), { host: 'a.example.com', port: 80 })
})

t.test('a name that leads nowhere proves nothing', async t => {
  t.equal(await dialMember('wss://no-such-host.invalid'), 'silent')
})

t.test('what is no address proves nothing', async t => {
  for (const address of ['ws://a:99999', 'ws://[', 'ws://a b']) {
    t.equal(await dialMember(address), 'silent')
  }
})
