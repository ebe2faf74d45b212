/*
 * A client's WebSocket beside one of ws: whatever a client sends, however it comes, both hear the same, answer the same
 * bytes, and end the same way.
 */
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type RawData, WebSocketServer } from 'ws'
import { ClientSocket } from '../src/client-socket.ts'
import { FrameReaders } from '../src/frame-reader.ts'
import { deflateNegotiation, handshakeServer, upgraded } from '../src/ws-internals.ts'
import { until } from './client-rig.ts'

const bounds = { maxPayload: 2_000, maxFragments: 4, maxBufferedChunks: 64 }
/** Whether compression is offered, for those that ask for it. */
const offers = { perMessageDeflate: deflateNegotiation }

/** What was heard on a connection, and what came back. */
type Talk = { readonly heard: string[]; readonly answers: string; readonly isEnded: boolean }

/** A server whose connections are told of in `heard`. */
type Party = {
  readonly port: number
  readonly heard: string[]
  readonly ended: () => boolean
  /** Of the last connection, on this side. */
  readonly socket: () => Socket | undefined
}

const said = (data: RawData, isBinary: boolean): string => `${isBinary ? 'b' : 't'} ${String(data)}`

/** The other way of doing it, as ws does all of it. */
async function whole(t: Test): Promise<Party> {
  const heard: string[] = []
  let isEnded = false
  let near: Socket | undefined
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    ...bounds,
    ...offers,
  })
  const port = await serve(t, (request, socket, head) => {
    near = request.socket
    sockets.handleUpgrade(request, socket, head, ws => {
      ws.on('message', (data, isBinary) => heard.push(said(data, isBinary)))
      ws.on('ping', data => heard.push(`ping ${data}`))
      ws.on('pong', data => heard.push(`pong ${data}`))
      ws.on('error', () => undefined)
      ws.on('close', () => {
        isEnded = true
      })
    })
  })
  return { port, heard, ended: () => isEnded, socket: () => near }
}

async function ours(t: Test): Promise<Party> {
  const heard: string[] = []
  let isEnded = false
  let near: Socket | undefined
  const sockets = handshakeServer({ noServer: true, ...bounds, ...offers })
  const readers = new FrameReaders(bounds)
  const port = await serve(t, (request, socket, head) => {
    near = request.socket
    sockets.handleUpgrade(request, socket, head, answer => {
      const client = new ClientSocket({ ...upgraded(answer), readers })
      let pings = 0
      client.listen({
        onMessage: (data, isBinary) => heard.push(said(data, isBinary)),
        onPing: () => heard.push(`ping ${++pings}`),
        onPong: payload => heard.push(`pong ${payload}`),
        onDrain: () => undefined,
        onClose: () => {
          isEnded = true
        },
      })
    })
  })
  return { port, heard, ended: () => isEnded, socket: () => near }
}

async function serve(
  t: Test,
  upgrade: (
    ...request: Parameters<WebSocketServer['handleUpgrade']> extends [...infer Rest, unknown]
      ? Rest
      : never
  ) => void,
): Promise<number> {
  const server = createServer()
  server.on('upgrade', upgrade)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

const handshakeLines = [
  'GET / HTTP/1.1',
  'Host: here',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
const handshake = [...handshakeLines, '\r\n'].join('\r\n')
const compressing = [
  ...handshakeLines,
  'Sec-WebSocket-Extensions: permessage-deflate',
  '\r\n',
].join('\r\n')

/** A masked frame, with a mask that changes nothing. */
function unchanged(first: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([first, ...head, 0, 0, 0, 0]), payload])
}

/** The answer to a ping, masked. */
const pong = (length: number): Buffer =>
  frameOf({
    first: 0x8a,
    payload: Buffer.alloc(length, 'abcde'),
    mask: 0x1234_5678,
    isMasked: true,
  })

/** The payload of a compressed message. */
function deflated(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

/** A client whose handshake is done. */
async function shaken(t: Test, party: Party, request: string): Promise<Socket> {
  const socket = connect(party.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await new Promise<void>(resolve => {
    socket.once('data', () => resolve())
    socket.write(request)
  })
  return socket
}

/** Resolves when nothing new has come for a while. */
async function settled(what: () => string): Promise<void> {
  for (let before = ''; before !== what(); ) {
    before = what()
    await pause(50)
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Sends these chunks, one by one, and then ends; what came of it. */
async function talk(party: Party, request: string, chunks: readonly Buffer[]): Promise<Talk> {
  const socket = connect(party.port, '127.0.0.1')
  let came = ''
  socket.on('data', chunk => {
    came += chunk.toString('latin1')
  })
  let isClosed = false
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('error', () => undefined)
  socket.setNoDelay()
  socket.write(request)
  await until(() => came.includes('\r\n\r\n'))
  for (const chunk of chunks) {
    socket.write(chunk)
    await new Promise(resolve => setImmediate(resolve))
  }
  // What is inflated is heard after a while.
  if (request === compressing) await settled(() => `${party.heard.length} ${came.length}`)
  socket.end()
  await until(() => isClosed && party.ended())
  const answers = came.slice(came.indexOf('\r\n\r\n') + 4)
  return { heard: [...party.heard], answers, isEnded: true }
}

/** A client's frame of this kind, cut short where only a short one may be. */
function frameOf(parts: {
  readonly first: number
  readonly payload: Buffer
  readonly mask: number
  readonly isMasked: boolean
}): Buffer {
  const { first, mask, isMasked } = parts
  const isControl = (first & 8) !== 0
  const payload = Buffer.from(isControl ? parts.payload.subarray(0, 125) : parts.payload)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(mask)
  for (let at = 0; isMasked && at < payload.length; at++) {
    payload[at] = (payload[at] ?? 0) ^ (head[at % 4] ?? 0)
  }
  const bit = isMasked ? 0x80 : 0
  const short =
    payload.length < 126
      ? [bit | payload.length]
      : [bit | 126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from([first, ...short]), isMasked ? head : Buffer.alloc(0), payload])
}

const masks = {
  mask: fc.constantFrom(0, 0x1234_5678),
  isMasked: fc.constantFrom(true, true, true, true, true, true, true, true, true, false),
}

/** A client's frame, good or bad. */
const frame = fc
  .record({
    first: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0x81, 0x82, 0x89, 0x8a) },
      { weight: 3, arbitrary: fc.constantFrom(0x01, 0x00, 0x80) },
      { weight: 1, arbitrary: fc.constantFrom(0x88, 0xc1, 0x83, 0x09, 0x8b, 0xa1, 0x91) },
    ),
    length: fc.constantFrom(0, 1, 2, 5, 125, 126, 300, 2_001),
    letter: fc.constantFrom('a', 'ü', '\u0003'),
    ...masks,
  })
  .map(({ length, letter, ...rest }) => frameOf({ ...rest, payload: Buffer.alloc(length, letter) }))

/** One that says that it ends, why, and that in words or what is none. */
const closing = fc
  .record({
    first: fc.constantFrom(0x88, 0x88, 0x88, 0x88, 0x08, 0xc8),
    code: fc.constantFrom(0, 999, 1000, 1001, 1004, 1005, 1006, 1011, 1014, 1015, 2999, 3000, 5000),
    reason: fc.constantFrom('', 'bye', '\xc3\xbc', '\xff', 'x'.repeat(123)),
    ...masks,
  })
  .map(({ code, reason, ...rest }) => {
    const payload = Buffer.from(`..${reason}`, 'latin1')
    payload.writeUInt16BE(code)
    return frameOf({ ...rest, payload })
  })

/** One whose length is said to be something else, or more than any. */
const lying = fc.constantFrom(
  '81fe0001000000007a',
  '81ff000000000000000100000000' + '7a',
  '81ff001fffffffffffff00000000',
  '81ff002000000000000000000000',
  '81ff8000000000000001',
  '89fe007e00000000',
  '88810000000041',
  '018000000000',
  'c1',
)

/** One of a client that compresses. */
const packed = fc
  .record({
    first: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0xc1, 0xc1, 0xc2) },
      { weight: 4, arbitrary: fc.constantFrom(0x41, 0x00, 0x80) },
      { weight: 1, arbitrary: fc.constantFrom(0xc9, 0xca, 0xc0, 0x40, 0xe1, 0x81) },
    ),
    payload: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0, 1, 300, 2_000).map(n => deflated('a'.repeat(n))) },
      { weight: 1, arbitrary: fc.constantFrom(deflated('a'.repeat(2_001)), deflated('\ud800')) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', 'ff', '07', '0300').map(hex => Buffer.from(hex, 'hex')),
      },
      { weight: 1, arbitrary: fc.constant(deflated('b'.repeat(1_000)).subarray(0, 5)) },
    ),
    ...masks,
  })
  .map(frameOf)

/** Where what was sent is cut into chunks. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

function cutUp(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...at.map(part => Math.floor(part * bytes.length)), bytes.length].toSorted(
    (a, b) => a - b,
  )
  return places
    .map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
    .filter(({ length }) => length > 0)
}

const talks = [
  {
    title: 'whatever a client sends, it is heard and answered as by ws',
    request: handshake,
    numRuns: 200,
    // One in a chunk of its own, as most come, and two that are as long together as one must not be.
    examples: [[0], [125], [0, 122]].map((lengths): [Buffer[], number[]] => [
      lengths.map(pong),
      [],
    ]),
    said: fc.oneof(
      { weight: 8, arbitrary: frame },
      { weight: 1, arbitrary: closing },
      { weight: 1, arbitrary: lying.map(hex => Buffer.from(hex, 'hex')) },
    ),
  },
  {
    title: 'whatever a client sends that has agreed on compression, it is heard as by ws',
    request: compressing,
    numRuns: 60,
    // What cannot be inflated is rare among the others.
    examples: [[[unchanged(0xc1, Buffer.from([0xff]))], []]] satisfies [Buffer[], number[]][],
    said: fc.oneof(
      { weight: 4, arbitrary: packed },
      { weight: 2, arbitrary: frame },
      { weight: 1, arbitrary: closing },
    ),
  },
]

for (const { title, request, numRuns, said: frames, examples } of talks) {
  t.test(title, { timeout: 120_000 }, async t => {
    const check = fc.asyncProperty(
      fc.array(frames, { minLength: 1, maxLength: 8 }),
      cuts,
      async (bytes, at) => {
        const chunks = cutUp(Buffer.concat(bytes), at)
        const [theirs, own] = await Promise.all([
          talk(await whole(t), request, chunks),
          talk(await ours(t), request, chunks),
        ])
        // Ours says of a ping that there was one, and how it is answered.
        let pings = 0
        const heard = theirs.heard.map(what => (what.startsWith('ping') ? `ping ${++pings}` : what))
        t.same(
          { ...own },
          { ...theirs, heard },
          chunks.map(chunk => chunk.toString('hex')).join(' '),
        )
      },
    )
    await fc.assert(check, { numRuns, examples })
  })
}

t.test(
  'clients that come one after the other, and between each other, are read by one reader',
  async t => {
    const party = await ours(t)
    const text = (letter: string): Buffer =>
      Buffer.from([0x81, 0x81, 0, 0, 0, 0, letter.charCodeAt(0)])
    const first = await shaken(t, party, handshake)
    const second = await shaken(t, party, handshake)
    // The first is amid a frame while the second says something.
    first.write(text('a').subarray(0, 5))
    await pause(20)
    second.write(text('b'))
    await until(() => party.heard.length === 1)
    first.write(text('a').subarray(5))
    await until(() => party.heard.length === 2)
    second.write(Buffer.concat([text('c'), text('d')]))
    first.write(text('e'))
    await until(() => party.heard.length === 5)
    t.same(party.heard.slice(0, 2), ['t b', 't a'])
    t.same(party.heard.slice(2).toSorted(), ['t c', 't d', 't e'])
  },
)

t.test('what reads for a client that compresses reads for no other', async t => {
  const party = await ours(t)
  const packed = await shaken(t, party, compressing)
  const plain = await shaken(t, party, handshake)
  packed.write(unchanged(0x8a, Buffer.from('1')))
  await until(() => party.heard.length === 1)
  // What is free to read now is kept by one that is amid a frame.
  const text = unchanged(0x81, Buffer.from('3'))
  plain.write(text.subarray(0, 3))
  await pause(20)
  packed.write(unchanged(0xc1, deflated('2')))
  await until(() => party.heard.length === 2)
  plain.write(text.subarray(3))
  await until(() => party.heard.length === 3)
  t.same(party.heard, ['pong 1', 't 2', 't 3'])
  let answer = ''
  plain.on('data', chunk => {
    answer += chunk.toString('hex')
  })
  plain.write(unchanged(0xc1, deflated('4')))
  await until(() => answer !== '')
  t.equal(answer, '880203ea', 'one that has not agreed on compression has none')
})

t.test('who asks on and on and reads nothing is owed one answer, not all', async t => {
  const party = await ours(t)
  const socket = await shaken(t, party, handshake)
  socket.pause()
  const pings = 200
  const many = Buffer.concat(
    Array.from({ length: pings }, () => unchanged(0x89, Buffer.alloc(125, 'x'))),
  )
  // The systems on both sides take some megabytes before anything waits.
  const waits = () => party.socket()?.writableLength ?? 0
  let sent = 0
  const ask = async (bytes: Buffer, count: number): Promise<void> => {
    socket.write(bytes)
    sent += count
    await until(() => party.heard.length === sent)
  }
  while (waits() === 0) await ask(many, pings)
  for (let round = 0; round < 20; round++) await ask(many, pings)
  t.ok(waits() < 32_768, `${waits()} bytes wait`)
  await ask(unchanged(0x89, Buffer.from('the last')), 1)
  let came = Buffer.alloc(0)
  socket.on('data', chunk => {
    came = Buffer.concat([came.subarray(-16), chunk])
  })
  socket.resume()
  await until(() => came.includes('the last'))
  t.ok(came.subarray(-10).equals(Buffer.from('\x8a\x08the last', 'latin1')))
})
