import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { listenBacklog } from '@fanfold/websocket'
import type { PublicPort } from './process-ports.ts'
import type { ServedCertificate } from './served-certificate.ts'

/** What connections are given to, and who shows the certificate on them. */
export interface ConnectionTakers {
  take(socket: Socket): void
  show(certificate: ServedCertificate): void
}

/** A public port whose connections are served by other processes: nothing is read from them here. */
export class SharedPort implements PublicPort {
  readonly #server: Server
  readonly #takers: ConnectionTakers

  constructor(takers: ConnectionTakers) {
    this.#takers = takers
    // What is set on a connection here stays so where it is served.
    this.#server = createServer({ pauseOnConnect: true, noDelay: true })
    this.#server.on('connection', socket => takers.take(socket))
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, host, backlog: listenBacklog }, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  show(certificate: ServedCertificate): void {
    this.#takers.show(certificate)
  }

  /** Takes no more connections; those that were passed are others'. */
  async close(): Promise<void> {
    this.#server.close()
  }
}
