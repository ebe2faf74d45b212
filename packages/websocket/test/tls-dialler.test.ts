/* Links over TLS: who is believed, what is said of who is not, and sessions that are resumed. */
import type { Server } from 'node:http'
import type { TLSSocket } from 'node:tls'
import {
  type IssuedCertificate,
  type OpenLinkRig,
  TestAuthority,
  testLinkPort,
} from '@fanfold/conformance'
import { TlsDialler, UpgradeRouter } from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { until } from './client-rig.ts'
import { listen, StuckWay } from './http-server.ts'
import { testAuthenticator } from './link-authenticator.ts'
import { type Side, serve, side, untilInput } from './link-side.ts'

const hourMs = 3_600_000
const hosts = ['127.0.0.1', 'localhost']
const authority = new TestAuthority('authority of tests')
const stranger = new TestAuthority('nobody that is known')
const good = authority.issue({ hosts })

const openRig =
  (t: Test): OpenLinkRig =>
  async reports => {
    const dialler = side(t, {
      authenticator: testAuthenticator({ node: 'dialler' }),
      report: reports.dialler,
      tls: new TlsDialler([authority.certificate]),
    })
    const listener = side(t, {
      authenticator: testAuthenticator({ node: 'listener' }),
      report: reports.listener,
    })
    const way = await StuckWay.open(t, await serve(t, listener, good))
    return {
      dialler: dialler.links,
      listener: listener.links,
      dial: () => dialler.links.dial(`wss://127.0.0.1:${way.port}`),
      stall: () => way.stall(),
      unstall: () => way.unstall(),
      close: async () => {
        dialler.links.close()
        listener.links.close()
      },
    }
  }

testLinkPort(t, openRig(t))

/** Why a link to a node that shows this certificate closes; undefined when it opens. */
async function outcome(
  t: Test,
  shown: IssuedCertificate,
  believed: readonly string[],
): Promise<{ readonly reason: string | undefined; readonly dialler: Side }> {
  const dialler = side(t, {
    authenticator: testAuthenticator({ node: 'a' }),
    tls: new TlsDialler(believed),
  })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  dialler.links.dial(`wss://127.0.0.1:${await serve(t, listener, shown)}`)
  await until(() => dialler.inputs.length > 0)
  const [input] = dialler.inputs
  return { reason: input?.kind === 'link-closed' ? input.reason : undefined, dialler }
}

await t.test(
  'a certificate of an authority that is believed is taken, also by others between',
  async t => {
    const between = new TestAuthority('between', authority)
    for (const shown of [good, between.issue({ hosts })]) {
      const { reason } = await outcome(t, shown, [stranger.certificate, authority.certificate])
      t.equal(reason, undefined)
    }
  },
)

await t.test('a certificate that is not believed is told with why, and counted', async t => {
  const now = Date.now()
  const elsewhere = authority.issue({ hosts: ['proxy.example.com'] })
  const ended = authority.issue({ hosts, fromMs: now - 2 * hourMs, endsAtMs: now - hourMs })
  const early = authority.issue({ hosts, fromMs: now + hourMs })
  const believed = [authority.certificate]
  const cases: [string, IssuedCertificate, readonly string[], RegExp][] = [
    ['ended', ended, believed, /^untrusted: CERT_HAS_EXPIRED: /],
    ['not begun', early, believed, /^untrusted: CERT_NOT_YET_VALID: /],
    ['of another host', elsewhere, believed, /^untrusted: ERR_TLS_CERT_ALTNAME_INVALID: /],
    ['of a stranger', stranger.issue({ hosts }), believed, /^untrusted: UNABLE_TO_\w+: /],
    ['of whom Node does not know', good, [], /^untrusted: UNABLE_TO_\w+: /],
  ]
  for (const [name, shown, authorities, reason] of cases) {
    const { reason: said, dialler } = await outcome(t, shown, authorities)
    t.match(said, reason, name)
    t.same(dialler.links.stats().closes, { untrusted: 1 })
    t.equal(dialler.links.stats().handshakesFailed, 1)
  }
})

await t.test('what speaks no TLS where TLS is dialled, or the other way, is no link', async t => {
  const tls = new TlsDialler([authority.certificate])
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), tls })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  dialler.links.dial(`wss://127.0.0.1:${await serve(t, listener)}`)
  await until(() => dialler.inputs.length === 1)
  dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener, good)}`)
  await until(() => dialler.inputs.length === 2)
  const reasons = dialler.inputs.map(input => (input.kind === 'link-closed' ? input.reason : ''))
  t.match(reasons, [/^unreachable: /, /^lost: /])
  t.same(listener.inputs, [])
})

/** A node behind TLS that says for each connection whether its session was resumed. */
async function listening(t: Test): Promise<{ readonly port: number; readonly resumed: boolean[] }> {
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  const router = new UpgradeRouter({ origins: [], connectionsMax: 100 })
  router.add('', { link: listener.links })
  const { server, port } = await listen(t, router, good)
  const resumed: boolean[] = []
  onSecure(server, socket => resumed.push(socket.isSessionReused()))
  return { port, resumed }
}

const onSecure = (server: Server, take: (socket: TLSSocket) => void): void => {
  server.on('secureConnection', take)
}

await t.test('a link that comes back resumes its session, until others are believed', async t => {
  const tls = new TlsDialler([authority.certificate])
  const { port, resumed } = await listening(t)
  const dial = async (host: string): Promise<void> => {
    const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), tls })
    dialler.links.dial(`wss://${host}:${port}`)
    await untilInput(dialler, 'link-opened')
    dialler.links.close()
  }
  await dial('127.0.0.1')
  t.equal(tls.sessions, 1)
  await dial('127.0.0.1')
  await dial('localhost')
  await dial('localhost')
  t.same(resumed, [false, true, false, true], 'each address has its own')
  t.equal(tls.sessions, 2)
  tls.believe([authority.certificate])
  await dial('127.0.0.1')
  tls.believe([authority.certificate, stranger.certificate])
  t.equal(tls.sessions, 0)
  await dial('127.0.0.1')
  t.same(resumed.slice(4), [true, false])
})

await t.test('a session does not outlive those who vouched for it', async t => {
  const tls = new TlsDialler([authority.certificate])
  const { port } = await listening(t)
  const dial = (): Side => {
    const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), tls })
    dialler.links.dial(`wss://127.0.0.1:${port}`)
    return dialler
  }
  await untilInput(dial(), 'link-opened')
  tls.believe([stranger.certificate])
  t.match((await untilInput(dial(), 'link-closed')).reason, /^untrusted: /)
  t.equal(tls.sessions, 0)
})

await t.test('sessions are kept of so many addresses, the latest', async t => {
  const tls = new TlsDialler([authority.certificate], 2)
  const nodes = [await listening(t), await listening(t), await listening(t)]
  for (const { port } of [...nodes, ...nodes.toReversed()]) {
    const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), tls })
    dialler.links.dial(`wss://127.0.0.1:${port}`)
    await untilInput(dialler, 'link-opened')
    t.ok(tls.sessions <= 2)
  }
  t.same(
    nodes.map(({ resumed }) => resumed),
    [
      [false, false],
      [false, true],
      [false, true],
    ],
  )
})
