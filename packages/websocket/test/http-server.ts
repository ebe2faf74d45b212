import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import type { IssuedCertificate } from '@fanfold/conformance'
import { httpServerOptions, type UpgradeRouter } from '@fanfold/websocket'
import type { Test } from 'tap'

/** An HTTP server on a free port that `router` takes WebSockets from, over TLS where it has a certificate; closed with the test. */
export async function listen(
  t: Test,
  router: UpgradeRouter,
  served?: IssuedCertificate | undefined,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server: Server =
    served === undefined
      ? createServer(httpServerOptions)
      : createTlsServer({ ...httpServerOptions, cert: served.certificate, key: served.privateKey })
  router.attach(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    router.close()
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** A way to a port that can be stuck, as a network is. */
export class StuckWay {
  readonly #server = createTcpServer()
  readonly #sockets = new Set<Socket>()
  #isStuck = false
  /** Chunks of bytes that have come along, either way. */
  chunks = 0

  static async open(t: Test, to: number): Promise<StuckWay> {
    const way = new StuckWay()
    way.#server.on('connection', near => {
      const far = connect(to, '127.0.0.1')
      way.#join(near, far)
      way.#join(far, near)
    })
    await new Promise<void>(resolve => way.#server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => way.close())
    return way
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  stall(): void {
    this.#isStuck = true
    for (const socket of this.#sockets) socket.pause()
  }

  unstall(): void {
    this.#isStuck = false
    for (const socket of this.#sockets) socket.resume()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.setNoDelay()
    from.on('data', chunk => {
      this.chunks++
      to.write(chunk)
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
    if (this.#isStuck) from.pause()
  }
}
