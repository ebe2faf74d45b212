/* What ws-internals.ts takes for granted of the ws and the Node that are installed. */
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, Socket } from 'node:net'
import t, { type Test } from 'tap'
import * as ws from 'ws'
import { WebSocket, WebSocketServer } from 'ws'
import {
  canWriteBeside,
  deflateNegotiation,
  dropInflate,
  encodeTextFrame,
  handleUnder,
  kernelBacklogBytes,
  takesDeflated,
  textPayloads,
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

t.test('payloads come back out of joined frames', t => {
  const payloads = lengths.map(length => Buffer.alloc(length, 'y'))
  const joined = Buffer.concat(payloads.map(payload => encodeTextFrame(payload, plain)))
  t.ok(
    [...textPayloads(joined)].every((payload, index) => payload.equals(payloads[index] ?? joined)),
  )
  t.equal([...textPayloads(joined)].length, lengths.length)
  t.end()
})

t.test('frames written to the socket take their place between those ws sends', async t => {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const accepted: { ws: WebSocket; request: IncomingMessage }[] = []
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, own => accepted.push({ ws: own, request }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => client.terminate())
  const texts: string[] = []
  client.on('message', data => texts.push(String(data)))
  await until(() => accepted.length === 1)
  const [one] = accepted
  if (one === undefined) return
  t.ok(canWriteBeside(one.ws, one.request.socket))
  t.notOk(canWriteBeside(one.ws, new Socket()), 'not beside another socket')
  one.ws.send('1')
  one.request.socket.write(encodeTextFrame(Buffer.from('2'), plain))
  one.request.socket.cork()
  one.ws.send('3')
  one.request.socket.write(encodeTextFrame(Buffer.from('4'), plain))
  one.ws.send('5')
  one.request.socket.uncork()
  await until(() => texts.length === 5)
  t.same(texts, ['1', '2', '3', '4', '5'])
  t.equal(kernelBacklogBytes(one.request.socket), 0)
  t.equal(kernelBacklogBytes(new Socket()), undefined)
})

t.test('what ws keeps to inflate with is made anew for each message', async t => {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: deflateNegotiation })
  const said: string[] = []
  const accepted: { ws: WebSocket; request: IncomingMessage }[] = []
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, own => {
      accepted.push({ ws: own, request })
      own.on('message', data => {
        const extension: object = Reflect.get(Reflect.get(own, '_extensions'), own.extensions)
        t.type(Reflect.get(extension, '_inflate'), 'object')
        dropInflate(own)
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
  const texts: string[] = []
  client.on('message', data => texts.push(String(data)))
  await until(() => accepted.length === 1 && client.readyState === WebSocket.OPEN)
  const [one] = accepted
  if (one === undefined) return
  for (const text of ['a', 'b', 'c']) client.send(text.repeat(500))
  await until(() => said.length === 3)
  t.same(
    said.map(text => text[0]),
    ['a', 'b', 'c'],
  )
  t.ok(takesDeflated(one.ws) && canWriteBeside(one.ws, one.request.socket))
  one.ws.send('1'.repeat(5_000))
  one.request.socket.write(encodeTextFrame(Buffer.from('2'), plain))
  one.ws.send('3'.repeat(5_000))
  await until(() => texts.length === 3)
  t.same(
    texts.map(text => text[0]),
    ['1', '2', '3'],
    'it compresses nothing itself, and writes at once',
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
