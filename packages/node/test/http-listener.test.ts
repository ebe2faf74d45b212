/* A port that does not listen, and serves connections that were accepted elsewhere. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { HttpListener, type HttpRoute } from '../src/http-listener.ts'
import { until } from './hostile-rig.ts'
import { openRaw } from './hostile-socket.ts'
import { silent } from './start-rig.ts'

const late: HttpRoute = async () => {
  await wait(50)
  return { status: 200, body: '{"is":"late"}' }
}

/** A listener, and the port of who accepts for it. */
async function give(t: Test) {
  const listener = new HttpListener([late], silent)
  listener.begin()
  const server = createServer(socket => listener.take(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { listener, port: (server.address() as AddressInfo).port }
}

t.test('who is given is answered, and counted until it is closed', async t => {
  const { listener, port } = await give(t)
  const raw = await openRaw(port)
  await until(() => listener.given === 1, 'the connection')
  raw.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await until(() => raw.isClosed, 'the end of the connection')
  t.match(raw.received(), /^HTTP\/1\.1 200 .*\{"is":"late"\}/s)
  await until(() => listener.given === 0, 'its end here')
  await listener.close()
})

t.test('a request that does not end is answered as late', async t => {
  const { listener, port } = await give(t)
  listener.server.headersTimeout = 100
  const raw = await openRaw(port)
  raw.send('GET / HTTP/1.1\r\n')
  await until(() => raw.isClosed, 'the end of the connection')
  t.match(raw.received(), /^HTTP\/1\.1 408 /)
  await listener.close()
})

t.test('closing waits for answers, and cuts who says nothing', async t => {
  const { listener, port } = await give(t)
  const [asking, idle] = [await openRaw(port), await openRaw(port)]
  asking.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => listener.given === 2, 'both connections')
  await wait(10)
  await listener.close()
  t.match(asking.received(), /^HTTP\/1\.1 200 /)
  await until(() => idle.isClosed, 'the end of the other')
  t.equal(listener.given, 0)
})
