/* Where the workers of a node dial its local proxy: a port on the loopback address that serves links alone. */
import { type LinkAcceptor, UpgradeRouter } from '@fanfold/websocket'
import { configTable } from './config-table.ts'
import { HttpListener } from './http-listener.ts'
import type { Log } from './logging.ts'

const host = '127.0.0.1'
/** Connections at a time: a link of each worker, one that it is losing, and some of whom nobody knows yet. */
const connectionsMax = 4 * configTable.workers.max

/** A port for links of workers. */
export class WorkerDoor {
  readonly #router = new UpgradeRouter({ origins: [], connectionsMax })
  readonly #listener: HttpListener

  constructor(link: LinkAcceptor, log: Log) {
    this.#router.add('', { link })
    this.#listener = new HttpListener([], log)
    this.#router.attach(this.#listener.server)
  }

  /** Listens at any free port; resolves with the address that workers dial. */
  async open(): Promise<string> {
    return `ws://${host}:${await this.#listener.listen(0, host)}`
  }

  async close(): Promise<void> {
    this.#router.close()
    await this.#listener.close()
  }
}
