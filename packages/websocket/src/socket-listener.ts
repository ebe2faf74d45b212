/*
 * Who hears what happens on a socket.
 *
 * Functions of its own for each of ten thousand sockets would take more memory than all else that is kept
 * of most of them: here all share six, which find the one that is concerned by the socket.
 */
import type { Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'

/** What hears of one WebSocket and the socket under it. */
export interface SocketListener {
  onMessage(data: RawData, isBinary: boolean): void
  onPing(): void
  onPong(payload: Buffer): void
  /** Nothing waits in the socket any more. */
  onDrain(): void
  /** Once and last. */
  onClose(): void
}

const listeners = new WeakMap<WebSocket | Socket, SocketListener>()

/** Tells `listener` what happens on `ws` and on `socket`, which is under it; errors end in `onClose`. */
export function listenTo(ws: WebSocket, socket: Socket, listener: SocketListener): void {
  listeners.set(ws, listener)
  listeners.set(socket, listener)
  ws.on('message', message)
  ws.on('ping', ping)
  ws.on('pong', pong)
  // The close that follows says what there is to say.
  ws.on('error', nothing)
  ws.on('close', close)
  socket.on('drain', drain)
}

function message(this: WebSocket, data: RawData, isBinary: boolean): void {
  listeners.get(this)?.onMessage(data, isBinary)
}

function ping(this: WebSocket): void {
  listeners.get(this)?.onPing()
}

function pong(this: WebSocket, payload: Buffer): void {
  listeners.get(this)?.onPong(payload)
}

function close(this: WebSocket): void {
  listeners.get(this)?.onClose()
}

function drain(this: Socket): void {
  listeners.get(this)?.onDrain()
}

function nothing(): void {}
