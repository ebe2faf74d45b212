import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { type Handle, handleUnder } from '../src/ws-internals.ts'
import { until } from './client-rig.ts'

/** Two ends of a TCP connection; both read nothing until they are resumed. */
export type SocketPair = { readonly near: Socket; readonly far: Socket; readonly handle: Handle }

/** Makes pairs. */
export async function socketPairs(t: Test): Promise<() => Promise<SocketPair>> {
  const server = createServer({ pauseOnConnect: true })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const accepted = new Map<number, Socket>()
  server.on('connection', far => {
    far.on('error', () => undefined)
    t.teardown(() => far.destroy())
    accepted.set(far.remotePort ?? 0, far)
  })
  return async () => {
    const near = connect(port, '127.0.0.1')
    near.on('error', () => undefined)
    t.teardown(() => near.destroy())
    await new Promise(resolve => near.once('connect', resolve))
    const { localPort = 0 } = near
    await until(() => accepted.has(localPort))
    const far = accepted.get(localPort)
    const handle = handleUnder(near)
    if (far === undefined || handle === undefined) throw new Error('a pair with a plain TCP handle')
    accepted.delete(localPort)
    return { near, far, handle }
  }
}

/** The descriptor under a socket, as Node says it now. */
export function descriptorOf(socket: Socket): number {
  return Number(Reflect.get(Object(Reflect.get(socket, '_handle')), 'fd'))
}
