/*
 * The sending side of one client's connection: what is written to it, and how much it holds of that.
 *
 * For a viewer, bytes are held until it confirms them (see delivery-window.ts): probes are WebSocket
 * pings, answered by every client there is, and their payloads cannot be guessed, so that nobody
 * confirms what it has not read. A writer keeps no state by what it is sent: for it, only what waits in
 * this process counts.
 *
 * Most frames of a fan-out need no more than to be written: so many bytes are free until the next probe,
 * or until the window is full. Of those the window is told later, before it is asked anything.
 */
import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ClientLimits } from './client-limits.ts'
import type { ClientSocket } from './client-socket.ts'
import type { Clock } from './clock.ts'
import { DeliveryWindow } from './delivery-window.ts'
import type { DirectSockets } from './direct-sockets.ts'
import type { TurnCork } from './turn-cork.ts'
import {
  encodeTextFrame,
  fragmentHead,
  type Handle,
  handleUnder,
  isQuiet,
  kernelBacklogBytes,
  withPing,
  writeToHandle,
} from './ws-internals.ts'

/** Random numbers in probes are below this: their payload is the count of bytes, then the number. */
const nonceEnd = 2 ** 32
const probeBytes = 8
/** Frames up to this size are copied to have a ping behind them. */
const joinedBytesMax = 4_096
/** A longer message goes in fragments of this size, so that its parts can be confirmed. */
const fragmentBytes = 49_152

/** What many connections share whose clients confirm what they are sent. */
export type Confirmation = {
  /** How long this process was awake, ms: what is overdue is judged by it. */
  readonly awake: { readonly awakeMs: number }
  /** Connections with a probe on its way stand in here: those are to be judged. */
  readonly probing: Set<Delivery>
  /** What is free of their sockets. */
  readonly sockets: DirectSockets
}

/** What a connection takes and holds. */
export class Delivery {
  readonly #client: ClientSocket
  readonly #socket: Socket
  readonly #cork: TurnCork
  readonly #clock: Clock
  readonly #limits: ClientLimits
  readonly #confirmation: Confirmation | undefined
  /** Undefined where all goes through the socket's stream. */
  readonly #handle: Handle | undefined
  /** Undefined when nothing is to be confirmed. */
  readonly #window: DeliveryWindow | undefined
  /** Among the sockets; -1 for one of which nothing is to be confirmed, or that has ended. */
  #slot = -1
  #isHeldBack = false
  #probes = 0
  #progress = ''
  #progressAtMs = 0

  constructor(options: {
    readonly client: ClientSocket
    readonly cork: TurnCork
    readonly clock: Clock
    readonly limits: ClientLimits
    /** For bytes to count until the client has confirmed them. */
    readonly confirmation: Confirmation | undefined
  }) {
    this.#client = options.client
    this.#socket = options.client.socket
    this.#cork = options.cork
    this.#clock = options.clock
    this.#limits = options.limits
    this.#confirmation = options.confirmation
    this.#handle = handleUnder(this.#socket)
    if (options.confirmation !== undefined) {
      const { budgetBytes: bytesMax } = options.limits
      this.#window = new DeliveryWindow({ bytesMax, firstProbe: Math.random() })
      this.#slot = options.confirmation.sockets.add(this.#socket, this.#handle)
    }
  }

  /** Its place among the sockets; -1 for none. */
  get slot(): number {
    return this.#slot
  }

  /** Whether a sweep may write to it by itself what it has bytes free for. */
  set isSweptDirectly(isSwept: boolean) {
    const sockets = this.#confirmation?.sockets
    if (sockets === undefined || this.#slot === -1) return
    sockets.isDirect[this.#slot] = isSwept && this.#handle !== undefined ? 1 : 0
  }

  /** Bytes that wait in this process. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  /** True while the kernel takes nothing, until the socket's `drain`. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Whether the client has agreed on compression. */
  get takesDeflated(): boolean {
    return this.#client.takesDeflated
  }

  /** Probes sent so far. */
  get probes(): number {
    return this.#probes
  }

  /**
   * True while the client holds no more than it may. When it holds more, that is remembered: nothing
   * fits until it has taken enough, which `release` then says.
   */
  fits(): boolean {
    if (this.#freeBytes > 0) return true
    if (this.#isHeldBack) return false
    if (!this.#isOver()) return true
    this.#isHeldBack = true
    return false
  }

  /** Whether so many bytes more would leave it within what it may hold; remembers nothing. */
  wouldTake(bytes: number): boolean {
    if (this.#isHeldBack || this.#isOver()) return false
    const window = this.#toldWindow()
    return window === undefined || window.isIdle || window.heldBytes + bytes <= window.windowBytes
  }

  /** Whether there is room for a frame of something large, with some left for others. */
  hasRoomFor(bytes: number): boolean {
    if (this.#isHeldBack) return false
    const window = this.#toldWindow()
    return window === undefined ? !this.#isOver() : window.hasRoomFor(bytes)
  }

  /** Sends whole frames, made by `encodeTextFrame`, as one piece; deflated ones are for who takes that. */
  write(frames: Buffer): void {
    if (!this.#client.isOpen) return
    const sockets = this.#confirmation?.sockets
    if (sockets === undefined || frames.length > this.#freeBytes) {
      this.#writeAndLook(frames)
      return
    }
    sockets.spend(this.#slot, frames.length)
    if (!this.#writeBeside(frames)) this.#look()
  }

  #writeAndLook(frames: Buffer): void {
    const window = this.#toldWindow()
    if (window?.isIdle === true) window.begin(this.#clock.monotonicMs())
    window?.wrote(frames.length)
    const isProbed = window?.takeDueProbe(this.#clock.monotonicMs()) === true
    if (isProbed && frames.length <= joinedBytesMax) {
      this.#writeBeside(withPing(frames, this.#probe(window)))
    } else {
      if (isProbed) this.#cork.cork(this.#socket)
      this.#writeBeside(frames)
      if (isProbed) this.#client.ping(this.#probe(window))
    }
    this.#look()
  }

  /**
   * Sends the payload of one text frame and returns the bytes it has on the wire; a long one is not
   * copied, and must not change. One that is deflated is for who takes that.
   */
  writePayload(payload: Uint8Array, isDeflated = false): number {
    const window = this.#toldWindow()
    if (payload.length <= fragmentBytes || window === undefined) {
      const bytes = encodeTextFrame(payload, { isDeflated })
      this.write(bytes)
      return bytes.length
    }
    if (!this.#client.isOpen) return 0
    if (window.isIdle) window.begin(this.#clock.monotonicMs())
    this.#cork.cork(this.#socket)
    let written = 0
    for (let offset = 0; offset < payload.length; offset += fragmentBytes) {
      const fragment = payload.subarray(offset, offset + fragmentBytes)
      const isLast = offset + fragmentBytes >= payload.length
      const isFirst = offset === 0
      const head = fragmentHead(fragment.length, { isFirst, isLast, isDeflated })
      this.#socket.write(head)
      this.#socket.write(fragment)
      window.wrote(head.length + fragment.length)
      written += head.length + fragment.length
      if (window.takeDueProbe(this.#clock.monotonicMs())) this.#client.ping(this.#probe(window))
    }
    this.#look()
    return written
  }

  /** Joins what is written in this turn into one write. */
  corkTurn(): void {
    this.#cork.cork(this.#socket)
    this.touch()
  }

  /** Something else than this was written to the socket, or will be: what waits there is looked at before the next. */
  touch(): void {
    if (this.#slot !== -1) this.#confirmation?.sockets.touch(this.#slot)
  }

  /** Nothing is written to it any more. */
  end(): void {
    if (this.#slot === -1) return
    this.#confirmation?.sockets.delete(this.#slot)
    this.#slot = -1
  }

  /** Sends a ping, so that the client is heard of; none while an answer to another is due. */
  ping(): void {
    const window = this.#toldWindow()
    if (window === undefined) this.#client.ping(Buffer.alloc(0))
    else if (!window.isProbing) {
      this.#client.ping(this.#probe(window))
      this.#look()
    }
  }

  /** Takes the payload of a pong; false when it answers no ping of ours. */
  pong(payload: Buffer): boolean {
    const window = this.#toldWindow()
    if (window === undefined || payload.length !== probeBytes) return false
    const moment = { nowMs: this.#clock.monotonicMs(), awakeMs: this.#awakeMs }
    const isOurs = window.confirm(payload.readUInt32BE(4), moment)
    if (!window.isProbing) this.#confirmation?.probing.delete(this)
    if (isOurs && window.takeDueProbe(moment.nowMs)) this.#client.ping(this.#probe(window))
    this.#look()
    return isOurs
  }

  /** True when the client was held back and has taken enough now; said once. */
  release(): boolean {
    if (!this.#isHeldBack) return false
    const window = this.#toldWindow()
    if (window === undefined ? this.unsentBytes > 0 : !window.isDrained) return false
    this.#isHeldBack = false
    this.#look()
    return true
  }

  /** Judges what is overdue at `awakeMs`; to be called several times a second while a probe waits. */
  judge(awakeMs: number): void {
    this.#window?.judge(awakeMs)
    this.#look()
  }

  /** True when a client that holds more than it may has taken nothing for too long. */
  isStuck(awakeMs: number): boolean {
    if (!this.#isHeldBack && !this.#isOver()) {
      this.#progress = ''
      return false
    }
    const backlog = kernelBacklogBytes(this.#socket)
    const progress = `${this.#window?.confirmedBytes} ${this.unsentBytes} ${backlog}`
    if (progress !== this.#progress) {
      this.#progress = progress
      this.#progressAtMs = awakeMs
    }
    return awakeMs - this.#progressAtMs >= this.#limits.stallMaxMs
  }

  /** The window, told of all that was written; undefined when nothing is to be confirmed. */
  #toldWindow(): DeliveryWindow | undefined {
    const sockets = this.#confirmation?.sockets
    if (sockets === undefined || this.#slot === -1) return this.#window
    const untoldBytes = sockets.untold[this.#slot] ?? 0
    if (untoldBytes > 0) this.#window?.wrote(untoldBytes)
    sockets.untold[this.#slot] = 0
    return this.#window
  }

  /** Bytes that may be written with nothing to look at between. */
  get #freeBytes(): number {
    return this.#slot === -1 ? 0 : (this.#confirmation?.sockets.free[this.#slot] ?? 0)
  }

  /** What is free may have changed, as the window has by more than being told, or the socket was written to. */
  #look(): void {
    const sockets = this.#confirmation?.sockets
    if (sockets === undefined || this.#slot === -1) return
    const mayWrite = !this.#isHeldBack && this.#isQuiet
    sockets.free[this.#slot] = mayWrite ? (this.#toldWindow()?.freeBytes ?? 0) : 0
  }

  /** Whether what is written now is behind all else; through the stream it always is. */
  get #isQuiet(): boolean {
    return this.#handle === undefined || isQuiet(this.#socket, this.#handle)
  }

  /** False when it went through the stream. */
  #writeBeside(frames: Buffer): boolean {
    const handle = this.#handle
    if (handle !== undefined && writeToHandle(this.#socket, handle, frames)) return true
    this.#socket.write(frames)
    return false
  }

  get #awakeMs(): number {
    return this.#confirmation?.awake.awakeMs ?? 0
  }

  #isOver(): boolean {
    const window = this.#toldWindow()
    if (window !== undefined) return window.isOver
    if (this.unsentBytes <= this.#limits.budgetBytes) return false
    // What is only held back for the turn's one write may fit into the kernel.
    this.#cork.uncork(this.#socket)
    return this.unsentBytes > this.#limits.budgetBytes
  }

  /** The payload of a ping that goes out behind all that was written. */
  #probe(window: DeliveryWindow): Buffer {
    const nonce = randomInt(nonceEnd)
    const payload = Buffer.allocUnsafe(probeBytes)
    payload.writeUInt32BE(window.writtenBytes % nonceEnd, 0)
    payload.writeUInt32BE(nonce, 4)
    window.probe(nonce, { nowMs: this.#clock.monotonicMs(), awakeMs: this.#awakeMs })
    this.#confirmation?.probing.add(this)
    this.#probes++
    return payload
  }
}
