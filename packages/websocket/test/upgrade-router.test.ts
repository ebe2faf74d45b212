import { connect } from 'node:net'
import { UpgradeRouter } from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { TestClient, until } from './client-rig.ts'
import { listen } from './http-server.ts'
import { ManualClock } from './manual-clock.ts'

async function rig(
  t: Test,
  options: Partial<ConstructorParameters<typeof UpgradeRouter>[0]> = {},
): Promise<{ url: string; port: number; router: UpgradeRouter; accepted: string[] }> {
  const accepted: string[] = []
  const router = new UpgradeRouter({
    origins: [],
    connectionsMax: 100,
    ...options,
  })
  const acceptor = (name: string) => ({ accept: () => accepted.push(name) })
  router.add('', { link: acceptor('link'), observe: acceptor('first'), write: acceptor('write') })
  router.add('/edge/2', { observe: acceptor('second') })
  const { port } = await listen(t, router)
  return { url: `ws://127.0.0.1:${port}`, port, router, accepted }
}

t.test('each path under each prefix has its own acceptor', async t => {
  const { url, accepted } = await rig(t)
  const link = ['fanfold.link.v1']
  const clients = [
    new TestClient(t, `${url}/v1/observe`),
    new TestClient(t, `${url}/edge/2/v1/observe?page=1`),
    new TestClient(t, `${url}/v1/write`),
    new TestClient(t, `${url}/v1/link`, { protocols: link }),
  ]
  await until(() => clients.every(client => client.isOpen))
  t.same(accepted.toSorted(), ['first', 'link', 'second', 'write'])
})

t.test('a path nobody serves is answered 404', async t => {
  const { url } = await rig(t)
  for (const path of ['/', '/v1/nothing', '/edge/2/v1/write', '/v1/observe/', '/v1/../v1/x']) {
    const client = new TestClient(t, `${url}${path}`)
    await until(() => client.closed !== undefined)
    t.equal(client.status, 404, path)
  }
})

t.test('a missing or foreign subprotocol is answered 400', async t => {
  const { url } = await rig(t)
  for (const protocols of [[], ['graphql-ws'], ['fanfold.link.v1'], ['fanfold.v2']]) {
    const client = new TestClient(t, `${url}/v1/observe`, { protocols })
    await until(() => client.closed !== undefined)
    t.equal(client.status, 400, protocols.join())
  }
})

t.test('a token in the URL is answered 400', async t => {
  const { url, router } = await rig(t)
  for (const query of ['token=x', 'a=b&access_token=x', 'Token=', '%74oken=x']) {
    const client = new TestClient(t, `${url}/v1/observe?${query}`)
    await until(() => client.closed !== undefined)
    t.equal(client.status, 400, query)
  }
  t.equal(router.stats().refused, 4)
})

t.test('pages of foreign origins are answered 403, programs and own pages are let in', async t => {
  const { url, port } = await rig(t, { origins: ['https://app.example.com'] })
  const origins: readonly (readonly [string | undefined, boolean])[] = [
    [undefined, true],
    [`http://127.0.0.1:${port}`, true],
    ['https://app.example.com', true],
    ['https://app.example.com.evil.com', false],
    ['https://app.example.com.', false],
    ['https://app.example.com:8443', false],
    ['http://app.example.com', false],
    [`http://127.0.0.1:${port + 1}`, false],
    ['null', false],
    ['', false],
  ]
  for (const [origin, isLetIn] of origins) {
    const headers: Record<string, string> = origin === undefined ? {} : { origin }
    const client = new TestClient(t, `${url}/v1/observe`, { headers })
    await until(() => client.isOpen || client.closed !== undefined)
    t.equal(client.isOpen, isLetIn, origin ?? 'none')
    if (!isLetIn) t.equal(client.status, 403)
  }
})

t.test('one connection too many is answered 503 with Retry-After, until one ends', async t => {
  const { url, router } = await rig(t, { connectionsMax: 2 })
  const first = new TestClient(t, `${url}/v1/observe`)
  const second = new TestClient(t, `${url}/v1/observe`)
  await until(() => first.isOpen && second.isOpen)
  const third = new TestClient(t, `${url}/v1/observe`)
  await until(() => third.closed !== undefined)
  t.equal(third.status, 503)
  const waitMs = Number(third.retryAfterMs)
  t.ok(waitMs >= 1_000 && waitMs < 5_000, `${waitMs} ms`)
  t.equal(third.retryAfter, String(Math.ceil(waitMs / 1_000)))
  first.ws.terminate()
  await until(() => router.stats().connections === 1)
  const fourth = new TestClient(t, `${url}/v1/observe`)
  await until(() => fourth.isOpen)
  t.equal(router.stats().connections, 2)
})

t.test(
  'handshakes beyond the burst are answered 503 with a time to wait, links are not',
  async t => {
    const clock = new ManualClock()
    const { url, router } = await rig(t, { handshakesPerSecondMax: 2, handshakesBurst: 3, clock })
    const connectAll = (count: number) =>
      Array.from({ length: count }, () => new TestClient(t, `${url}/v1/observe`))
    const first = connectAll(4)
    await until(() => first.filter(client => client.isOpen).length === 3)
    await until(() => router.stats().turnedAway === 1)
    const away = () => first.find(client => client.status !== undefined)
    await until(() => away() !== undefined)
    t.equal(away()?.status, 503)
    const hintMs = Number(away()?.retryAfterMs)
    t.ok(hintMs >= 1_000 && hintMs <= 5_000, `${hintMs} ms`)
    t.equal(away()?.retryAfter, String(Math.ceil(hintMs / 1_000)))
    const link = new TestClient(t, `${url}/v1/link`, { protocols: ['fanfold.link.v1'] })
    await until(() => link.isOpen)
    clock.advance(1_000)
    const second = connectAll(3)
    await until(() => second.filter(client => client.isOpen).length === 2)
    await until(() => second.some(client => client.status === 503))
    t.match(router.stats(), { turnedAway: 2, refused: 2, connections: 6 })
  },
)

t.test('those who are turned away are told different times', async t => {
  const { url } = await rig(t, {
    handshakesPerSecondMax: 1,
    handshakesBurst: 1,
    clock: new ManualClock(),
  })
  const clients = Array.from({ length: 30 }, () => new TestClient(t, `${url}/v1/write`))
  await until(() => clients.every(client => client.isOpen || client.closed !== undefined))
  const times = new Set(clients.map(client => client.retryAfterMs))
  t.ok(times.size > 10, `${times.size} times for 29`)
})

t.test('a router that is closed lets nobody in, and may be closed again', async t => {
  const { url, router, accepted } = await rig(t)
  router.close()
  router.close()
  const client = new TestClient(t, `${url}/v1/observe`)
  await until(() => client.closed !== undefined)
  t.equal(client.status, 503)
  t.same(accepted, [])
})

t.test('a path is served once', async t => {
  const { router } = await rig(t)
  t.throws(() => router.add('', { observe: { accept: () => undefined } }), /one route per path/)
})

/** The status line of the answer to a request made by hand. */
async function statusOf(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => {
    answer += chunk
  })
  socket.on('error', () => undefined)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await until(() => answer.includes('\r\n') || socket.destroyed)
  socket.destroy()
  return answer.slice(0, answer.indexOf('\r\n'))
}

const upgrade = (...more: readonly string[]): readonly string[] => [
  'GET /v1/observe HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Protocol: fanfold.v1',
  ...more,
]
const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
const version = 'Sec-WebSocket-Version: 13'

const hostile: readonly (readonly [string, RegExp, readonly string[]])[] = [
  ['ten thousand headers', / 431 /, upgrade(key, version, ...Array(10_000).fill('x-a: b'))],
  [
    '64 kB of subprotocols',
    / 431 /,
    upgrade(key, version, `Sec-WebSocket-Protocol: ${'a, '.repeat(22_000)}`),
  ],
  ['no key', / 400 /, upgrade(version)],
  ['a short key', / 400 /, upgrade(version, 'Sec-WebSocket-Key: AAAA')],
  ['another version', / 400 /, upgrade(key, 'Sec-WebSocket-Version: 7')],
  ['a body', / 400 /, upgrade(key, version, 'Content-Length: 5')],
  ['a chunked body', / 400 /, upgrade(key, version, 'Transfer-Encoding: chunked')],
  [
    'deflate with odd windows',
    / 101 /,
    upgrade(
      key,
      version,
      'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=1e9',
    ),
  ],
  ['a POST', / 405 /, ['POST /v1/observe HTTP/1.1', ...upgrade(key, version).slice(1)]],
]

for (const [name, status, lines] of hostile) {
  t.test(`a request with ${name} is answered${status.source}`, async t => {
    const { port, accepted } = await rig(t)
    t.match(await statusOf(port, lines), status)
    t.equal(accepted.length, status.source === ' 101 ' ? 1 : 0)
  })
}
