import type { Environment, WebSocketClass, WebSocketEvent, WebSocketLike } from '../src/index.ts'

type Timer = { readonly run: () => void; readonly atMs: number }

/** Time that passes only when a test says so, and chance that is always the same. */
export class VirtualTime {
  #nowMs = 1_700_000_000_000
  /** The next one last; of those that are due at one moment the one that was set first. */
  readonly #timers: Timer[] = []
  chance = 0

  readonly environment: Environment = {
    now: () => this.#nowMs,
    random: () => this.chance,
    setTimer: (run, delayMs) => {
      const timer = { run, atMs: this.#nowMs + delayMs }
      this.#timers.splice(this.#placeOf(timer.atMs), 0, timer)
      return () => {
        const index = this.#timers.indexOf(timer, this.#placeOf(timer.atMs))
        if (index !== -1) this.#timers.splice(index, 1)
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
      const due = this.#timers.at(-1)
      if (due === undefined || due.atMs > endMs) break
      this.#timers.pop()
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.run()
    }
    this.#nowMs = endMs
  }

  /** The first place whose timer is not later. */
  #placeOf(atMs: number): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#timers[middle]?.atMs ?? 0) > atMs) low = middle + 1
      else high = middle
    }
    return low
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
