import t from 'tap'
import { parseEndpoints } from '../src/endpoint.ts'
import { FanfoldError, Unauthorized } from '../src/fanfold-error.ts'
import { Dice } from './dice.ts'
import { build } from './line-rig.ts'
import { settle, VirtualTime } from './virtual-world.ts'

t.test('dials the path, with the subprotocol and the token', t => {
  const { line, network, heard } = build({ token: 'abc' })
  line.open()
  t.equal(network.last.url, 'wss://a/v1/observe')
  t.same(network.last.protocols, ['fanfold.v1', 'bearer.abc'])
  t.equal(line.isOpen, false)
  network.last.accept()
  t.equal(line.isOpen, true)
  line.send({ type: 'leave' })
  network.last.receive('hello')
  t.same(network.last.sent, [{ type: 'leave' }])
  t.same(heard, ['opened', 'hello'])
  t.end()
})

t.test('is dialled again after each failure, with waits that grow', t => {
  const { line, time, network } = build()
  line.open()
  for (const [chance, waitMs] of [
    [0, 500],
    [0.5, 1_000],
    [0.5, 1_500],
    [0.999_999, 4_500],
  ] as const) {
    const { length } = network.sockets
    time.chance = chance
    network.last.end()
    time.pass(waitMs - 1)
    t.equal(network.sockets.length, length)
    time.pass(1)
    t.equal(network.sockets.length, length + 1)
  }
  t.end()
})

t.test('is dialled again soon after a connection that lasted, whatever failed before it', t => {
  for (const [chance, waitMs] of [
    [0, 0],
    [0.25, 250],
    [0.999_999, 1_000],
  ] as const) {
    const { line, time, network, heard } = build()
    line.open()
    for (let failures = 0; failures < 3; failures++) {
      network.last.end()
      time.pass(500)
    }
    network.last.accept()
    time.pass(5_000)
    time.chance = chance
    network.last.end()
    time.pass(Math.max(0, waitMs - 1))
    t.equal(network.sockets.length, waitMs === 0 ? 5 : 4)
    time.pass(1)
    t.equal(network.sockets.length, 5)
    time.chance = 0
    network.last.end()
    time.pass(500)
    t.equal(network.sockets.length, 6, 'the waits begin anew')
    t.same(heard, ['opened', 'lost'])
  }
  t.end()
})

t.test('a connection that did not last is a failure', t => {
  const { line, time, network } = build()
  line.open()
  for (const waitMs of [500, 1_000]) {
    time.chance = waitMs === 500 ? 0 : 0.5
    const { length } = network.sockets
    network.last.accept()
    time.pass(4_999)
    network.last.end()
    time.pass(waitMs - 1)
    t.equal(network.sockets.length, length)
    time.pass(1)
    t.equal(network.sockets.length, length + 1)
  }
  t.end()
})

t.test('of several endpoints the next one is tried at once, and waits are between rounds', t => {
  const { line, time, network, urls } = build(
    {},
    { endpoints: parseEndpoints(['wss://a', 'wss://b', 'wss://c']) },
  )
  const tried = () =>
    urls()
      .map(url => url.slice(6, 7))
      .join('')
  line.open()
  for (let round = 1; round <= 2; round++) {
    network.last.end()
    time.pass(0)
    network.last.end()
    time.pass(0)
    t.equal(tried(), 'abc'.repeat(round))
    network.last.end()
    time.pass(499)
    t.equal(tried(), 'abc'.repeat(round))
    time.pass(1)
  }
  t.equal(tried(), 'abcabca')
  network.last.accept()
  time.pass(5_000)
  network.last.end()
  time.pass(0)
  t.equal(tried(), 'abcabcab', 'one that is lost is followed by another')
  t.end()
})

t.test('ten thousand lines that lose one edge are back within 5 s, spread', t => {
  const time = new VirtualTime()
  const dice = new Dice(7)
  const environment = { ...time.environment, random: () => dice.next() }
  const worlds = Array.from({ length: 10_000 }, () => build({ environment }))
  for (const { line, network } of worlds) {
    line.open()
    network.last.accept()
  }
  time.pass(5_000)
  for (const { network } of worlds) network.last.end()

  // The edge behind the same address takes 3,000 handshakes at once and 300 in 100 ms.
  let room = 3_000
  const dials: number[] = []
  const answered = new Set(worlds.map(({ network }) => network.last))
  const waiting = new Set(worlds)
  for (let slice = 0; slice < 50; slice++) {
    time.pass(100)
    room = Math.min(3_000, room + 300)
    let dialled = 0
    for (const world of waiting) {
      const socket = world.network.last
      if (answered.has(socket)) continue
      answered.add(socket)
      dialled++
      if (room === 0) {
        socket.end()
        continue
      }
      room--
      socket.accept()
      waiting.delete(world)
    }
    dials.push(dialled)
  }
  t.equal(waiting.size, 0, 'all are back')
  t.ok(Math.max(...dials) < 1_500, `${Math.max(...dials)} at most at a time`)
  t.ok(Math.min(...dials.slice(0, 10)) > 500, 'they are spread over the first second')
  t.end()
})

t.test('an attempt that takes too long is given up', t => {
  const { line, time, network } = build()
  line.open()
  const first = network.last
  time.pass(10_000)
  t.equal(first.closedWith, 1000)
  time.pass(500)
  t.equal(network.sockets.length, 2)
  first.accept()
  t.equal(line.isOpen, false)
  t.end()
})

t.test('the server says when to come back', t => {
  const { line, time, network } = build()
  line.open()
  network.last.accept()
  line.retryAfter(7_000)
  network.last.end(4129)
  time.pass(7_499)
  t.equal(network.sockets.length, 1)
  time.pass(1)
  t.equal(network.sockets.length, 2)
  network.last.accept().end(1012, '{"retryAfter":9000}')
  time.pass(9_499)
  t.equal(network.sockets.length, 2)
  time.pass(1)
  t.equal(network.sockets.length, 3)
  t.end()
})

t.test('the server says where to go, once', t => {
  const { line, time, network, urls } = build()
  line.open()
  network.last.accept().end(4100, '{"to":"wss://b/edge/2"}')
  time.pass(1_000)
  network.last.end()
  time.pass(1_000)
  t.same(urls(), ['wss://a/v1/observe', 'wss://b/edge/2/v1/observe', 'wss://a/v1/observe'])
  t.end()
})

t.test('a hint to a plain address, and one that is no hint, are passed over', t => {
  for (const reason of ['{"to":"ws://b"}', '{"to":1,"retryAfter":"x"}', '{broken', 'null', '{}']) {
    const { line, time, network, urls } = build()
    line.open()
    network.last.accept().end(4100, reason)
    time.pass(500)
    t.same(urls(), ['wss://a/v1/observe', 'wss://a/v1/observe'], reason)
  }
  t.end()
})

t.test('a close code that says stop ends the line, with its error', t => {
  for (const [code, error] of [
    [4500, 'FANFOLD_BAD_FRAME'],
    [4501, 'FANFOLD_UNAUTHORIZED'],
    [4503, 'FANFOLD_FORBIDDEN'],
    [4510, 'FANFOLD_VERSION'],
    [4999, 'FANFOLD_CLOSED'],
  ] as const) {
    const { line, time, network, heard } = build({ token: 'abc' })
    line.open()
    network.last.accept().end(code)
    time.pass(1_000_000)
    t.same(heard, ['opened', `failed ${error}`])
    t.equal(network.sockets.length, 1)
    t.equal(time.timerCount, 0)
  }
  t.end()
})

t.test(
  'a token function that throws Unauthorized stops; any other throw is tried again',
  async t => {
    const throws: Error[] = [new Error('offline'), new Unauthorized()]
    const { line, time, network, heard } = build({
      token: () => {
        throw throws.shift() ?? new Error('asked too often')
      },
    })
    line.open()
    await settle()
    t.same(heard, [])
    time.pass(500)
    await settle()
    t.same(heard, ['failed FANFOLD_UNAUTHORIZED'])
    t.equal(network.sockets.length, 0)
    t.equal(time.timerCount, 0)
  },
)

t.test('gives up after failuresMax failures in a row', t => {
  const { line, time, network, heard } = build({}, { failuresMax: 3 })
  line.open()
  network.last.end()
  time.pass(1_000)
  network.last.end()
  time.pass(1_000)
  t.same(heard, [])
  network.last.end()
  t.same(heard, ['failed FANFOLD_UNREACHABLE'])
  t.equal(time.timerCount, 0)
  t.end()
})

t.test('a closed line says and does nothing more, and can be opened again', async t => {
  let give: (token: string) => void = () => undefined
  const { line, time, network, heard } = build({
    token: () =>
      new Promise<string>(resolve => {
        give = resolve
      }),
  })
  line.open()
  line.close()
  give('late')
  await settle()
  t.equal(network.sockets.length, 0)
  line.open()
  give('now')
  await settle()
  const socket = network.last.accept()
  line.close()
  t.equal(socket.closedWith, 1000)
  socket.receive('late')
  socket.end()
  line.send({ type: 'leave' })
  t.same(socket.sent, [])
  t.same(heard, ['opened'])
  t.equal(time.timerCount, 0)
})

t.test('a socket whose server breaks the protocol is dialled again', t => {
  const { line, time, network, heard } = build()
  line.open()
  network.last.accept()
  line.abandon(new FanfoldError('FANFOLD_BAD_FRAME', 'nonsense'))
  t.equal(network.last.closedWith, 1000)
  time.pass(500)
  t.equal(network.sockets.length, 2)
  t.same(heard, ['opened', 'lost'])
  t.end()
})
