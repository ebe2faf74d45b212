/* What ws-internals.ts takes for granted of the ws and the Node that are installed. */
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, Socket } from 'node:net'
import t, { type Test } from 'tap'
import * as ws from 'ws'
import { WebSocket } from 'ws'
import {
  closeCodeOf,
  closeFrame,
  deflateNegotiation,
  dropInflate,
  encodeTextFrame,
  forgetDescriptor,
  handleUnder,
  handshakeServer,
  isAtRest,
  isStreamIdle,
  keepDescriptor,
  kernelBacklogBytes,
  newReceiver,
  pingFrame,
  pongFrame,
  type Upgraded,
  upgraded,
  writeToHandle,
} from '../src/ws-internals.ts'
import { until } from './client-rig.ts'

const plain = { isDeflated: false }
const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]

t.test("a frame is byte for byte what ws's own sender makes", t => {
  const sender: unknown = Reflect.get(ws, 'Sender')
  const frame: unknown = typeof sender === 'function' ? Reflect.get(sender, 'frame') : undefined
  if (typeof frame !== 'function') throw new Error('ws exports Sender.frame')
  for (const length of lengths) {
    const payload = Buffer.alloc(length, 'x')
    const theirs: Buffer[] = frame(payload, { fin: true, opcode: 1, mask: false, rsv1: false })
    t.ok(encodeTextFrame(payload, plain).equals(Buffer.concat(theirs)), `${length} bytes`)
  }
  t.end()
})

t.test("frames of control are byte for byte what ws's own sender makes", async t => {
  const sender: unknown = Reflect.get(ws, 'Sender')
  const frame: unknown = typeof sender === 'function' ? Reflect.get(sender, 'frame') : undefined
  if (typeof frame !== 'function') throw new Error('ws exports Sender.frame')
  const theirs = (opcode: number, payload: Buffer): Buffer =>
    Buffer.concat(frame(payload, { fin: true, opcode, mask: false, rsv1: false }))
  for (const length of [0, 1, 125]) {
    const payload = Buffer.alloc(length, 'x')
    t.same(pingFrame(payload), theirs(9, payload))
    t.same(pongFrame(payload), theirs(10, payload))
  }
  t.same(closeFrame(4108, Buffer.from('slow')), theirs(8, Buffer.from('\x10\x0cslow', 'latin1')))
  t.same(closeFrame(undefined, Buffer.from('none')), theirs(8, Buffer.alloc(0)))
})

for (const compression of [false, deflateNegotiation]) {
  const what = compression === false ? 'nothing' : 'compression'
  t.test(`ws hands a socket over with ${what} agreed on`, async t => {
    const server = createServer()
    const sockets = handshakeServer({ noServer: true, perMessageDeflate: compression })
    const answers: Upgraded[] = []
    let requested: Socket | undefined
    server.on('upgrade', (request, socket, head) => {
      requested = request.socket
      // Two frames come with the handshake, as far as the handler is concerned.
      const early = Buffer.concat([head, masked(1, 'early')])
      sockets.handleUpgrade(request, socket, early, answer => answers.push(upgraded(answer)))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    t.teardown(() => client.terminate())
    await until(() => answers.length === 1)
    const [answer] = answers
    if (answer === undefined) return
    t.equal(answer.socket, requested)
    t.equal(answer.extensions === undefined, compression === false)
    t.same(
      Object.keys(answer.extensions ?? {}),
      compression === false ? [] : ['permessage-deflate'],
    )
    const got: Buffer[] = []
    answer.socket.on('data', chunk => got.push(chunk))
    await until(() => got.length > 0)
    t.same(Buffer.concat(got).subarray(0, 11), masked(1, 'early'))
    t.equal(kernelBacklogBytes(answer.socket), 0)
    t.equal(kernelBacklogBytes(new Socket()), undefined)
  })
}

/** Of receivers. */
const bounds = { maxPayload: 1_000, maxFragments: 3, maxBufferedChunks: 16 }

/** A client's frame; `first` is its first byte where that is another than of a whole message. */
function masked(opcode: number, payload: string | Buffer, first = 0x80 | opcode): Buffer {
  const bytes = Buffer.from(payload)
  const length =
    bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length]
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), bytes])
}

t.test(
  'a receiver is at rest between two frames and between two messages, and then only',
  async t => {
    const receiver = newReceiver({ ...bounds, maxBufferedChunks: 1_000 })
    const said: string[] = []
    receiver.on('message', data => said.push(String(data)))
    t.ok(isAtRest(receiver))
    for (const text of ['a', 'x'.repeat(300)]) {
      const frame = masked(1, text)
      for (const [index, byte] of frame.entries()) {
        receiver.write(Buffer.from([byte]))
        t.equal(isAtRest(receiver), index === frame.length - 1)
      }
    }
    t.same(said, ['a', 'x'.repeat(300)])
    receiver.write(masked(1, 'be', 0x01))
    t.notOk(isAtRest(receiver), 'amid fragments')
    receiver.write(masked(9, 'ping'))
    t.notOk(isAtRest(receiver), 'and a ping between them')
    receiver.write(masked(0, 'gun'))
    t.ok(isAtRest(receiver))
    t.equal(said.at(-1), 'begun')
    receiver.write(masked(8, ''))
    t.notOk(isAtRest(receiver), 'after the end')
  },
)

const badFrames: readonly (readonly [Buffer, number])[] = [
  [masked(3, ''), 1002],
  [masked(1, 'x', 0xc1), 1002],
  [masked(0, 'x'), 1002],
  [Buffer.from([0x81, 0x01, 0x61]), 1002],
  [masked(1, Buffer.from([0xff])), 1007],
  [masked(1, 'x'.repeat(1_001)), 1009],
  [Buffer.concat([0x01, 0x00, 0x00, 0x00].map(first => masked(0, 'x', first))), 1008],
  [masked(8, Buffer.from([0x03, 0xed])), 1002],
]

t.test('what a receiver cannot read is told by the code that ws has for it', async t => {
  for (const [frame, expected] of badFrames) {
    const receiver = newReceiver(bounds)
    const failed = new Promise<Error>(resolve => receiver.once('error', resolve))
    receiver.write(frame)
    t.notOk(isAtRest(receiver))
    const error = await failed
    t.equal(closeCodeOf(error), expected, error.message)
    const own = Object.getOwnPropertySymbols(error).find(name => name.description === 'status-code')
    t.equal(own && Reflect.get(error, own), expected, 'which it has with the error')
  }
})

t.test('what ws keeps to inflate with is made anew for each message', async t => {
  const server = createServer()
  const sockets = handshakeServer({ noServer: true, perMessageDeflate: deflateNegotiation })
  const said: string[] = []
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, answer => {
      const { extensions = {}, socket: own } = upgraded(answer)
      const receiver = newReceiver({ ...bounds, extensions })
      own.on('data', chunk => receiver.write(chunk))
      receiver.on('message', data => {
        const extension: object = Reflect.get(extensions, 'permessage-deflate')
        t.type(Reflect.get(extension, '_inflate'), 'object')
        dropInflate(extensions)
        t.equal(Reflect.get(extension, '_inflate'), null)
        said.push(String(data))
      })
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: { threshold: 0 },
  })
  t.teardown(() => client.terminate())
  await new Promise<void>(resolve => client.once('open', () => resolve()))
  for (const text of ['a', 'b', 'c']) client.send(text.repeat(500))
  await until(() => said.length === 3)
  t.same(
    said.map(text => text[0]),
    ['a', 'b', 'c'],
  )
})

/** Two ends of a TCP connection; the far one reads nothing until it is resumed. */
async function connected(t: Test): Promise<{ near: Socket; far: Socket }> {
  const server = createTcpServer({ pauseOnConnect: true })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise<void>(resolve => near.once('connect', resolve))
  const far = await accepted
  for (const socket of [near, far]) {
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
  }
  t.teardown(() => server.close())
  return { near, far }
}

/** So many bytes that no kernel takes them at once. */
const muchBytes = 32 * 1_048_576

t.test(
  'what is written to the handle takes its place between what the stream is given',
  async t => {
    const { near, far } = await connected(t)
    const handle = handleUnder(near)
    if (handle === undefined) throw new Error('this Node lets handles be written to')
    let got = ''
    far.on('data', bytes => {
      got += bytes.toString('latin1')
    })
    far.resume()
    t.ok(writeToHandle(near, handle, Buffer.from('1')))
    near.write('2')
    t.ok(writeToHandle(near, handle, Buffer.from('3')))
    near.cork()
    t.notOk(writeToHandle(near, handle, Buffer.from('4')), 'others wait in a stream that is corked')
    near.write('4')
    near.uncork()
    t.ok(writeToHandle(near, handle, Buffer.from('5')))
    await until(() => got.length === 5)
    t.equal(got, '12345')
  },
)

t.test('what the kernel does not take at once is sent before what comes next', async t => {
  const { near, far } = await connected(t)
  const handle = handleUnder(near)
  if (handle === undefined) throw new Error('this Node lets handles be written to')
  t.ok(writeToHandle(near, handle, Buffer.alloc(muchBytes, 'x')))
  t.ok((kernelBacklogBytes(near) ?? 0) > 0, 'the kernel has not taken all')
  t.notOk(writeToHandle(near, handle, Buffer.from('y')), 'the rest waits in the handle')
  near.write('y')
  t.notOk(writeToHandle(near, handle, Buffer.from('z')), 'and what the stream was given behind it')
  near.write('z')
  let bytes = 0
  let last = ''
  far.on('data', chunk => {
    bytes += chunk.length
    last = chunk.subarray(-2).toString('latin1')
  })
  far.resume()
  await until(() => bytes === muchBytes + 2)
  t.equal(last, 'yz')
  await until(() => near.writableLength === 0)
  t.ok(writeToHandle(near, handle, Buffer.from('!')), 'nothing waits any more')
  await until(() => bytes === muchBytes + 3)
})

t.test('a socket that is gone takes nothing, whatever was under way', async t => {
  const { near, far } = await connected(t)
  const handle = handleUnder(near)
  if (handle === undefined) throw new Error('this Node lets handles be written to')
  t.ok(writeToHandle(near, handle, Buffer.alloc(muchBytes, 'x')))
  far.resetAndDestroy()
  await until(() => near.destroyed)
  t.notOk(writeToHandle(near, handle, Buffer.from('y')))
  t.equal(handleUnder(near), undefined)
  t.equal(handleUnder(new Socket()), undefined, 'nor has one that was never connected a handle')
})

t.test('the keeper of a descriptor hears that it closes before it is closed', async t => {
  for (const end of [(near: Socket) => near.destroy(), (near: Socket) => near.resetAndDestroy()]) {
    const { near } = await connected(t)
    const handle = handleUnder(near)
    if (handle === undefined) throw new Error('this Node lets handles be written to')
    const heard: unknown[] = []
    const descriptorClosing = (slot: number): void => {
      heard.push([slot, Reflect.get(handle, 'fd')])
    }
    const descriptor = keepDescriptor(handle, { descriptorClosing }, 42)
    t.ok(descriptor > 2, 'this Node tells the descriptor')
    t.equal(descriptor, Reflect.get(handle, 'fd'))
    t.same(heard, [])
    end(near)
    t.same(heard, [[42, descriptor]])
    t.ok(Number(Reflect.get(handle, 'fd')) < 0, 'it is closed when the call is over')
  }
})

t.test(
  'a descriptor that was forgotten, or that others may close unheard, has no keeper',
  async t => {
    const { near } = await connected(t)
    const handle = handleUnder(near)
    if (handle === undefined) throw new Error('this Node lets handles be written to')
    const heard: number[] = []
    const keeper = { descriptorClosing: (slot: number): number => heard.push(slot) }
    t.ok(keepDescriptor(handle, keeper, 1) > 2)
    t.ok(keepDescriptor(handle, keeper, 2) > 2, 'it may be kept again')
    forgetDescriptor(handle)
    near.destroy()
    t.same(heard, [])
    t.equal(keepDescriptor(handle, keeper, 3), -1, 'it is closed')
    const other = handleUnder((await connected(t)).near)
    if (other === undefined) throw new Error('this Node lets handles be written to')
    Reflect.set(other, 'close', () => undefined)
    t.equal(keepDescriptor(other, keeper, 4), -1)
    Reflect.deleteProperty(other, 'close')
  },
)

t.test('a stream is idle while nothing waits in it and its end was not written', async t => {
  const { near } = await connected(t)
  t.ok(isStreamIdle(near))
  near.cork()
  near.write('1')
  t.notOk(isStreamIdle(near))
  near.uncork()
  t.ok(isStreamIdle(near))
  near.end()
  t.notOk(isStreamIdle(near))
})
