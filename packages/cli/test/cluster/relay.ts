/*
 * A TCP relay between a server and who connects to it. It keeps every byte that the server sends: on a
 * WebSocket those are not masked, so that what is in a frame is in the bytes.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Bytes kept; a test that sends more is wrong. */
const bytesMax = 64 * 1_048_576

/** A relay in front of one port of this machine. */
export class Relay {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  readonly #chunks: Buffer[] = []
  #length = 0

  private constructor(port: number) {
    this.#server = createServer(near => {
      const far = connect({ port, host: '127.0.0.1' })
      this.#sockets.push(near, far)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.pipe(other)
        one.on('close', () => other.destroy())
        one.on('error', () => undefined)
      }
      far.on('data', chunk => this.#keep(chunk))
    })
  }

  /** A relay to `port`, which ends with the test. */
  static async open(t: Test, port: number): Promise<Relay> {
    const relay = new Relay(port)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    t.teardown(() => relay.#close())
    return relay
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** All that the server sent so far, on all connections. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  #keep(chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length > bytesMax) throw new Error(`a relay keeps at most ${bytesMax} bytes`)
    this.#chunks.push(chunk)
  }

  #close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
