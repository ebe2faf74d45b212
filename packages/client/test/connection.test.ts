import t from 'tap'
import { type ConnectOptions, connect, type FanfoldError, Unauthorized } from '../src/index.ts'
import { delta, doc, snapshot } from './frames.ts'
import { settle, VirtualNetwork, VirtualTime } from './virtual-world.ts'

const other = 'acme/match/other'

function build(options: ConnectOptions = {}, url: string | readonly string[] = 'wss://a') {
  const time = new VirtualTime()
  const network = new VirtualNetwork()
  const errors: FanfoldError[] = []
  const connection = connect(url, {
    WebSocket: network.WebSocket,
    environment: time.environment,
    clientId: 'me',
    onError: error => errors.push(error),
    ...options,
  })
  const urls = () => network.sockets.map(socket => socket.url)
  return { connection, time, network, errors, urls }
}

t.test('dials nothing before something is observed, and one socket for many documents', t => {
  const { connection, network } = build()
  t.equal(connection.status, 'idle')
  t.equal(network.sockets.length, 0)
  const first = connection.observe(doc)
  const second = connection.observe(other)
  t.equal(connection.status, 'connecting')
  network.last.accept()
  t.equal(connection.status, 'connected')
  t.match(network.last.sent, [{ doc }, { doc: other }])
  network.last.receive(snapshot({ doc: other, seq: 4 }))
  network.last.receive(snapshot({ doc: 'acme/match/none' }))
  t.same([first.seq, second.seq], [0, 4])
  t.equal(network.sockets.length, 1)
  t.end()
})

t.test('after a loss every document is resumed', t => {
  const { connection, network, time } = build()
  const first = connection.observe(doc)
  const second = connection.observe(other)
  network.last.accept().receive(snapshot())
  network.last.receive(delta())
  network.last.end()
  t.same([first.status, second.status, connection.status], ['stale', 'connecting', 'connecting'])
  time.pass(500)
  network.last.accept()
  t.match(network.last.sent, [
    { doc, from: 'p1.10' },
    { doc: other, from: undefined },
  ])
  network.last.receive(delta({ from: 10, seq: 12 }))
  t.match(first, { status: 'live', seq: 12 })
  t.end()
})

t.test('a document that left is not asked for again, and an idle socket is closed', t => {
  const { connection, network, time } = build()
  const first = connection.observe(doc)
  network.last.accept().receive(snapshot())
  first.close()
  t.same(network.last.last, { type: 'leave', doc })
  const again = connection.observe(doc)
  time.pass(40_000)
  t.equal(network.last.closedWith, undefined)
  again.close()
  time.pass(29_999)
  t.equal(network.last.closedWith, undefined)
  time.pass(1)
  t.equal(network.last.closedWith, 1000)
  t.equal(connection.status, 'idle')
  connection.observe(doc)
  t.equal(network.sockets.length, 2)
  t.end()
})

t.test('a document observed twice has a socket for each, 16 at most', t => {
  const { connection, network } = build()
  connection.observe(doc, { viewState: { page: 1 } })
  connection.observe(doc, { viewState: { page: 2 } })
  const [first, second] = network.sockets.map(socket => socket.accept().last)
  t.match(first, { viewState: { page: 1 } })
  t.match(second, { viewState: { page: 2 } })
  for (let count = 3; count <= 16; count++) connection.observe(doc)
  t.throws(() => connection.observe(doc), { code: 'FANFOLD_TOO_MANY_LINES' })
  connection.observe(other)
  t.equal(network.sockets.length, 16)
  t.end()
})

t.test('a document that moved is followed, alone, and comes home when nobody answers there', t => {
  const { connection, network, time, urls } = build()
  const first = connection.observe(doc)
  connection.observe(other)
  const [home] = network.sockets
  home?.accept().receive(snapshot())
  home?.receive({ type: 'moved', doc, to: 'https://b/edge/2' })
  t.same(urls(), ['wss://a/v1/observe', 'wss://b/edge/2/v1/observe'])
  t.equal(first.status, 'stale')
  network.last.accept()
  t.match(network.last.sent, [{ type: 'observe', doc, from: 'p1.10' }])
  network.last.receive(delta())
  t.equal(first.status, 'live')
  for (let failure = 0; failure < 3; failure++) {
    network.last.end()
    time.pass(1_000)
  }
  t.match(home?.last, { type: 'observe', doc, from: 'p1.10' })
  t.end()
})

t.test('what one server may not show is asked of the others, each once', t => {
  const { connection, network, urls, errors } = build({}, ['wss://a', 'wss://b', 'wss://c'])
  const first = connection.observe(doc)
  const second = connection.observe(other)
  const refuse = (of: string) =>
    network.last.receive({
      type: 'refused',
      doc: of,
      code: 'FANFOLD_ABOVE_CEILING',
      message: 'not in this region',
    })
  const [home] = network.sockets
  home?.accept()
  refuse(doc)
  t.same(urls(), ['wss://a/v1/observe', 'wss://b/v1/observe'])
  network.last.accept()
  t.match(network.last.sent, [{ type: 'observe', doc }])
  network.last.receive(snapshot())
  t.equal(first.status, 'live')
  home?.receive(snapshot({ doc: other }))
  t.equal(second.status, 'live')

  const third = connection.observe('acme/match/third')
  home?.receive({
    type: 'refused',
    doc: third.doc,
    code: 'FANFOLD_ABOVE_CEILING',
    message: 'not in this region',
  })
  t.match(network.last.last, { type: 'observe', doc: third.doc })
  refuse(third.doc)
  t.equal(urls().at(-1), 'wss://c/v1/observe')
  network.last.accept()
  refuse(third.doc)
  t.match(third, { status: 'closed', error: { code: 'FANFOLD_ABOVE_CEILING' } })
  t.equal(errors.length, 4)
  t.same([first.status, second.status], ['live', 'live'])
  t.end()
})

t.test('a move to a plain address ends the observation', t => {
  const { connection, network, time } = build()
  const first = connection.observe(doc)
  network.last.accept().receive({ type: 'moved', doc, to: 'ws://b' })
  t.match(first, { status: 'closed', error: { code: 'FANFOLD_BAD_FRAME' } })
  time.pass(30_000)
  t.equal(connection.status, 'idle')
  t.end()
})

t.test('a server that breaks the protocol is left, and dialled again', t => {
  const { connection, network, time, errors } = build()
  const first = connection.observe(doc)
  network.last.accept().receive('nonsense')
  t.match(errors, [{ code: 'FANFOLD_BAD_FRAME' }])
  time.pass(500)
  network.last.accept().receive({ type: 'signal' })
  network.last.receive(snapshot())
  t.equal(first.status, 'live')
  t.end()
})

t.test('a refusal of the socket is reported, and its wait honoured', t => {
  const { connection, network, time, errors } = build()
  connection.observe(doc)
  const busy = { type: 'refused', code: 'FANFOLD_OVERLOADED', message: 'full', retryAfter: 4_000 }
  network.last.accept().receive(busy)
  network.last.end(4129)
  t.match(errors, [{ code: 'FANFOLD_OVERLOADED' }, { code: 'FANFOLD_CONNECTION_FAILED' }])
  time.pass(4_499)
  t.equal(network.sockets.length, 1)
  time.pass(1)
  t.equal(network.sockets.length, 2)
  t.end()
})

t.test('a close that says stop ends what was on the socket, and no more', async t => {
  const { connection, network } = build()
  const first = connection.observe(doc)
  const [observing] = network.sockets
  observing?.accept().receive(snapshot())
  const sending = connection.send(doc, 'goal', 1)
  network.last.accept().end(4503)
  await t.rejects(sending, { code: 'FANFOLD_UNKNOWN_OUTCOME' })
  t.equal(first.status, 'live')
  observing?.end(4510)
  t.match(first, { status: 'closed', error: { code: 'FANFOLD_VERSION' } })
  t.equal(connection.status, 'idle')
})

t.test('without a token to be had all ends', async t => {
  const { connection, network, time, errors } = build({
    token: async () => {
      throw new Unauthorized('signed out')
    },
  })
  const first = connection.observe(doc)
  const sending = connection.send(doc, 'goal', 1)
  const unauthorized = { code: 'FANFOLD_UNAUTHORIZED' }
  await t.rejects(sending, unauthorized)
  t.match(first, { status: 'closed', error: unauthorized })
  t.match(connection, { status: 'closed', error: unauthorized })
  t.match(errors, [unauthorized])
  t.throws(() => connection.observe(doc), unauthorized)
  await t.rejects(connection.send(doc, 'goal', 1), unauthorized)
  t.equal(network.sockets.length, 0)
  t.equal(time.timerCount, 0)
})

t.test('messages go out on a socket of their own, with ids of their own', async t => {
  const { connection, network, urls, time } = build({ token: 'abc' })
  const first = connection.send(doc, 'goal', { team: 'home' })
  const second = connection.send(doc, 'goal', { team: 'away' }, { id: 'mine' })
  t.same(urls(), ['wss://a/v1/write'])
  t.same(network.last.protocols, ['fanfold.v1', 'bearer.abc'])
  network.last.accept()
  t.same(network.last.sent, [
    { type: 'send', doc, message: 'goal', value: { team: 'home' }, id: 'me-1' },
    { type: 'send', doc, message: 'goal', value: { team: 'away' }, id: 'mine' },
  ])
  network.last.receive({ type: 'committed', doc, id: 'mine', epoch: 1, seq: 8 })
  network.last.receive({ type: 'committed', doc, id: 'me-1', epoch: 1, seq: 7 })
  t.same(await Promise.all([first, second]), [
    { epoch: 1, seq: 7 },
    { epoch: 1, seq: 8 },
  ])
  time.pass(30_000)
  t.equal(network.last.closedWith, 1000)
  t.equal(connection.status, 'idle')
})

t.test('a message is sent again after a loss, and follows its document', async t => {
  const { connection, network, time, urls } = build({ writeUrl: 'wss://w' })
  const sending = connection.send(doc, 'goal', 1)
  const [home] = network.sockets
  home?.accept().end()
  time.pass(500)
  network.last.accept()
  t.match(network.last.sent, [{ id: 'me-1' }])
  network.last.receive({ type: 'moved', doc, id: 'me-1', to: 'wss://owner' })
  t.same(urls(), ['wss://w/v1/write', 'wss://w/v1/write', 'wss://owner/v1/write'])
  network.last.accept()
  t.match(network.last.sent, [{ id: 'me-1' }])
  network.last.receive({ type: 'committed', doc, id: 'me-1', epoch: 1, seq: 7 })
  t.same(await sending, { epoch: 1, seq: 7 })
  const next = connection.send(doc, 'goal', 2)
  t.equal(network.last.sent.length, 2)
  network.last.receive({ type: 'committed', doc, id: 'me-2', epoch: 1, seq: 8 })
  await next
})

t.test('an owner that does not answer is forgotten', async t => {
  const { connection, network, time } = build()
  const sending = connection.send(doc, 'goal', 1)
  const [home] = network.sockets
  home?.accept().receive({ type: 'moved', doc, id: 'me-1', to: 'wss://owner' })
  for (let failure = 0; failure < 3; failure++) {
    network.last.end()
    time.pass(1_000)
  }
  t.match(home?.sent, [{ id: 'me-1' }, { id: 'me-1' }])
  home?.receive({ type: 'committed', doc, id: 'me-1', epoch: 1, seq: 7 })
  t.same(await sending, { epoch: 1, seq: 7 })
})

t.test('a move of a message is followed to 16 sockets, and never to a plain address', async t => {
  const { connection, network, errors } = build()
  const send = (count: number) => connection.send(`acme/match/m${count}`, 'goal', 1)
  const sends = [send(1)]
  const home = network.last.accept()
  const move = (count: number, to: string) =>
    home.receive({ type: 'moved', doc: `acme/match/m${count}`, id: `me-${count}`, to })
  move(1, 'ws://owner1')
  t.match(errors, [{ code: 'FANFOLD_BAD_FRAME' }])
  move(1, 'wss://owner1')
  for (let count = 2; count <= 15; count++) {
    sends.push(send(count))
    move(count, `wss://owner${count}`)
  }
  t.equal(network.sockets.length, 16)
  sends.push(send(16))
  move(16, 'wss://owner16')
  t.equal(network.sockets.length, 16)
  t.match(errors[1], { code: 'FANFOLD_TOO_MANY_LINES' })
  connection.close()
  const results = await Promise.allSettled(sends)
  t.ok(results.every(result => result.status === 'rejected'))
})

t.test('closing ends everything', async t => {
  const { connection, network, time } = build()
  const statuses: string[] = []
  connection.onStatus(status => statuses.push(status))
  const first = connection.observe(doc)
  const sending = connection.send(doc, 'goal', 1)
  connection.close()
  connection.close()
  await t.rejects(sending, { code: 'FANFOLD_CLOSED' })
  t.match(first, { status: 'closed', error: undefined })
  t.same(
    network.sockets.map(socket => socket.closedWith),
    [1000, 1000],
  )
  t.equal(time.timerCount, 0)
  t.same(statuses, ['idle', 'connecting', 'closed'])
  t.throws(() => connection.observe(doc), { code: 'FANFOLD_CLOSED' })
})

t.test('arguments that cannot be are refused before anything is sent', async t => {
  const { connection, network } = build()
  t.throws(() => connection.observe('match'), { code: 'FANFOLD_BAD_KEY' })
  t.throws(() => connection.observe(doc, { maxRate: 0 }), { code: 'FANFOLD_BAD_OPTION' })
  await t.rejects(connection.send('match', 'goal', 1), { code: 'FANFOLD_BAD_KEY' })
  await t.rejects(connection.send(doc, 'goal', 1, { id: '' }), { code: 'FANFOLD_BAD_OPTION' })
  const long = 'ä'.repeat(65)
  await t.rejects(connection.send(doc, 'goal', 1, { id: long }), { message: /128 bytes, got 130/ })
  t.equal(network.sockets.length, 0)
})

t.test('an error of the application stays its own', async t => {
  const { connection, network } = build()
  const first = connection.observe(doc)
  const seen: unknown[] = []
  const tasks: (() => void)[] = []
  const { queueMicrotask } = globalThis
  globalThis.queueMicrotask = task => {
    tasks.push(task)
  }
  t.teardown(() => {
    globalThis.queueMicrotask = queueMicrotask
  })
  first.subscribe(() => {
    throw new Error('mine')
  })
  first.subscribe(view => seen.push(view))
  network.last.accept().receive(snapshot())
  await settle()
  t.equal(seen.length, 1)
  t.throws(() => tasks[0]?.(), { message: 'mine' })
})
