/*
 * An address that stays while the server behind it changes, as it is with a failover; and a network that
 * loses what is answered, or what is asked.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Leads to one server at a time. */
export class Relay {
  readonly #server = createServer(socket => this.#take(socket))
  readonly #sockets = new Set<Socket>()
  #port: number
  #loses: 'answers' | 'questions' | undefined
  #holdsFrom: string | undefined
  /** Answers that are held back, in their order; undefined while none are. */
  #held: (() => void)[] | undefined

  private constructor(port: number) {
    this.#port = port
  }

  /** One that leads to a port, and ends with the test. */
  static async open(t: Test, port: number): Promise<Relay> {
    const relay = new Relay(port)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    t.teardown(() => {
      relay.#server.close()
      relay.#drop()
    })
    return relay
  }

  get address(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From here on what is answered, or asked, is lost on the way. */
  lose(what: 'answers' | 'questions'): void {
    this.#loses = what
  }

  /** From the next question on that has this text answers are held back. */
  holdFrom(text: string): void {
    this.#holdsFrom = text
  }

  /** Answers that are held back. */
  get heldCount(): number {
    return this.#held?.length ?? 0
  }

  /** Sends what is held back, and holds nothing back from now on. */
  release(): void {
    for (const send of this.#held ?? []) send()
    this.#held = undefined
    this.#holdsFrom = undefined
  }

  /** Leads to a server from now on, and loses nothing; connections to the one before end. */
  leadTo(port: number): void {
    this.#port = port
    this.#loses = undefined
    this.#drop()
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #take(socket: Socket): void {
    const onward = connect(this.#port, '127.0.0.1')
    const pair = [socket, onward]
    for (const each of pair) {
      this.#sockets.add(each)
      each.on('error', () => undefined)
      each.on('close', () => {
        this.#sockets.delete(each)
        for (const other of pair) other.destroy()
      })
    }
    socket.on('data', bytes => {
      if (this.#holdsFrom !== undefined && bytes.includes(this.#holdsFrom)) this.#held ??= []
      if (this.#loses !== 'questions') onward.write(bytes)
    })
    onward.on('data', bytes => {
      if (this.#loses === 'answers') return
      if (this.#held === undefined) socket.write(bytes)
      else this.#held.push(() => socket.write(bytes))
    })
  }
}
