/* What is free of sockets, and that sweeps which go by it alone keep to what a connection may be sent. */
import { connect, Socket } from 'node:net'
import type { CohortId, ViewerEffect } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { DirectSockets } from '../src/direct-sockets.ts'
import { type TestClient, turns, until } from './client-rig.ts'
import { rig, text } from './viewer-rig.ts'

const cohort = 1 as CohortId

/** How many frames sweeps have written by themselves from now on. */
function countDirect(t: Test): () => number {
  const { writeAll } = DirectSockets.prototype
  let written = 0
  DirectSockets.prototype.writeAll = function (slots, count, bytes) {
    const failed = Reflect.apply(writeAll, this, [slots, count, bytes])
    written += count - failed.length
    return failed
  }
  t.teardown(() => {
    DirectSockets.prototype.writeAll = writeAll
  })
  return () => written
}

/** A client that answers nothing, as bytes: opcodes of the frames that come, and a way to say something. */
function rawClient(t: Test, port: number): { opcodes: number[]; say: (bytes: Buffer) => void } {
  const opcodes: number[] = []
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(
    [
      'GET /v1/observe HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: fanfold.v1, bearer.good',
      '\r\n',
    ].join('\r\n'),
  )
  let rest = Buffer.alloc(0)
  let isOpen = false
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    if (!isOpen) rest = rest.subarray(rest.indexOf('\r\n\r\n') + 4)
    isOpen = true
    while (rest.length >= 2) {
      const length = 2 + rest.readUInt8(1)
      if (rest.length < length) break
      opcodes.push(rest.readUInt8(0) & 0x0f)
      rest = rest.subarray(length)
    }
  })
  return { opcodes, say: bytes => socket.write(bytes) }
}

t.test('a slot is one socket, and nothing is free before somebody has looked', t => {
  const sockets = new DirectSockets()
  const slots = Array.from({ length: 1_000 }, () => sockets.add(new Socket(), undefined))
  t.equal(new Set(slots).size, 1_000)
  for (const slot of slots) {
    t.equal(sockets.free[slot], 0)
    sockets.free[slot] = slot
  }
  sockets.spend(500, 100)
  t.same([sockets.free[500], sockets.untold[500], sockets.free[501]], [400, 100, 501])
  sockets.isDirect[500] = 1
  sockets.delete(500)
  t.equal(sockets.size, 999)
  t.equal(sockets.add(new Socket(), undefined), 500, 'one that was given back is used again')
  t.same([sockets.free[500], sockets.untold[500], sockets.isDirect[500]], [0, 0, 0])
  t.end()
})

t.test('what is written without a look is in order with all else, and nothing is lost', async t => {
  const direct = countDirect(t)
  const { open, perform, viewers } = await rig(t)
  const clients: Awaited<ReturnType<typeof open>>[] = []
  for (let at = 0; at < 6; at++) clients.push(await open())
  perform(
    ...clients.map(
      ({ viewer }): ViewerEffect => ({ kind: 'cohort-enter', cohort, viewer, mark: 0 }),
    ),
  )
  const alone: number[] = []
  const rounds = 400
  for (let n = 0; n < rounds; n++) {
    const [pinging, told, pausing] = clients
    if (n % 3 === 0) pinging?.client.ws.ping('x'.repeat(100))
    if (n % 7 === 0 && told !== undefined) {
      perform({ kind: 'viewer-send', viewer: told.viewer, frame: text({ n: n - 0.5 }) })
      alone.push(n - 0.5)
    }
    if (n % 50 === 10) pausing?.client.ws.pause()
    if (n % 50 === 30) pausing?.client.ws.resume()
    perform({ kind: 'cohort-send', cohort, frame: text({ n, filler: 'y'.repeat(n) }), mark: n })
    await turns(1)
  }
  const last = ({ client }: { client: TestClient }) => client.frames.at(-1)?.['n']
  await until(() => clients.every(one => last(one) === rounds - 1))
  const all = Array.from({ length: rounds }, (_, n) => n)
  for (const [at, { client }] of clients.entries()) {
    const numbers = client.frames.map(frame => frame['n'])
    t.same(numbers, at === 1 ? [...all, ...alone].sort((a, b) => Number(a) - Number(b)) : all)
  }
  t.ok(direct() > 0.5 * rounds * clients.length, `${direct()} were written by sweeps`)
  t.equal(viewers.stats().framesOut, rounds * clients.length + alone.length)
})

t.test('nothing follows a close frame', async t => {
  const direct = countDirect(t)
  const { port, inputs, perform } = await rig(t)
  const close = Buffer.of(0x88, 0x80, 0, 0, 0, 0)
  const broken = Buffer.of(0xff, 0xff)
  for (const last of [close, broken]) {
    const before = inputs.length
    const { opcodes, say } = rawClient(t, port)
    const opened = () => inputs.slice(before).find(({ kind }) => kind === 'viewer-opened')
    await until(() => opened() !== undefined)
    const input = opened()
    if (input?.kind !== 'viewer-opened') return
    perform({ kind: 'cohort-enter', cohort, viewer: input.viewer, mark: 0 })
    for (let n = 0; n < 200; n++) {
      perform({ kind: 'cohort-send', cohort, frame: text({ n }), mark: n })
      if (n === 20) say(last)
      await turns(1)
    }
    await until(() => opcodes.includes(8))
    await turns()
    t.equal(opcodes.indexOf(8), opcodes.length - 1, `it is the last of ${opcodes.length}`)
    perform({ kind: 'cohort-exit', cohort, viewer: input.viewer })
  }
  t.ok(direct() > 10)
})

t.test('slots are given back, and what is under way then goes to nobody else', async t => {
  const { open, perform, viewers } = await rig(t)
  for (let round = 0; round < 20; round++) {
    const [one, two] = [await open(), await open()]
    perform(
      { kind: 'cohort-enter', cohort, viewer: one.viewer, mark: 0 },
      { kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 1 },
      { kind: 'cohort-send', cohort, frame: text({ n: 2 }), mark: 2 },
    )
    await until(() => one.client.frames.length === 2)
    perform({ kind: 'cohort-send', cohort, frame: text({ n: 3 }), mark: 3 })
    one.client.ws.terminate()
    const next = await open()
    perform({ kind: 'cohort-send', cohort, frame: text({ n: 4 }), mark: 4 })
    await until(() => viewers.stats().viewers === 2)
    t.same([two.client.frames, next.client.frames], [[], []])
    two.client.ws.terminate()
    next.client.ws.terminate()
    await until(() => viewers.stats().viewers === 0)
  }
})
