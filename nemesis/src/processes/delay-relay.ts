/*
 * A long line between a node and its parent: what comes in leaves so much later, in order. It stands in
 * for a network far away, where the kernel has no such thing: bytes are late, and now and then all of them
 * wait a while, as they do on TCP when a packet was lost. Nothing is lost or reordered within a connection.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Prng } from '@fanfold/kernel'
import type { Cleanups } from './cleanups.ts'

/** How a line behaves; each direction by itself. */
export type LineProfile = {
  /** From one end to the other, ms. */
  readonly delayMs: number
  /** Of chunks, how many are held up as if a packet was lost, 0 … 1. */
  readonly lossShare: number
  /** How long such a chunk waits besides, ms, and all behind it. */
  readonly repairMs: number
}

/** Bytes under way in one direction; with more, its sender waits. */
const underWayBytesMax = 4 * 1_048_576

/** A relay on this machine. */
export class DelayRelay {
  readonly #server: Server
  readonly #profile: LineProfile
  readonly #prng: Prng
  readonly #sockets = new Set<Socket>()
  #port = 0
  #target = 0

  private constructor(profile: LineProfile, prng: Prng) {
    this.#profile = profile
    this.#prng = prng
    this.#server = createServer(near => this.#join(near))
  }

  /** A relay that leads nowhere yet. */
  static async open(profile: LineProfile, prng: Prng, cleanups: Cleanups): Promise<DelayRelay> {
    const relay = new DelayRelay(profile, prng)
    cleanups.add(() => relay.#close())
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    relay.#port = (relay.#server.address() as AddressInfo).port
    return relay
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Connections are to this port of the machine from now on. */
  leadTo(port: number): void {
    this.#target = port
  }

  #join(near: Socket): void {
    const far = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    near.setNoDelay(true)
    this.#carry(near, far)
    this.#carry(far, near)
  }

  #carry(from: Socket, to: Socket): void {
    const { delayMs, lossShare, repairMs } = this.#profile
    this.#sockets.add(from)
    let dueAtMs = 0
    let underWay = 0
    const later = (act: () => void): void => {
      setTimeout(act, Math.max(0, dueAtMs - performance.now()))
    }
    from.on('data', chunk => {
      const repair = this.#prng.chance(lossShare) ? repairMs : 0
      dueAtMs = Math.max(dueAtMs, performance.now() + delayMs + repair)
      underWay += chunk.length
      if (underWay > underWayBytesMax) from.pause()
      later(() => {
        underWay -= chunk.length
        if (from.isPaused() && underWay <= underWayBytesMax / 2) from.resume()
        if (!to.destroyed) to.write(chunk)
      })
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      this.#sockets.delete(from)
      later(() => to.destroy())
    })
  }

  #close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
