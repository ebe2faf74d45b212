/* A viewer that says something, without the SDK: it comes back when its connection is lost, and keeps what it was told. */
import type { Prng } from '@fanfold/kernel'
import { WebSocket } from 'ws'
import type { Tally } from './client-messages.ts'

/** Something to say: to a reducer, with the kind that it is counted by. */
export type Saying = { readonly reducer: string; readonly value: object; readonly kind: string }

/** What happens to what is said. */
export type SpeakerListener = {
  tally(kind: string, what: keyof Tally): void
  /** From when it was said, ms. */
  counted(ms: number): void
  refused(code: string): void
  closed(code: number): void
}

/** Who says it, and where. */
export type SpeakerOptions = {
  readonly doc: string
  readonly token: string
  readonly urls: readonly string[]
  readonly prng: Prng
  readonly listener: SpeakerListener
}

/** Wait before coming back, ms: full jitter. */
const redialMsMax = 1_000
const dialMsMax = 5_000
/** Changes a second that it wants: it looks at none. */
const maxRate = 0.2

/** One viewer. */
export class Speaker {
  readonly #options: SpeakerOptions
  /** What is to be said yet. */
  #queue: Saying[] = []
  /** What was said and waits to be told of, by id. */
  readonly #waiting = new Map<number, { readonly saying: Saying; readonly atMs: number }>()
  /** What is to be said again later. */
  #later = 0
  #ids = 0
  #dials: number
  #socket: WebSocket | undefined

  /** @param first which of the addresses it begins with */
  constructor(options: SpeakerOptions, first: number) {
    this.#options = options
    this.#dials = first
    this.#dial()
  }

  /** True while it is shown the document. */
  get isShown(): boolean {
    return this.#socket !== undefined
  }

  /** What it has not said, or was not told of. */
  get open(): number {
    return this.#queue.length + this.#waiting.size + this.#later
  }

  /** Says it, at once or when it is connected. */
  say(saying: Saying): void {
    this.#queue.push(saying)
    this.#flush()
  }

  #flush(): void {
    const socket = this.#socket
    if (socket === undefined || this.#queue.length === 0) return
    const { doc, listener } = this.#options
    for (const saying of this.#queue) {
      const { reducer, value, kind } = saying
      const id = this.#ids++
      this.#waiting.set(id, { saying, atMs: performance.now() })
      listener.tally(kind, 'said')
      socket.send(JSON.stringify({ type: 'add', doc, reducer, value, id }))
    }
    this.#queue = []
  }

  #dial(): void {
    const { urls, token, doc, prng, listener } = this.#options
    const url = urls[this.#dials++ % urls.length]
    const socket = new WebSocket(`${url}/v1/observe`, ['fanfold.v1', `bearer.${token}`], {
      perMessageDeflate: false,
      handshakeTimeout: dialMsMax,
    })
    socket.on('open', () => socket.send(JSON.stringify({ type: 'observe', doc, maxRate })))
    socket.on('message', data => this.#take(socket, String(data)))
    socket.on('error', () => undefined)
    socket.on('close', code => {
      listener.closed(code)
      this.#socket = undefined
      // Whether it counts nobody tells.
      for (const { saying } of this.#waiting.values()) listener.tally(saying.kind, 'lost')
      this.#waiting.clear()
      setTimeout(() => this.#dial(), prng.below(redialMsMax))
    })
  }

  #take(socket: WebSocket, text: string): void {
    // Views are long, and nobody looks at them here.
    if (text.startsWith('{"type":"delta"')) return
    if (text.startsWith('{"type":"snapshot')) {
      this.#socket = socket
      this.#flush()
      return
    }
    const { type, id, code, retryAfter } = JSON.parse(text)
    const said = this.#waiting.get(id)
    if (said === undefined) return
    const { listener } = this.#options
    const { kind } = said.saying
    switch (type) {
      case 'counted':
        listener.counted(performance.now() - said.atMs)
        listener.tally(kind, 'counted')
        break
      case 'unknown':
        listener.tally(kind, 'unknown')
        break
      case 'rejected':
        listener.tally(kind, 'rejected')
        if (retryAfter === undefined) listener.refused(code)
        else this.#sayLater(said.saying, retryAfter)
        break
      default:
        return
    }
    this.#waiting.delete(id)
  }

  #sayLater(saying: Saying, ms: number): void {
    this.#later++
    setTimeout(() => {
      this.#later--
      this.say(saying)
    }, ms)
  }
}
