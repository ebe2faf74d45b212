/* What ws-internals.ts takes for granted of the ws and the Node that are installed. */
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import t from 'tap'
import * as ws from 'ws'
import { WebSocket, WebSocketServer } from 'ws'
import {
  canWriteBeside,
  encodeTextFrame,
  kernelBacklogBytes,
  textPayloads,
} from '../src/ws-internals.ts'
import { until } from './client-rig.ts'

const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]

t.test("a frame is byte for byte what ws's own sender makes", t => {
  const sender: unknown = Reflect.get(ws, 'Sender')
  const frame: unknown = typeof sender === 'function' ? Reflect.get(sender, 'frame') : undefined
  if (typeof frame !== 'function') throw new Error('ws exports Sender.frame')
  for (const length of lengths) {
    const payload = Buffer.alloc(length, 'x')
    const theirs: Buffer[] = frame(payload, { fin: true, opcode: 1, mask: false, rsv1: false })
    t.ok(encodeTextFrame(payload).equals(Buffer.concat(theirs)), `${length} bytes`)
  }
  t.end()
})

t.test('payloads come back out of joined frames', t => {
  const payloads = lengths.map(length => Buffer.alloc(length, 'y'))
  const joined = Buffer.concat(payloads.map(payload => encodeTextFrame(payload)))
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
  one.request.socket.write(encodeTextFrame(Buffer.from('2')))
  one.request.socket.cork()
  one.ws.send('3')
  one.request.socket.write(encodeTextFrame(Buffer.from('4')))
  one.ws.send('5')
  one.request.socket.uncork()
  await until(() => texts.length === 5)
  t.same(texts, ['1', '2', '3', '4', '5'])
  t.equal(kernelBacklogBytes(one.request.socket), 0)
  t.equal(kernelBacklogBytes(new Socket()), undefined)
})
