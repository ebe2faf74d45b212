/*
 * Very many viewers of one document as a process, without the SDK: each remembers where it is, comes back
 * with its position, and looks at no patch. Some may stop reading for good.
 */
import { Prng } from '@fanfold/kernel'
import { WebSocket } from 'ws'
import type { ClientArguments, CrowdSettings, CrowdState } from './client-messages.ts'
import { serveRequests } from './serve-requests.ts'

const { settings }: ClientArguments<CrowdSettings> = JSON.parse(process.argv[2] ?? '')
const prng = new Prng(settings.seed)
/** Full jitter of the first attempts to come back, ms; it doubles up to the second number. */
const redialMs = { first: 500, max: 4_000 }
const dialMsMax = 5_000
/** Frames begin with what is looked for within so many bytes; positions are behind patches. */
const headLength = 400

let wentBack = 0
let resumed = 0
let snapshots = 0
let bytes = 0
const closes: Record<string, number> = {}

class Member {
  readonly #isStalled: boolean
  readonly #urls: readonly string[]
  #at: number
  #attempts = 0
  #position: string | undefined
  isConnected = false
  /** Whether it was shown something since it connected last. */
  isServed = false
  seq = 0

  constructor(index: number, isStalled: boolean) {
    this.#at = index
    this.#isStalled = isStalled
    this.#urls = settings.urls
    setTimeout(() => this.#dial(), prng.below(settings.rampMs + 1))
  }

  #dial(): void {
    const url = this.#urls[this.#at % this.#urls.length]
    const socket = new WebSocket(`${url}/v1/observe`, ['fanfold.v1', `bearer.${settings.token}`], {
      perMessageDeflate: false,
      handshakeTimeout: dialMsMax,
    })
    socket.on('open', () => {
      this.isConnected = true
      const { doc } = settings
      socket.send(JSON.stringify({ type: 'observe', doc, from: this.#position }))
      if (this.#isStalled) socket.pause()
    })
    socket.on('message', data => {
      const frame = String(data)
      bytes += frame.length
      this.#take(frame)
    })
    socket.on('error', () => undefined)
    socket.on('close', code => {
      closes[code] = (closes[code] ?? 0) + 1
      this.isConnected = false
      this.isServed = false
      if (settings.isFaithful !== true) this.#at++
      this.#attempts++
      const { first, max } = redialMs
      const ms = Math.min(max, first * 2 ** (this.#attempts - 1))
      setTimeout(() => this.#dial(), prng.below(ms))
    })
  }

  #take(frame: string): void {
    const head = frame.slice(0, headLength)
    const type = /^\{"type":"([a-z-]+)"/.exec(head)?.[1]
    if (type !== 'snapshot' && type !== 'delta' && type !== 'snapshot-begin') return
    const seq = Number(/"seq":(\d+)/.exec(head)?.[1] ?? 0)
    if (type !== 'delta') snapshots++
    else if (!this.isServed) resumed++
    if (seq < this.seq) wentBack++
    this.seq = Math.max(seq, this.seq)
    this.isServed = true
    this.#attempts = 0
    const position = /"position":"([^"]+)"/.exec(frame)?.[1]
    this.#position = position ?? this.#position
  }
}

const members = Array.from({ length: settings.count }, (_, index) => {
  return new Member(index, index < settings.count * settings.stalledShare)
})
const reading = members.slice(Math.ceil(settings.count * settings.stalledShare))

serveRequests<CrowdState>({
  state: () => ({
    connected: members.filter(({ isConnected }) => isConnected).length,
    served: reading.filter(({ isServed }) => isServed).length,
    reading: reading.length,
    bytes,
    seqMin: reading.reduce((least, { seq }) => Math.min(least, seq), Number.MAX_SAFE_INTEGER),
    wentBack,
    resumed,
    snapshots,
    closes,
  }),
  take: () => undefined,
})
