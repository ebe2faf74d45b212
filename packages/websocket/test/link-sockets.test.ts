import { type OpenLinkRig, testLinkPort } from '@fanfold/conformance'
import {
  limits as bounds,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkInput,
  linkSubprotocol,
} from '@fanfold/protocol'
import { linkProofBytes, UpgradeRouter } from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { turns, until } from './client-rig.ts'
import { listen, StuckWay } from './http-server.ts'
import { testAuthenticator } from './link-authenticator.ts'
import { nextLink, type Side, serve, side, untilInput } from './link-side.ts'

const openRig =
  (t: Test): OpenLinkRig =>
  async reports => {
    const authenticator = testAuthenticator({ node: 'dialler' })
    const dialler = side(t, { authenticator, report: reports.dialler })
    const listener = side(t, {
      authenticator: testAuthenticator({ node: 'listener' }),
      report: reports.listener,
    })
    const way = await StuckWay.open(t, await serve(t, listener))
    return {
      dialler: dialler.links,
      listener: listener.links,
      dial: () => dialler.links.dial(`ws://127.0.0.1:${way.port}`),
      stall: () => way.stall(),
      unstall: () => way.unstall(),
      close: async () => {
        dialler.links.close()
        listener.links.close()
      },
    }
  }

testLinkPort(t, openRig(t))

/** A listener and what it tells a stranger that speaks WebSocket itself. */
async function withStranger(t: Test): Promise<{
  listener: Side
  ws: WebSocket
  frames: Uint8Array[]
  closed: Promise<{ code: number; reason: string }>
}> {
  const listener = side(t, { authenticator: testAuthenticator({ node: 'listener' }) })
  const port = await serve(t, listener)
  const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/link`, linkSubprotocol)
  const frames: Uint8Array[] = []
  ws.on('message', data => frames.push(data as Buffer))
  ws.on('error', () => undefined)
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await new Promise<void>(resolve => ws.on('open', () => resolve()))
  t.teardown(() => ws.terminate())
  return { listener, ws, frames, closed }
}

const helloOf = (token: string, versions = { versionMin: 1, versionMax: 1 }) =>
  encodeLinkFrame({
    kind: 'hello',
    ...versions,
    incarnation: 'x',
    token,
    nonce: new Uint8Array(32),
  })

t.test('each side learns who the other is from its token', async t => {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
  const authenticator = testAuthenticator({ node: 'b' })
  const listener = side(t, { authenticator })
  const port = await serve(t, listener)
  dialler.links.dial(`http://127.0.0.1:${port}/`)
  t.match(await untilInput(dialler, 'link-opened'), {
    peer: { node: 'b', region: 'here', ceiling: 3, incarnation: authenticator.incarnation },
    dialled: true,
  })
  t.match(await untilInput(listener, 'link-opened'), { peer: { node: 'a' }, dialled: false })
  t.equal(dialler.links.stats().links, 1)
})

t.test('a token that is not good is refused with 4501, and no link is reported', async t => {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a', token: 'forged' }) })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
  const { reason } = await untilInput(dialler, 'link-closed')
  t.match(reason, /^unauthorized: FANFOLD_BAD_TOKEN/)
  t.notMatch(reason, /secret/)
  t.same(dialler.inputs.length, 1)
  t.same(listener.inputs, [])
  t.equal(listener.links.stats().handshakesFailed, 1)
})

t.test("a proof by another key than the token's is refused", async t => {
  const thief = testAuthenticator({ node: 'thief' })
  const stolen = testAuthenticator({ node: 'a' }).token()
  const dialler = side(t, {
    authenticator: testAuthenticator({ node: 'a', token: stolen, sign: thief.sign }),
  })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
  t.match((await untilInput(dialler, 'link-closed')).reason, /FANFOLD_BAD_TOKEN/)
  t.same(listener.inputs, [])
})

t.test("a side that is shown its own proof does not take it for the other's", async t => {
  // The stranger has no key at all: it sends back whatever it gets.
  const { listener, ws, frames, closed } = await withStranger(t)
  for (const frame of frames) ws.send(frame)
  ws.on('message', data => ws.send(data))
  t.equal((await closed).code, 4501)
  t.same(listener.inputs, [])
})

t.test('the proof covers the role, both nonces and the token', async t => {
  const nonce = (value: number) => new Uint8Array(32).fill(value)
  const base = {
    role: 'dialler',
    diallerNonce: nonce(1),
    listenerNonce: nonce(2),
    token: 'a',
  } as const
  const texts = [
    base,
    { ...base, role: 'listener' as const },
    { ...base, diallerNonce: nonce(3) },
    { ...base, listenerNonce: nonce(3) },
    { ...base, token: 'b' },
  ].map(proof => Buffer.from(linkProofBytes(proof)).toString('hex'))
  t.equal(new Set(texts).size, texts.length)
})

t.test('no common version closes with 4510', async t => {
  const { ws, closed } = await withStranger(t)
  ws.send(helloOf('fleet x y', { versionMin: 2, versionMax: 9 }))
  t.match(await closed, { code: 4510, reason: /^FANFOLD_VERSION: / })
})

t.test('a text frame closes with 4500', async t => {
  const { ws, closed } = await withStranger(t)
  ws.send('hello')
  t.match(await closed, { code: 4500, reason: /FANFOLD_BAD_FRAME/ })
})

t.test('a frame before the hello closes with 4500', async t => {
  const { ws, closed } = await withStranger(t)
  ws.send(encodeLinkFrame({ kind: 'credit', channel: 1, bytes: 1 }))
  t.match(await closed, { code: 4500, reason: /a hello first, got credit/ })
})

t.test('a frame between hello and proof closes with 4500', async t => {
  const { ws, closed } = await withStranger(t)
  ws.send(helloOf(testAuthenticator({ node: 'x' }).token()))
  ws.send(encodeLinkFrame({ kind: 'credit', channel: 1, bytes: 1 }))
  t.match(await closed, { code: 4500, reason: /a proof after the hello/ })
})

t.test('a large first frame closes with 4500 before it is decoded', async t => {
  const { ws, closed } = await withStranger(t)
  ws.send(new Uint8Array(500_000))
  t.match(await closed, { code: 4500, reason: /small frames/ })
})

t.test('a stranger that says nothing is closed after the handshake time', async t => {
  const { listener, frames, closed } = await withStranger(t)
  await until(() => frames.length === 1)
  t.equal(decodeLinkFrame(frames[0] ?? new Uint8Array())?.kind, 'hello')
  listener.clock.advance(4_900)
  t.equal(listener.links.stats().handshakesFailed, 0)
  listener.clock.advance(200)
  t.match(await closed, { code: 4130 })
  t.equal(listener.links.stats().closes['no-answer'], 1)
})

t.test('a token that cannot be checked is not good', async t => {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
  const listener = side(t, {
    authenticator: testAuthenticator({
      node: 'b',
      verify: () => {
        throw new Error('a bug')
      },
    }),
  })
  dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
  t.match((await untilInput(dialler, 'link-closed')).reason, /FANFOLD_BAD_TOKEN/)
})

t.test('where nobody listens, a dialled link closes as refused', async t => {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
  const router = new UpgradeRouter({ origins: [], connectionsMax: 1 })
  const { server, port } = await listen(t, router)
  await new Promise(resolve => server.close(resolve))
  const link = dialler.links.dial(`ws://127.0.0.1:${port}`)
  const closed = await untilInput(dialler, 'link-closed')
  t.equal(closed.link, link)
  t.match(closed.reason, /^refused: /)
})

t.test('what is no address closes as unreachable', async t => {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
  dialler.links.dial('not an address')
  t.same(dialler.inputs, [], 'not from inside dial')
  t.match((await untilInput(dialler, 'link-closed')).reason, /^unreachable: /)
})

t.test('a second handshake on an open link is a bad frame', async t => {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  const link = dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
  await untilInput(dialler, 'link-opened')
  dialler.links.perform({ kind: 'link-send', link, frame: helloOf('again') })
  t.match((await untilInput(dialler, 'link-closed')).reason, /^bad-frame: /)
})

async function linked(
  t: Test,
  report: (input: LinkInput) => void = () => undefined,
): Promise<{ dialler: Side; listener: Side; way: StuckWay }> {
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }), report })
  const way = await StuckWay.open(t, await serve(t, listener))
  dialler.links.dial(`ws://127.0.0.1:${way.port}`)
  await untilInput(dialler, 'link-opened')
  await untilInput(listener, 'link-opened')
  return { dialler, listener, way }
}

t.test('a peer nothing comes from is closed as silent within its time', async t => {
  const { dialler, way } = await linked(t)
  dialler.clock.advance(50)
  way.stall()
  dialler.clock.advance(950)
  t.notOk(dialler.inputs.some(input => input.kind === 'link-closed'))
  dialler.clock.advance(100)
  t.match(await untilInput(dialler, 'link-closed'), { reason: /^silent: / })
})

t.test('pings keep an idle link open', async t => {
  const { dialler, listener, way } = await linked(t)
  for (let round = 0; round < 20; round++) {
    const { chunks } = way
    listener.clock.advance(300)
    dialler.clock.advance(300)
    await until(() => way.chunks >= chunks + 2)
    // The bytes have passed the way; a turn more, and they are read.
    await turns(3)
  }
  t.equal(dialler.links.stats().links, 1)
  t.equal(listener.links.stats().links, 1)
  const frames = listener.inputs.filter(input => input.kind === 'link-frame')
  t.equal(frames.length, 0, 'nobody sees them')
})

t.test('a process that did not run for a while does not call its peers silent', async t => {
  const { dialler } = await linked(t)
  dialler.clock.advance(50)
  dialler.clock.leap(30_000)
  t.equal(dialler.links.stats().links, 1)
})

/** A link of which the listener takes 30 ms for each frame, and frames sent over it in one go. */
async function costlyFrames(t: Test, count: number) {
  let turn = 0
  let isOver = false
  const next = (): void => {
    turn++
    if (!isOver) setImmediate(next)
  }
  next()
  t.teardown(() => {
    isOver = true
  })
  const taken: { readonly frame: number; readonly turn: number }[] = []
  const pair = await linked(t, input => {
    if (input.kind !== 'link-frame') return
    taken.push({ frame: input.frame[1] ?? -1, turn })
    pair.listener.clock.leap(30)
  })
  const link = pair.dialler.inputs.find(input => input.kind === 'link-opened')?.link ?? nextLink()
  for (let index = 0; index < count; index++) {
    pair.dialler.links.perform({ kind: 'link-send', link, frame: Uint8Array.of(200, index) })
  }
  return { ...pair, link, taken }
}

t.test('frames that take long are taken in over several turns, in their order', async t => {
  const { taken } = await costlyFrames(t, 100)
  await until(() => taken.length === 100)
  t.same(
    taken.map(({ frame }) => frame),
    [...taken.keys()],
  )
  // Two fit into a share, and a turn has two: for what is read, and for what waited.
  const inTurns = new Set(taken.map(({ turn }) => turn)).size
  t.ok(inTurns >= 25, `in ${inTurns} turns`)
})

t.test('a peer whose frames still wait is not silent', async t => {
  const { listener, taken } = await costlyFrames(t, 100)
  await until(() => taken.length > 0)
  listener.clock.advance(5_000)
  t.ok(taken.length < 100, `${taken.length} are taken in`)
  await until(() => taken.length === 100)
  t.equal(listener.links.stats().links, 1)
})

t.test('what came before the end of a link is told before it', async t => {
  const { dialler, listener, taken } = await costlyFrames(t, 100)
  await until(() => taken.length > 0)
  dialler.links.close()
  await untilInput(listener, 'link-closed')
  t.equal(taken.length, 100)
  t.equal(listener.inputs.at(-1)?.kind, 'link-closed')
})

t.test('frames of one turn leave in one write', async t => {
  const { dialler, listener } = await linked(t)
  const opened = dialler.inputs.find(input => input.kind === 'link-opened')
  const link = opened?.link ?? nextLink()
  for (let index = 0; index < 50; index++) {
    dialler.links.perform({ kind: 'link-send', link, frame: Uint8Array.of(200, index) })
  }
  await until(() => listener.links.stats().framesIn === 50)
  t.equal(dialler.links.stats().framesOut, 50)
})

t.test(
  'signals wait for a congested link to drain, the latest of each key, so many at most',
  async t => {
    const { dialler, listener, way } = await linked(t)
    const link = dialler.inputs.find(input => input.kind === 'link-opened')?.link ?? nextLink()
    const signal = (key: string, n: number) =>
      dialler.links.perform({ kind: 'link-signal', link, key, frame: Uint8Array.of(200, n) })
    signal('first', 1)
    await until(() => listener.links.stats().framesIn === 1)
    way.stall()
    const congested = () => dialler.inputs.some(input => input.kind === 'link-congested')
    while (!congested()) {
      dialler.links.perform({ kind: 'link-send', link, frame: new Uint8Array(500_000).fill(201) })
      await turns(1)
    }
    const { value: waitingMax } = bounds.signalsWaitingMax
    signal('dropped', 2)
    for (let n = 0; n < waitingMax; n++) signal(`${n}`, 3)
    signal('0', 4)
    await turns()
    t.notOk(dialler.inputs.some(input => input.kind === 'link-drained'))
    t.match(dialler.links.stats(), { signalsOut: waitingMax + 3, signalsDropped: 1 })
    way.unstall()
    const signals = () =>
      listener.inputs.flatMap(input =>
        input.kind === 'link-frame' && input.frame[0] === 200 ? [input.frame[1]] : [],
      )
    await until(() => signals().length === 1 + waitingMax)
    t.same([signals()[0], signals().at(-1)], [1, 4])
    t.notOk(signals().includes(2))
  },
)

t.test('a node that drains says so with 1012', async t => {
  const { dialler, listener } = await linked(t)
  listener.links.drain()
  t.match((await untilInput(dialler, 'link-closed')).reason, /^draining: FANFOLD_DRAINING/)
  t.match((await untilInput(listener, 'link-closed')).reason, /^FANFOLD_DRAINING/)
})

t.test('close is safe at every point and reports nothing afterwards', async t => {
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }) })
  const port = await serve(t, listener)
  for (let point = 0; point < 20; point++) {
    const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }) })
    dialler.links.dial(`ws://127.0.0.1:${port}`)
    for (let turn = 0; turn < point; turn++) await new Promise(resolve => setImmediate(resolve))
    dialler.links.close()
    const count = dialler.inputs.length
    dialler.links.close()
    dialler.links.drain()
    dialler.links.dial(`ws://127.0.0.1:${port}`)
    await new Promise(resolve => setImmediate(resolve))
    t.equal(dialler.inputs.length, count)
  }
  listener.links.close()
})
