/*
 * One client's WebSocket, viewer's or writer's, once ws has done its handshake. Messages are written to the socket under
 * it by whoever has them; what is small and rare is done here: pings and their answers, and how it ends.
 *
 * Ten thousand of them wait most of the time: what one keeps is no more than what tells where it stands, and all
 * share the functions that hear of their sockets.
 */
import type { Socket } from 'node:net'
import type { RawData } from 'ws'
import type { FrameOwner, FrameReader, FrameReaders } from './frame-reader.ts'
import { closeFrame, dropInflate, pingFrame, pongFrame } from './ws-internals.ts'

/** What hears of a client's WebSocket. */
export interface ClientListener {
  onMessage(data: RawData, isBinary: boolean): void
  /** It is answered already, or will be before `onDrain`. */
  onPing(): void
  onPong(payload: Buffer): void
  /** Nothing waits in the socket any more. */
  onDrain(): void
  /** Once and last; whatever went wrong, this says so. */
  onClose(): void
}

/** How long the other side has to end what it was told to end, ms. */
const goodbyeMsMax = 2_000
/** What a close frame without a code is read as; it is never sent. */
const noCode = 1005

const owners = new WeakMap<Socket, ClientSocket>()

/** A client's WebSocket that is open, and later is not. */
export class ClientSocket implements FrameOwner {
  readonly #socket: Socket
  readonly #readers: FrameReaders
  /** What it has agreed on beside plain frames. */
  readonly #extensions: object | undefined
  /** Undefined between two frames, unless it is for this client alone. */
  #reader: FrameReader | undefined
  /** The answer to the last ping, while the socket takes no more. */
  #pongDue: Buffer | undefined
  #listener: ClientListener | undefined
  #isOpen = true
  #isPaused = false
  #isHeard = false
  /** Nothing that comes is looked at any more. */
  #isDeaf = false

  constructor(options: {
    readonly socket: Socket
    readonly readers: FrameReaders
    /** Undefined where nothing was agreed on: permessage-deflate is all there is. */
    readonly extensions: object | undefined
  }) {
    this.#socket = options.socket
    this.#readers = options.readers
    this.#extensions = options.extensions
    if (options.extensions !== undefined) this.#reader = options.readers.alone(options.extensions)
    const { socket } = options
    owners.set(socket, this)
    socket.setTimeout(0)
    socket.setNoDelay()
    socket.on('data', takeData)
    socket.on('drain', takeDrain)
    socket.on('end', takeEnd)
    socket.on('error', takeError)
    socket.on('close', takeClose)
  }

  /** What happens from now on is told to `listener`; to be called in the turn that made it, before anything does. */
  listen(listener: ClientListener): void {
    this.#listener = listener
  }

  /** What is written to it, and read from it. */
  get socket(): Socket {
    return this.#socket
  }

  /** True until either side says that it ends, or it is lost. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether the client has agreed on compression. */
  get takesDeflated(): boolean {
    return this.#extensions !== undefined
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Whether anything has come since this was asked last. */
  takeHeard(): boolean {
    const isHeard = this.#isHeard
    this.#isHeard = false
    return isHeard
  }

  /** Reads no more from the socket; what was read already still comes. */
  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#reader?.isFull !== true) this.#socket.resume()
  }

  /** Sends a ping with up to 125 bytes. */
  ping(payload: Buffer): void {
    if (this.#isOpen) this.#socket.write(pingFrame(payload))
  }

  /** Says that it ends, and why; then the other side has two seconds. */
  close(code: number, reason: string): void {
    this.#end(code, Buffer.from(reason))
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#isOpen = false
    this.#socket.destroy()
  }

  onMessage(data: RawData, isBinary: boolean): void {
    // Tens of kilobytes that the next message makes again.
    if (this.#extensions !== undefined) dropInflate(this.#extensions)
    this.#listener?.onMessage(data, isBinary)
  }

  onPing(payload: Buffer): void {
    // Who asks on and on and reads nothing is owed one answer, that to the last of its pings (RFC 6455, 5.5.3).
    if (this.#socket.writableNeedDrain) this.#pongDue = pongFrame(payload)
    else if (this.#isOpen) this.#socket.write(pongFrame(payload))
    this.#listener?.onPing()
  }

  onPong(payload: Buffer): void {
    this.#listener?.onPong(payload)
  }

  onEnding(code: number, reason: Buffer): void {
    this.#hearNoMore()
    this.#end(code, reason)
  }

  onBadFrame(closeCode: number): void {
    this.#hearNoMore()
    this.#end(closeCode, Buffer.alloc(0))
  }

  onReady(): void {
    if (!this.#isPaused) this.#socket.resume()
  }

  onData(chunk: Buffer): void {
    this.#isHeard = true
    if (this.#isDeaf) return
    this.#reader = this.#readers.read(chunk, this, this.#reader)
    if (this.#reader?.isFull === true) this.#socket.pause()
  }

  onDrain(): void {
    const pong = this.#pongDue
    this.#pongDue = undefined
    if (pong !== undefined && this.#isOpen) this.#socket.write(pong)
    this.#listener?.onDrain()
  }

  /** The other side sends nothing more, and is sent nothing more. */
  onEnd(): void {
    this.#isOpen = false
    this.#socket.end()
  }

  onClosed(): void {
    this.#isOpen = false
    this.#isDeaf = true
    this.#reader = undefined
    this.#pongDue = undefined
    const listener = this.#listener
    // What is inflated still comes.
    this.#listener = undefined
    listener?.onClose()
  }

  /** Says that it ends, once; the socket ends when both sides have said so. */
  #end(code: number, reason: Buffer): void {
    if (this.#isOpen) {
      this.#isOpen = false
      this.#socket.write(closeFrame(code === noCode ? undefined : code, reason))
      setTimeout(() => this.#socket.destroy(), goodbyeMsMax).unref()
    }
    if (this.#isDeaf) this.#socket.end()
  }

  /** What still comes is passed over: a socket that is not read never learns that the other side is gone. */
  #hearNoMore(): void {
    this.#isDeaf = true
    this.#socket.resume()
  }
}

function takeData(this: Socket, chunk: Buffer): void {
  owners.get(this)?.onData(chunk)
}

function takeDrain(this: Socket): void {
  owners.get(this)?.onDrain()
}

function takeEnd(this: Socket): void {
  owners.get(this)?.onEnd()
}

function takeError(this: Socket): void {
  this.destroy()
}

function takeClose(this: Socket): void {
  owners.get(this)?.onClosed()
}
