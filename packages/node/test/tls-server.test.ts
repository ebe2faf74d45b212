/* A port over TLS: what comes that is none, handshakes that do not end, and a certificate that is replaced. */
import { once } from 'node:events'
import { request } from 'node:https'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { TestAuthority } from '@fanfold/conformance'
import t, { type Test } from 'tap'
import { HttpListener, type HttpRoute } from '../src/http-listener.ts'
import type { Log, LogFields } from '../src/logging.ts'
import { makeTicketKeys, TlsServer, type TlsServerOptions } from '../src/tls-server.ts'
import { until } from './hostile-rig.ts'
import { openRaw } from './hostile-socket.ts'
import { silent } from './start-rig.ts'

const authority = new TestAuthority('authority of tests')
const issue = () => authority.issue({ hosts: ['127.0.0.1'] })
const hello: HttpRoute = () => ({ status: 200, body: '{}' })

/** A log of which the test reads what is said at each level. */
function kept(): { readonly log: Log; readonly lines: [string, LogFields][] } {
  const lines: [string, LogFields][] = []
  const at = (level: string) => (fields: LogFields) => void lines.push([level, fields])
  const log: Log = { ...silent, debug: at('debug'), warn: at('warn'), error: at('error') }
  return { log, lines }
}

async function listen(t: Test, log: Log = silent) {
  const listener = new HttpListener([hello], log, issue())
  const port = await listener.listen(0, '127.0.0.1')
  t.teardown(() => listener.close())
  return { listener, port }
}

/** A bare server, with bounds of the test's. */
async function serve(t: Test, options: Partial<TlsServerOptions> = {}) {
  const tls = new TlsServer({ certificate: issue(), log: silent, ...options })
  tls.server.listen(0, '127.0.0.1')
  await once(tls.server, 'listening')
  t.teardown(() => {
    tls.cutHandshakes()
    tls.server.closeAllConnections()
    tls.server.close()
  })
  const address = tls.server.address()
  return { tls, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

/** A connection whose handshake is over. */
async function secure(t: Test, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.certificate, ...options })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  // A server that is closed may reset it.
  socket.on('error', () => undefined)
  return socket
}

/** The status of an answer over this connection, or a new one. */
async function get(port: number, socket?: TLSSocket): Promise<number | undefined> {
  const asked = request({
    port,
    host: '127.0.0.1',
    ca: authority.certificate,
    agent: false,
    ...(socket === undefined ? {} : { createConnection: () => socket }),
  })
  asked.end()
  const [answer] = await once(asked, 'response')
  answer.resume()
  await once(answer, 'end')
  return answer.statusCode
}

const serialOf = (socket: TLSSocket): string => socket.getPeerCertificate().serialNumber

await t.test('requests are answered over TLS 1.2 and later, and no other', async t => {
  const { port } = await listen(t)
  t.equal(await get(port), 200)
  t.equal((await secure(t, port)).getProtocol(), 'TLSv1.3')
  t.equal((await secure(t, port, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
  await t.rejects(secure(t, port, old))
})

await t.test('what is no TLS is a line for who debugs, and no trouble', async t => {
  const { log, lines } = kept()
  const { port } = await listen(t, log)
  const sent = [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\u0000'.repeat(300),
    '\u0016\u0003\u0001\u0002\u0000\u0001',
    'x'.repeat(50_000),
  ]
  for (let round = 0; round < 25; round++) {
    for (const text of sent) {
      const raw = await openRaw(port)
      raw.send(Buffer.from(text, 'latin1'))
      if (round % 2 === 0) raw.socket.end()
      else if (round % 3 === 0) raw.socket.resetAndDestroy()
      else {
        raw.socket.end()
        await until(() => raw.isClosed, 'the end of a connection that is no TLS')
      }
    }
  }
  t.equal(await get(port), 200)
  await until(() => lines.length >= 50, 'lines about them')
  t.same(
    [...new Set(lines.map(([level, { event }]) => `${level} ${event}`))],
    ['debug tls.handshake-failed'],
  )
  t.ok(lines.some(([, { reason }]) => reason === 'ERR_SSL_HTTP_REQUEST'))
})

await t.test('a handshake that does not end is cut, however it is fed', async t => {
  const { log, lines } = kept()
  const { tls, port } = await serve(t, { log, handshakeMaxMs: 300 })
  const still = await openRaw(port)
  const slow = await openRaw(port)
  await until(() => tls.handshakes === 2, 'two handshakes under way')
  // The head of a record of 512 bytes, and then its bytes one by one.
  slow.send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
  const drip = setInterval(() => slow.send(Buffer.from([0])), 50)
  t.teardown(() => clearInterval(drip))
  await until(() => still.isClosed && slow.isClosed, 'the end of both', 5_000)
  t.equal(tls.handshakes, 0)
  t.ok(lines.some(([, { reason }]) => reason === 'ERR_TLS_HANDSHAKE_TIMEOUT'))
})

await t.test('handshakes under way are bounded: one more is cut, and leaves no mark', async t => {
  const { tls, port } = await serve(t, { handshakesMax: 3 })
  const raws = await Promise.all([openRaw(port), openRaw(port), openRaw(port)])
  await until(() => tls.handshakes === 3, 'three handshakes')
  const late = await openRaw(port)
  await until(() => late.isClosed, 'the end of the fourth')
  t.ok(raws.every(raw => !raw.isClosed))
  for (const raw of raws) raw.socket.destroy()
  await until(() => tls.handshakes === 0, 'room again')
  await secure(t, port)
  await until(() => tls.handshakes === 0, 'that one that is over does not count')
})

await t.test('closing cuts handshakes that are under way, and ends', async t => {
  const { listener, port } = await listen(t)
  const raw = await openRaw(port)
  raw.send(Buffer.from([0x16, 3, 1]))
  const idle = await secure(t, port)
  idle.resume()
  await new Promise(resolve => setImmediate(resolve))
  const startedAt = performance.now()
  await listener.close()
  t.ok(performance.now() - startedAt < 5_000)
  await until(() => raw.isClosed && idle.destroyed, 'the end of both')
})

await t.test('another certificate is shown to who connects, and nobody is cut off', async t => {
  const { listener, port } = await listen(t)
  const before = await secure(t, port)
  const next = issue()
  listener.show(next)
  const after = await secure(t, port)
  t.not(serialOf(after), serialOf(before))
  t.equal(await get(port, before), 200, 'who was there goes on')
  t.equal(await get(port, after), 200)
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
  await t.rejects(secure(t, port, old), 'what else was set stays')
})

await t.test('a client resumes its session, also over another certificate', async t => {
  const { listener, port } = await listen(t)
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const options = { minVersion: version, maxVersion: version } as const
    const first = connect({ port, host: '127.0.0.1', ca: authority.certificate, ...options })
    t.teardown(() => first.destroy())
    const [session] = await once(first, 'session')
    t.notOk(first.isSessionReused())
    t.ok((await secure(t, port, { ...options, session })).isSessionReused(), version)
    listener.show(issue())
    t.ok((await secure(t, port, { ...options, session })).isSessionReused(), `${version}, replaced`)
  }
})

await t.test(
  'a session is resumed at another port that has the same keys, and at no other',
  async t => {
    const ticketKeys = makeTicketKeys()
    const first = await serve(t, { ticketKeys })
    const options = { port: first.port, host: '127.0.0.1', ca: authority.certificate }
    const socket = connect(options)
    t.teardown(() => socket.destroy())
    const [session] = await once(socket, 'session')
    const same = await serve(t, { ticketKeys })
    t.ok((await secure(t, same.port, { session })).isSessionReused())
    const other = await serve(t)
    t.notOk((await secure(t, other.port, { session })).isSessionReused())
  },
)
