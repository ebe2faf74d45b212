import type { Environment, WebSocketClass, WebSocketEvent, WebSocketLike } from '../src/index.ts'

/** Time that passes only when a test says so, and chance that is always the same. */
export class VirtualTime {
  #nowMs = 1_700_000_000_000
  #timers: { readonly run: () => void; readonly atMs: number }[] = []
  chance = 0

  readonly environment: Environment = {
    now: () => this.#nowMs,
    random: () => this.chance,
    setTimer: (run, delayMs) => {
      const timer = { run, atMs: this.#nowMs + delayMs }
      this.#timers.push(timer)
      return () => {
        this.#timers = this.#timers.filter(one => one !== timer)
      }
    },
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get timerCount(): number {
    return this.#timers.length
  }

  /** Lets time pass, and timers run in their order. */
  pass(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      const due = this.#timers
        .filter(timer => timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter(one => one !== due)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.run()
    }
    this.#nowMs = endMs
  }
}

/** A socket whose other end is the test. */
export class VirtualSocket implements WebSocketLike {
  readonly url: string
  readonly protocols: readonly string[]
  readonly sent: unknown[] = []
  closedWith: number | undefined
  readonly #listeners = new Map<string, ((event: WebSocketEvent) => void)[]>()

  constructor(url: string, protocols: readonly string[]) {
    this.url = url
    this.protocols = protocols
  }

  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(code = 1005): void {
    this.closedWith ??= code
  }

  /** The last frame that was sent. */
  get last(): unknown {
    return this.sent.at(-1)
  }

  accept(): this {
    this.#emit({ type: 'open' })
    return this
  }

  receive(frame: object | string): void {
    const data = typeof frame === 'string' ? frame : JSON.stringify(frame)
    this.#emit({ type: 'message', data })
  }

  end(code = 1006, reason = ''): void {
    this.#emit({ type: 'error' })
    this.#emit({ type: 'close', code, reason })
  }

  #emit(event: WebSocketEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event)
  }
}

/** All sockets that were made, and the class that makes them. */
export class VirtualNetwork {
  readonly sockets: VirtualSocket[] = []
  readonly WebSocket: WebSocketClass

  constructor() {
    const { sockets } = this
    this.WebSocket = class extends VirtualSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols)
        sockets.push(this)
      }
    }
  }

  /** The newest socket. */
  get last(): VirtualSocket {
    const socket = this.sockets.at(-1)
    if (socket === undefined) throw new Error('a socket was made')
    return socket
  }
}

/** Lets promises that are settled run what waits for them. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
