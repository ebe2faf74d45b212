import { connect } from 'node:net'
import type { Grants } from '@fanfold/protocol'
import t from 'tap'
import { grants, turns, until } from './client-rig.ts'
import { observe, rig, text } from './viewer-rig.ts'

t.test('a token in the subprotocol list opens a viewer, and does not come back', async t => {
  const { inputs, connect } = await rig(t)
  const client = connect({ token: 'good' })
  await until(() => inputs.length > 0 && client.isOpen)
  t.match(inputs, [{ kind: 'viewer-opened', grants: { subject: 'ann' } }])
  t.equal(client.ws.protocol, 'fanfold.v1')
})

t.test('a token in the Authorization header opens a viewer', async t => {
  const { inputs, connect } = await rig(t)
  connect({ headers: { authorization: 'Bearer good' } })
  await until(() => inputs.length > 0)
  t.match(inputs, [{ kind: 'viewer-opened' }])
})

t.test('a token in an authenticate frame opens a viewer, and a second one renews', async t => {
  const { inputs, connect } = await rig(t)
  const client = connect()
  await until(() => client.isOpen)
  client.send({ type: 'authenticate', token: 'good' })
  client.send({ type: 'authenticate', token: 'short' })
  client.send(observe)
  await until(() => inputs.length === 3)
  t.match(inputs, [
    { kind: 'viewer-opened' },
    { kind: 'viewer-renewed', grants: { expiresAtMs: Number } },
    { kind: 'viewer-requested', request: { type: 'observe', doc: 'acme/match/final' } },
  ])
})

t.test('requests sent right behind the handshake wait for the token to be verified', async t => {
  let admit: (grants: Grants) => void = () => undefined
  const { inputs, connect } = await rig(t, {
    verifyToken: () =>
      new Promise(resolve => {
        admit = resolve
      }),
  })
  const client = connect({ token: 'good' })
  await until(() => client.isOpen)
  for (let index = 0; index < 5; index++) client.send(observe)
  await turns()
  t.same(inputs, [])
  admit(grants())
  await until(() => inputs.length === 6)
  t.equal(inputs[0]?.kind, 'viewer-opened')
})

t.test('a bad token is refused with 4501 and says nothing of why', async t => {
  const { inputs, connect, viewers } = await rig(t)
  for (const token of ['bad', 'expired', 'x'.repeat(9_000)]) {
    const client = connect({ token })
    await until(() => client.closed !== undefined)
    t.equal(client.closed?.code, 4501)
    t.match(client.frames, [{ type: 'refused', code: 'FANFOLD_UNAUTHORIZED' }])
    t.notMatch(JSON.stringify([client.frames, client.closed]), /secret/)
  }
  t.same(inputs, [])
  t.equal(viewers.stats().viewers, 0)
})

t.test('a verifier that throws is a token that is not good', async t => {
  const { connect } = await rig(t, {
    verifyToken: () => {
      throw new Error('a bug')
    },
  })
  const client = connect({ token: 'good' })
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 4501)
})

t.test('a newcomer beyond those whose tokens are verified is told when to come again', async t => {
  const { connect, viewers } = await rig(t, {
    verifyToken: () => new Promise(() => undefined),
    tokensVerifyingMax: 2,
  })
  const waiting = [connect({ token: 'good' }), connect({ token: 'good' })]
  await until(() => viewers.stats().viewers === 2)
  const client = connect({ token: 'good' })
  await until(() => client.closed !== undefined)
  t.match(client.frames, [{ code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  t.ok(waiting.every(one => one.isOpen))
})

t.test('a request before the token is refused, and closes when it persists', async t => {
  const { inputs, connect } = await rig(t)
  const client = connect()
  await until(() => client.isOpen)
  client.send(observe)
  await until(() => client.frames.length === 1)
  t.match(client.frames, [{ type: 'refused', code: 'FANFOLD_UNAUTHORIZED' }])
  t.ok(client.isOpen)
  client.send(observe)
  client.send(observe)
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 4501)
  t.same(inputs, [])
})

t.test('a viewer without a token is closed after five seconds', async t => {
  const { clock, connect, viewers } = await rig(t)
  const client = connect()
  await until(() => client.isOpen && viewers.stats().viewers === 1)
  clock.advance(4_000)
  await turns()
  t.ok(client.isOpen)
  clock.advance(2_000)
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 4501)
})

t.test('a viewer whose token ends is closed, one that renews is not', async t => {
  const { clock, open, inputs } = await rig(t, { limits: { pingEveryMs: 100_000 } })
  const { client: lazy } = await open('short')
  const { client: diligent } = await open('short')
  diligent.send({ type: 'authenticate', token: 'good' })
  await until(() => inputs.some(input => input.kind === 'viewer-renewed'))
  clock.advance(11_000)
  await until(() => lazy.closed !== undefined)
  t.equal(lazy.closed?.code, 4501)
  t.ok(diligent.isOpen)
  t.equal(inputs.filter(input => input.kind === 'viewer-closed').length, 1)
})

t.test('bad frames are refused by name, and the third closes with 4500', async t => {
  const { open, inputs } = await rig(t)
  const { client } = await open()
  client.ws.send('{"type":"observe"}')
  client.ws.send('not json')
  await until(() => client.frames.length === 2)
  t.match(client.frames, [
    { type: 'refused', code: 'FANFOLD_BAD_FRAME', message: /doc/ },
    { type: 'refused', code: 'FANFOLD_BAD_FRAME' },
  ])
  client.ws.send(Buffer.from('{}'), { binary: true })
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 4500)
  t.match(inputs.at(-1), { kind: 'viewer-closed' })
})

t.test('more frames than the limit close with 4129, pings among them', async t => {
  const { open, inputs } = await rig(t, { limits: { framesPerSecondMax: 10, framesBurst: 20 } })
  const { client: talker } = await open()
  for (let index = 0; index < 21; index++) talker.send(observe)
  await until(() => talker.closed !== undefined)
  t.equal(talker.closed?.code, 4129)
  t.match(talker.frames.at(-1), { code: 'FANFOLD_TOO_MANY_FRAMES', retryAfter: Number })
  t.equal(inputs.filter(input => input.kind === 'viewer-requested').length, 20)
  const { client: pinger } = await open()
  for (let index = 0; index < 21; index++) pinger.ws.ping()
  await until(() => pinger.closed !== undefined)
  t.equal(pinger.closed?.code, 4129)
})

t.test('a viewer that takes no byte for thirty seconds is closed', async t => {
  const { open, perform, viewers, clock, inputs } = await rig(t)
  const { client, viewer } = await open()
  client.ws.pause()
  const frame = text({ filler: 'x'.repeat(500_000) })
  for (let sent = 0; sent < 40; sent++) perform({ kind: 'viewer-send', viewer, frame })
  await turns()
  clock.advance(29_000)
  t.equal(viewers.stats().viewers, 1)
  clock.advance(4_000)
  t.equal(viewers.stats().closes['too-slow'], 1)
  t.match(inputs.at(-1), { kind: 'viewer-closed', viewer })
})

t.test('a viewer nothing is heard of for two pings is closed', async t => {
  const { open, clock, viewers } = await rig(t)
  const { client: answers } = await open()
  const { client: silent } = await open()
  let pings = 0
  answers.ws.on('ping', () => pings++)
  silent.ws.pause()
  clock.advance(16_000)
  await until(() => pings === 1)
  await turns()
  clock.advance(1_000)
  clock.advance(16_000)
  await until(() => viewers.stats().closes['silent'] === 1)
  t.ok(answers.isOpen)
  t.equal(viewers.stats().viewers, 1)
})

/** Opens a WebSocket by hand, sends bytes, and resolves with all that came back before the end. */
async function raw(port: number, bytes: readonly Buffer[]): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => undefined)
  const ended = new Promise<void>(resolve => socket.on('close', () => resolve()))
  socket.write(
    [
      'GET /v1/observe HTTP/1.1',
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      'Sec-WebSocket-Protocol: fanfold.v1, bearer.good',
      '\r\n',
    ].join('\r\n'),
  )
  await until(() => chunks.length > 0)
  for (const part of bytes) socket.write(part)
  await ended
  return Buffer.concat(chunks)
}

/** The close code in what a server sent by hand-read bytes. */
function closeCodeIn(answer: Buffer): number | undefined {
  const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4)
  for (let at = 0; at + 3 < body.length; ) {
    if (body[at] === 0x88) return body.readUInt16BE(at + 2)
    const short = body[at + 1] ?? 0
    at += short < 126 ? 2 + short : 4 + body.readUInt16BE(at + 2)
  }
  return undefined
}

/** A client's frame, masked with zeros. */
function clientFrame(first: number, payload: Buffer, maskBit = 0x80): Buffer {
  const mask = maskBit === 0 ? Buffer.alloc(0) : Buffer.alloc(4)
  const head =
    payload.length < 126
      ? Buffer.from([first, maskBit | payload.length])
      : Buffer.from([first, maskBit | 126, payload.length >> 8, payload.length & 255])
  return Buffer.concat([head, mask, payload])
}

const hostile: readonly (readonly [string, number, readonly Buffer[]])[] = [
  ['an unmasked frame', 1002, [clientFrame(0x81, Buffer.from('{}'), 0)]],
  ['a reserved bit', 1002, [clientFrame(0xc1, Buffer.from('{}'))]],
  ['a reserved opcode', 1002, [clientFrame(0x83, Buffer.from('{}'))]],
  ['a fragmented ping', 1002, [clientFrame(0x09, Buffer.from('{}'))]],
  ['a ping of 126 bytes', 1002, [clientFrame(0x89, Buffer.alloc(126))]],
  ['a continuation of nothing', 1002, [clientFrame(0x80, Buffer.from('{}'))]],
  ['text that is not UTF-8', 1007, [clientFrame(0x81, Buffer.from([0xc3, 0x28]))]],
  ['a close frame with code 1005', 1002, [clientFrame(0x88, Buffer.from([0x03, 0xed]))]],
  [
    'a length with the top bit set',
    1009,
    [Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ],
  [
    'a declared length over the limit, then silence',
    1009,
    [Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0])],
  ],
  [
    'a flood of one-byte fragments',
    1008,
    [clientFrame(0x01, Buffer.from('{')), ...Array(200).fill(clientFrame(0x00, Buffer.from(' ')))],
  ],
  [
    'a flood of empty fragments',
    1008,
    [clientFrame(0x01, Buffer.from('{')), ...Array(200).fill(clientFrame(0x00, Buffer.alloc(0)))],
  ],
]

for (const [name, code, bytes] of hostile) {
  t.test(`${name} closes the connection with ${code}`, async t => {
    const { port, viewers, inputs } = await rig(t)
    const answer = await raw(port, bytes)
    t.equal(closeCodeIn(answer), code)
    await until(() => viewers.stats().viewers === 0)
    t.notOk(inputs.some(input => input.kind === 'viewer-requested'))
  })
}

t.test('a connection cut inside a frame leaves nothing behind', async t => {
  const { port, viewers, inputs } = await rig(t)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'GET /v1/observe HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
      'Sec-WebSocket-Protocol: fanfold.v1, bearer.good\r\n\r\n',
  )
  await until(() => inputs.length === 1)
  socket.write(Buffer.from([0x81, 0xfe, 0x10, 0x00, 0, 0, 0, 0, 0x7b]))
  await turns(3)
  socket.resetAndDestroy()
  await until(() => inputs.length === 2)
  t.match(inputs[1], { kind: 'viewer-closed' })
  t.equal(viewers.stats().viewers, 0)
})

t.test('tokens past their rate close the connection, none of them checked', async t => {
  let checked = 0
  const { connect } = await rig(t, {
    verifyToken: async () => {
      checked++
      return grants()
    },
  })
  const client = connect()
  await until(() => client.isOpen)
  for (let index = 0; index < 50; index++) client.send({ type: 'authenticate', token: 'good' })
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 4129)
  t.match(client.frames, [{ type: 'refused', code: 'FANFOLD_TOO_MANY_FRAMES', retryAfter: 1_000 }])
  t.equal(checked, 10)
})
