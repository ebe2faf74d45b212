/* Viewers at a server that says what a test has it say, in the order that it has it say it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { until } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'
import { ViewerGroup } from '../../src/bench/viewer-group.ts'

const doc = 'acme/match/final'
const at = { doc, epoch: 1 }
// As edges write them: the type first, what is long last.
const snapshot = (seq: number) => ({
  type: 'snapshot',
  ...at,
  seq,
  position: `at-${seq}`,
  view: { seq },
})
const delta = (from: number, seq: number) => ({
  type: 'delta',
  ...at,
  from,
  seq,
  time: Date.now(),
  patch: [{ op: 'add', path: '/seq', value: seq }],
})

type Request = { readonly type: string; readonly from?: string }

/** A server; `observed` answers each observe, `refuse` each handshake that it wants. */
async function startServer(
  t: Test,
  answers: {
    readonly observed: (request: Request, socket: WebSocket) => readonly object[]
    readonly refuse?: (request: IncomingMessage) => string | undefined
  },
) {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'fanfold.v1' })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = answers.refuse?.(request)
    if (refusal !== undefined) socket.end(refusal)
    else sockets.handleUpgrade(request, socket, head, ws => sockets.emit('connection', ws, request))
  })
  const requests: Request[] = []
  const send = (socket: WebSocket, frames: readonly object[]): void => {
    for (const frame of frames) socket.send(JSON.stringify(frame))
  }
  sockets.on('connection', socket => {
    socket.on('message', data => {
      const request: Request = JSON.parse(String(data))
      requests.push(request)
      send(socket, answers.observed(request, socket))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server on a port')
  return {
    url: `ws://127.0.0.1:${address.port}`,
    requests,
    clients: sockets.clients,
    sendAll: (frames: readonly object[]) => {
      for (const socket of sockets.clients) send(socket, frames)
    },
  }
}

/** Viewers of a server, opened; the first `replicas` of them keep the view. */
function openGroup(
  t: Test,
  over: { urls: readonly string[]; viewers?: number; replicas?: number },
): ViewerGroup {
  const watching = { doc, token: 'a.b.c', viewState: undefined, maxRate: undefined }
  const group = new ViewerGroup({
    viewers: 1,
    replicas: 0,
    firstIndex: 0,
    rampPerSecond: 1_000,
    watching,
    ...over,
  })
  t.teardown(() => group.close())
  group.open()
  return group
}

await t.test(
  'viewers are counted when they are shown the document, and each delivery with its bytes',
  async t => {
    const server = await startServer(t, { observed: () => [snapshot(4)] })
    const group = openGroup(t, { urls: [server.url], viewers: 5, replicas: 1 })
    await until('all are in', () => group.tally.connected === 5)
    server.sendAll([delta(4, 5), delta(5, 7)])
    await until('all have both', () => group.tally.deliveries === 10)
    const { sizedDeliveries, deliveredBytes, violations } = group.tally.counts
    t.match({ sizedDeliveries, violations }, { sizedDeliveries: 8, violations: 0 })
    const bytes = [delta(4, 5), delta(5, 7)].map(frame => JSON.stringify(frame).length + 4)
    t.equal(deliveredBytes, 4 * bytes.reduce((sum, one) => sum + one, 0))
    t.match(group.look({ endSeq: 8, withViews: false }), {
      live: 5,
      seqMax: 7,
      behind: 5,
      missing: 5,
    })
    t.match(group.look({ endSeq: 7, withViews: true }), {
      behind: 0,
      missing: 0,
      replicas: [{ seq: 7 }],
    })
  },
)

await t.test(
  'a gap, a repetition and a delta out of turn are violations, for each viewer that has them',
  async t => {
    const server = await startServer(t, { observed: () => [snapshot(4)] })
    const group = openGroup(t, { urls: [server.url], viewers: 3 })
    await until('all are in', () => group.tally.connected === 3)
    server.sendAll([delta(4, 5), delta(4, 5), delta(6, 7)])
    await until('all have them', () => group.tally.deliveries === 9)
    const { violations, violationTexts } = group.tally.counts
    t.equal(violations, 6)
    t.match(violationTexts, [/^repetition: a delta from 4 to 5 for a viewer at 1:5/])
  },
)

await t.test('a replica finds what the client finds: a gap', async t => {
  const server = await startServer(t, { observed: () => [snapshot(4)] })
  const group = openGroup(t, { urls: [server.url], replicas: 1 })
  await until('it is in', () => group.tally.connected === 1)
  server.sendAll([delta(6, 7)])
  await until('it is told', () => group.tally.counts.violations === 1)
  t.match(group.tally.counts.violationTexts, [/a replica: delta from 6 to 7, view at 4/])
})

await t.test('who is told to come later with 503 comes after that time, and is in', async t => {
  let refusals = 0
  const refuse = (): string | undefined =>
    ++refusals > 2
      ? undefined
      : 'HTTP/1.1 503 Service Unavailable\r\nfanfold-retry-after-ms: 30\r\n\r\n'
  const server = await startServer(t, { observed: () => [snapshot(4)], refuse })
  const group = openGroup(t, { urls: [server.url] })
  await until('it is in', () => group.tally.connected === 1)
  t.match(group.tally.counts, { turnedAway: 2, failed: 0, reconnects: 0 })
})

await t.test('who is refused for good is not in, and says why', async t => {
  const refuse = (): string => 'HTTP/1.1 403 Forbidden\r\n\r\n'
  const closed = await startServer(t, { observed: () => [], refuse })
  const denying = await startServer(t, {
    observed: () => [{ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN', message: 'no' }],
  })
  for (const { url } of [closed, denying]) {
    for (const replicas of url === denying.url ? [0, 1] : [0]) {
      const group = openGroup(t, { urls: [url], replicas })
      await until('it is given up', () => group.tally.counts.failed === 1)
      t.match(group.tally.counts, { connected: 0, failures: { FANFOLD_FORBIDDEN: 1 } })
    }
  }
})

await t.test(
  'who loses its connection comes back by itself and resumes from its position',
  async t => {
    const server = await startServer(t, {
      observed: ({ from }) => (from === undefined ? [snapshot(4)] : [delta(4, 6)]),
    })
    const group = openGroup(t, { urls: [server.url] })
    await until('it is in', () => group.tally.connected === 1)
    server.sendAll([delta(4, 5)])
    await until('it is at 5', () => group.look({ endSeq: 5, withViews: false }).missing === 0)
    for (const socket of server.clients) socket.close(1012)
    await until('it is at 6', () => group.look({ endSeq: 6, withViews: false }).missing === 0)
    t.equal(server.requests.at(-1)?.from, 'at-4')
    t.match(group.tally.counts, { connected: 1, reconnects: 1, violations: 0 })
  },
)

await t.test('who is closed for being slow is counted, and comes back', async t => {
  let opened = 0
  const server = await startServer(t, {
    observed: (_, socket) => {
      if (opened++ === 0) setImmediate(() => socket.close(4108))
      return [snapshot(4)]
    },
  })
  const group = openGroup(t, { urls: [server.url] })
  await until('it is back', () => group.tally.reconnects === 1)
  t.equal(group.tally.tooSlow, 1)
})

await t.test('a snapshot in the place of deltas is a lag', async t => {
  const server = await startServer(t, { observed: () => [snapshot(4)] })
  const group = openGroup(t, { urls: [server.url] })
  await until('it is in', () => group.tally.connected === 1)
  server.sendAll([snapshot(9)])
  await until('it is at 9', () => group.look({ endSeq: 9, withViews: false }).missing === 0)
  t.match(group.tally.counts, { lags: 1, violations: 0 })
})

await t.test(
  'who is told that what it sees may be old is stale until it is told otherwise',
  async t => {
    const status = (is: string) => ({ type: 'status', doc, status: is, since: 0 })
    const server = await startServer(t, { observed: () => [snapshot(4)] })
    const group = openGroup(t, { urls: [server.url], viewers: 2, replicas: 1 })
    await until('both are in', () => group.tally.connected === 2)
    const look = () => group.look({ endSeq: 5, withViews: false })
    server.sendAll([status('stale')])
    await until('both are told', () => look().stale === 2)
    t.match(look(), { live: 0, behind: 0, missing: 2 }, 'who says so honestly is not behind')
    server.sendAll([status('live')])
    await until('both are told', () => look().live === 2)
  },
)

await t.test('who is told that the document is elsewhere goes there', async t => {
  const there = await startServer(t, { observed: () => [snapshot(4)] })
  const here = await startServer(t, { observed: () => [{ type: 'moved', doc, to: there.url }] })
  const group = openGroup(t, { urls: [here.url] })
  await until('it is in', () => group.tally.connected === 1)
  t.equal(there.requests.length, 1)
})

await t.test('who is told to ask again later does so', async t => {
  let asked = 0
  const busy = { type: 'refused', doc, code: 'FANFOLD_OVERLOADED', message: 'full', retryAfter: 20 }
  const server = await startServer(t, { observed: () => (++asked === 1 ? [busy] : [snapshot(4)]) })
  const group = openGroup(t, { urls: [server.url] })
  await until('it is in', () => group.tally.connected === 1)
  t.match(group.tally.counts, { failed: 0, violations: 0 })
})

await t.test('viewers are spread over the addresses', async t => {
  const servers = await Promise.all(
    [1, 2].map(() => startServer(t, { observed: () => [snapshot(4)] })),
  )
  const group = openGroup(t, { urls: servers.map(({ url }) => url), viewers: 10, replicas: 2 })
  await until('all are in', () => group.tally.connected === 10)
  t.same(
    servers.map(({ clients }) => clients.size),
    [5, 5],
  )
})

await t.test('messages in fragments, with pings between, are one message each', async t => {
  const big = { ...snapshot(4), view: { text: 'é'.repeat(200_000) } }
  const server = await startServer(t, { observed: () => [] })
  const group = openGroup(t, { urls: [server.url] })
  await until('it asks', () => server.requests.length === 1)
  const pongs: string[] = []
  for (const socket of server.clients) {
    socket.on('pong', payload => pongs.push(String(payload)))
    const text = JSON.stringify(big)
    socket.send(text.slice(0, 90), { fin: false })
    socket.ping('mark')
    socket.send(text.slice(90, 100_000), { fin: false })
    socket.send(text.slice(100_000), { fin: true })
  }
  server.sendAll([delta(4, 5)])
  await until('it has the delta', () => group.tally.deliveries === 1)
  await until('the ping is answered', () => pongs.length === 1)
  t.same(pongs, ['mark'])
  t.equal(group.tally.counts.violations, 0)
})
