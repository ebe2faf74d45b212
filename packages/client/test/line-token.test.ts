import t from 'tap'
import { build } from './line-rig.ts'
import { tokenUntil } from './tokens.ts'
import { settle, VirtualTime } from './virtual-world.ts'

t.test('a token is renewed on the open socket before it ends', async t => {
  const time = new VirtualTime()
  const tokens = [time.nowMs + 100_000, time.nowMs + 200_000, time.nowMs + 300_000].map(tokenUntil)
  const given = [...tokens]
  const { line, network } = build({
    environment: time.environment,
    token: () => given.shift() ?? 'none',
  })
  line.open()
  await settle()
  network.last.accept()
  t.same(network.last.protocols, ['fanfold.v1', `bearer.${tokens[0]}`])
  time.pass(69_999)
  await settle()
  t.same(network.last.sent, [])
  time.pass(1)
  await settle()
  t.same(network.last.sent, [{ type: 'authenticate', token: tokens[1] }])
  time.pass(91_000)
  await settle()
  t.same(network.last.last, { type: 'authenticate', token: tokens[2] })
  line.close()
  t.equal(time.timerCount, 0)
})

t.test('a renewal that fails is tried again while the token lasts', async t => {
  const time = new VirtualTime()
  const first = tokenUntil(time.nowMs + 100_000)
  let calls = 0
  const { line, network } = build({
    environment: time.environment,
    token: () => {
      calls++
      if (calls === 2) throw new Error('offline')
      return calls === 1 ? first : 'second'
    },
  })
  line.open()
  await settle()
  network.last.accept()
  time.pass(70_000)
  await settle()
  t.equal(calls, 2)
  time.pass(21_000)
  await settle()
  t.same(network.last.sent, [{ type: 'authenticate', token: 'second' }])
})

t.test('a token that ended on a socket that worked is fetched again, once', async t => {
  let calls = 0
  const { line, time, network, heard } = build({
    token: () => {
      calls++
      return `t${calls}`
    },
  })
  line.open()
  await settle()
  network.last.accept().receive('{}')
  network.last.end(4501)
  time.pass(500)
  await settle()
  t.same(network.last.protocols, ['fanfold.v1', 'bearer.t2'])
  network.last.accept().end(4501)
  t.same(heard, ['opened', '{}', 'lost', 'opened', 'failed FANFOLD_UNAUTHORIZED'])
})

t.test('two sockets in a row that are refused for their tokens end the line', async t => {
  const { line, time, network, heard } = build({ token: () => 'not good' })
  const refused = '{"type":"refused","code":"FANFOLD_UNAUTHORIZED","message":"not valid here"}'
  // A server says why before it closes.
  const refuse = async () => {
    await settle()
    network.last.accept().receive(refused)
    network.last.end(4501)
    time.pass(1_000)
    await settle()
  }
  line.open()
  await refuse()
  t.same(heard, ['opened', refused, 'lost'])
  await refuse()
  t.same(heard.slice(3), ['opened', refused, 'failed FANFOLD_UNAUTHORIZED'])
  t.equal(network.sockets.length, 2)
})

t.test('each socket that lasts until its token ends is followed by one with another', async t => {
  const { line, time, network, heard } = build({ token: () => 'good for a while' })
  line.open()
  for (let count = 0; count < 3; count++) {
    await settle()
    network.last.accept()
    time.pass(60_000)
    network.last.receive('{}')
    network.last.end(4501)
    time.pass(1_000)
  }
  await settle()
  t.same(heard.slice(-3), ['opened', '{}', 'lost'])
  t.equal(network.sockets.length, 4)
  line.close()
})

t.test('a token that no handshake can carry ends the line', t => {
  const { line, heard } = build({
    WebSocket: class {
      constructor() {
        throw new SyntaxError('an invalid subprotocol')
      }
      addEventListener(): void {}
      send(): void {}
      close(): void {}
    },
  })
  line.open()
  t.same(heard, ['failed FANFOLD_BAD_OPTION'])
  t.end()
})
