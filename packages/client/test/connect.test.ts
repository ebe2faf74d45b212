import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { type ConnectOptions, connect, type Observation } from '../src/index.ts'
import { FakeServer } from './fake-server.ts'
import { delta, doc, snapshot } from './frames.ts'

async function build(t: Test, options: ConnectOptions = {}) {
  const server = await FakeServer.start()
  const connection = connect(server.url, {
    WebSocket,
    backoff: { minMs: 1, maxMs: 5 },
    ...options,
  })
  t.teardown(() => {
    connection.close()
    server.stop()
  })
  return { server, connection }
}

/** Resolves when the observation shows `seq`. */
const shows = (observation: Observation, seq: number): Promise<void> =>
  new Promise(resolve => {
    const stop = observation.subscribe(() => {
      if (observation.seq !== seq) return
      resolve()
      queueMicrotask(() => stop())
    })
  })

t.test('observes, and resumes after the connection was cut', async t => {
  const { server, connection } = await build(t, { token: 'abc.def' })
  const match = connection.observe(doc, { viewState: { page: 1 } })
  const first = await server.next()
  t.match(first, { path: '/v1/observe', token: 'abc.def' })
  t.same(await first.next(), { type: 'observe', doc, viewState: { page: 1 } })
  first.send(snapshot())
  first.send(delta())
  await shows(match, 11)
  t.equal(match.status, 'live')
  first.cut()

  const second = await server.next()
  t.match(await second.next(), { type: 'observe', from: 'p1.10' })
  second.send(delta())
  second.send(delta({ seq: 12 }))
  await shows(match, 12)
  t.match(match, { view: { count: 12 }, status: 'live' })
})

t.test('comes back after a server that was full, drained, or had too many', async t => {
  const errors: unknown[] = []
  const { server, connection } = await build(t, { onError: ({ code }) => errors.push(code) })
  server.refusals = 2
  const match = connection.observe(doc)
  const first = await server.next()
  first.send(snapshot())
  await shows(match, 10)
  t.same(errors, ['FANFOLD_CONNECTION_FAILED', 'FANFOLD_CONNECTION_FAILED'])
  for (const [index, code] of [1012, 4129].entries()) {
    const peer = index === 0 ? first : await server.next()
    peer.close(code, '{"retryAfter":1}')
  }
  const last = await server.next()
  t.match(await last.next(), { type: 'observe', from: 'p1.10' })
  last.send(delta())
  await shows(match, 11)
  t.equal(match.status, 'live')
})

t.test('observes again from scratch after a gap', async t => {
  const { server, connection } = await build(t)
  const match = connection.observe(doc)
  const peer = await server.next()
  await peer.next()
  peer.send(snapshot())
  peer.send(delta({ seq: 15 }))
  peer.send(delta({ seq: 16 }))
  t.match(await peer.next(), { type: 'observe', doc })
  t.equal(match.seq, 10)
  peer.send(snapshot({ seq: 16 }))
  await shows(match, 16)
})

t.test('goes where a moved document is, and where a closing server says', async t => {
  const { server, connection } = await build(t)
  const other = await FakeServer.start()
  t.teardown(() => other.stop())
  const match = connection.observe(doc)
  const first = await server.next()
  await first.next()
  first.send({ type: 'moved', doc, to: other.url })
  const second = await other.next()
  await second.next()
  second.send(snapshot())
  await shows(match, 10)
  second.close(4100, JSON.stringify({ to: server.url }))
  const third = await server.next()
  t.match(await third.next(), { type: 'observe', from: 'p1.10' })
})

t.test('stops when it is refused', async t => {
  const { server, connection } = await build(t)
  const match = connection.observe(doc)
  const peer = await server.next()
  await peer.next()
  const closed = new Promise(resolve => {
    match.onStatus((status, error) => {
      if (status === 'closed') resolve(error)
    })
  })
  peer.send({ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN', message: 'not for you' })
  t.match(await closed, { code: 'FANFOLD_FORBIDDEN', message: 'not for you', doc })
})

t.test('fetches a token for each connection', async t => {
  let count = 0
  const { server, connection } = await build(t, {
    token: async () => {
      count++
      return `token-${count}`
    },
  })
  connection.observe(doc)
  const first = await server.next()
  t.equal(first.token, 'token-1')
  first.close(1012)
  t.equal((await server.next()).token, 'token-2')
})

t.test('a message is answered, also when the connection is lost in between', async t => {
  const { server, connection } = await build(t, { clientId: 'me' })
  const sending = connection.send(doc, 'goal', { team: 'home' })
  const first = await server.next()
  t.equal(first.path, '/v1/write')
  const frame = { type: 'send', doc, message: 'goal', value: { team: 'home' }, id: 'me-1' }
  t.same(await first.next(), frame)
  first.cut()
  const second = await server.next()
  t.same(await second.next(), frame)
  second.send({ type: 'committed', doc, id: 'me-1', epoch: 3, seq: 121 })
  t.same(await sending, { epoch: 3, seq: 121 })
})

t.test('finds a server that answers among several', async t => {
  const gone = await FakeServer.start()
  const { url } = gone
  gone.stop()
  const server = await FakeServer.start()
  const connection = connect([url, server.url], { WebSocket, backoff: { minMs: 1, maxMs: 5 } })
  t.teardown(() => {
    connection.close()
    server.stop()
  })
  connection.observe(doc)
  const peer = await server.next()
  t.match(await peer.next(), { type: 'observe', doc })
})
