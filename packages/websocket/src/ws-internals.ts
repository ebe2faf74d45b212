/*
 * What this package knows of ws and of Node's sockets beyond their documentation, in one place.
 *
 * ws writes whole frames to the socket of the upgrade, at once and in order, as long as it compresses nothing
 * itself and no Blob is sent. So frames that are written to that socket directly take their
 * place between ws's own, and corking it joins both. A test holds this to the version installed.
 *
 * A socket gives its handle what it is written as long as nothing waits in it, and the handle keeps
 * the order of what it is given. So frames that are given to the handle while nothing waits in the
 * socket take their place too, without what a stream costs; and behind ws's close frame there is nothing, as it
 * ends the socket with it, and a handle takes nothing then. Under TLS, and where Node's parts are not what
 * they were when this was written, all goes through the stream.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { PerMessageDeflateOptions, WebSocket } from 'ws'

/** How the payload of a text message is written. */
type Writing = {
  /** As permessage-deflate has it. */
  readonly isDeflated: boolean
}

/**
 * The bytes of an unmasked text message on the wire, header and payload in one piece, so that a
 * frame for many sockets is made once.
 */
export function encodeTextFrame(payload: Uint8Array, writing: Writing): Buffer {
  const head = headBytes(payload.length)
  const frame = Buffer.allocUnsafeSlow(head + payload.length)
  writeHead(frame, finalBit | opcodeOf(writing), payload.length)
  frame.set(payload, head)
  return frame
}

/** The header of one fragment of an unmasked text message, for a payload of so many bytes. */
export function fragmentHead(
  length: number,
  place: Writing & { readonly isFirst: boolean; readonly isLast: boolean },
): Buffer {
  const head = Buffer.allocUnsafe(headBytes(length))
  const opcode = place.isFirst ? opcodeOf(place) : continuationOpcode
  writeHead(head, place.isLast ? finalBit | opcode : opcode, length)
  return head
}

/** `frames` and behind them a ping with a payload of at most 125 bytes, in one piece. */
export function withPing(frames: Buffer, payload: Buffer): Buffer {
  const { length } = frames
  const joined = Buffer.allocUnsafe(length + 2 + payload.length)
  joined.set(frames)
  joined[length] = finalBit | pingOpcode
  joined[length + 1] = payload.length
  joined.set(payload, length + 2)
  return joined
}

/** Of a message's first frame, which says for all whether they are compressed. */
function opcodeOf({ isDeflated }: Writing): number {
  return isDeflated ? deflatedBit | textOpcode : textOpcode
}

function headBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function writeHead(frame: Buffer, first: number, length: number): void {
  frame[0] = first
  if (length < 126) {
    frame[1] = length
  } else if (length < 65_536) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
}

/** The payloads of plain frames that `encodeTextFrame` made, for a socket that cannot be written beside. */
export function* textPayloads(frames: Buffer): Generator<Buffer> {
  let offset = 0
  while (offset < frames.length) {
    const short = frames.readUInt8(offset + 1)
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    let length = short
    if (head === 4) length = frames.readUInt16BE(offset + 2)
    if (head === 10) length = Number(frames.readBigUInt64BE(offset + 2))
    yield frames.subarray(offset + head, offset + head + length)
    offset += head + length
  }
}

const finalBit = 0x80
const deflatedBit = 0x40
const textOpcode = 0x1
const continuationOpcode = 0x0
const pingOpcode = 0x9

const deflateExtension = 'permessage-deflate'

/**
 * How ws negotiates compression for messages that are compressed outside of it, each for itself: it compresses none,
 * so that it writes what it is given at once. Offers that ask for a smaller window than shared bytes need are not accepted.
 */
export const deflateNegotiation: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  threshold: Number.POSITIVE_INFINITY,
}

/**
 * Whether frames may be written to `socket` beside those of `ws`, which a server accepted with `deflateNegotiation` or
 * without compression.
 *
 * When not (a later ws, another extension), the caller goes through `ws.send`.
 */
export function canWriteBeside(ws: WebSocket, socket: Duplex): boolean {
  const isKnown = ws.extensions === '' || takesDeflated(ws)
  return isKnown && socket instanceof Duplex && readOwnSocket(ws) === socket
}

/** Whether the other side has agreed on compression, and nothing else. */
export function takesDeflated(ws: WebSocket): boolean {
  return ws.extensions === deflateExtension
}

/**
 * Lets go of what ws keeps to inflate the next message with, some tens of kilobytes; to be called with a message.
 * It makes another when one comes.
 */
export function dropInflate(ws: WebSocket): void {
  const extension: unknown = Reflect.get(Object(Reflect.get(ws, '_extensions')), deflateExtension)
  if (typeof extension !== 'object' || extension === null) return
  const inflate: unknown = Reflect.get(extension, '_inflate')
  if (typeof inflate !== 'object' || inflate === null || !('close' in inflate)) return
  if (typeof inflate.close === 'function') Reflect.apply(inflate.close, inflate, [])
  Reflect.set(extension, '_inflate', null)
}

/** ws keeps the socket it writes to here; nothing else reads it. */
function readOwnSocket(ws: WebSocket): unknown {
  return Reflect.get(ws, '_socket')
}

/**
 * Bytes of the write under way that the kernel has not taken, or `undefined` when Node does not say.
 *
 * `writableLength` falls only when a whole write is done, which on a slow network takes a while: by
 * this number progress can be told from a standstill. Under TLS it is that of the connection below: what is
 * encrypted already falls by whole writes too.
 */
export function kernelBacklogBytes(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return undefined
  const below: unknown = Reflect.get(handle, '_parent')
  const isOver = typeof below === 'object' && below !== null
  const bytes: unknown = Reflect.get(isOver ? below : handle, 'writeQueueSize')
  return typeof bytes === 'number' ? bytes : undefined
}

/** What a TCP socket's handle does; what it returns is 0 or an error's number. */
export type Handle = { writeBuffer(request: object, bytes: Buffer): number }

/** A request to write; Node calls `oncomplete` when one that could not be done at once is. */
type WriteRequest = { oncomplete: (status: number) => void; bytes: Buffer }

type StreamBinding = {
  readonly newRequest: () => object
  /** Whether the last write could not be done at once, and its request is in use. */
  readonly isUnderWay: () => boolean
}

/** One for all sockets: it is only kept by a write that could not be done at once. */
let spareRequest: object | undefined
/** Handles with a write of ours that could not be done at once. */
const busyHandles = new Set<Handle>()

/** The handle under a plain TCP socket that is connected; undefined where all goes through the stream. */
export function handleUnder(socket: Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  return streamBinding !== undefined && isTcpHandle(handle) ? handle : undefined
}

/** Whether nothing waits in the socket's stream or in the handle under it. */
export function isQuiet(socket: Socket, handle: Handle): boolean {
  if (socket.writableLength > 0 || socket.writableCorked > 0) return false
  return busyHandles.size === 0 || !busyHandles.has(handle)
}

/** What became of bytes: all of them are with the kernel, some wait in the handle, or none was taken. */
export type Written = 'sent' | 'waits' | 'refused'

/**
 * Writes `bytes`, which must not change until they are sent, where nothing waits.
 *
 * @param handle the one under `socket`, quiet
 * @returns `refused` when they must go through the stream, as the socket is gone
 */
export function writeToQuiet(socket: Socket, handle: Handle, bytes: Buffer): Written {
  if (streamBinding === undefined) return 'refused'
  const request = spareRequest ?? streamBinding.newRequest()
  spareRequest = undefined
  // An error shows again, and is handled, when the stream writes the same.
  const isTaken = handle.writeBuffer(request, bytes) === 0
  if (isTaken && streamBinding.isUnderWay()) {
    keepUntilDone({ request, bytes, socket, handle })
    return 'waits'
  }
  spareRequest = request
  return isTaken ? 'sent' : 'refused'
}

/**
 * Writes `bytes`, which must not change until they are sent, behind all that was written before.
 *
 * @param handle the one under `socket`
 * @returns false when they must go through the stream, as others wait there or in the handle, or the
 *   socket is gone
 */
export function writeToHandle(socket: Socket, handle: Handle, bytes: Buffer): boolean {
  return isQuiet(socket, handle) && writeToQuiet(socket, handle, bytes) !== 'refused'
}

function keepUntilDone(write: {
  readonly request: object
  readonly bytes: Buffer
  readonly socket: Socket
  readonly handle: Handle
}): void {
  const { request, bytes, socket, handle } = write
  busyHandles.add(handle)
  const done = (status: number): void => {
    busyHandles.delete(handle)
    if (status < 0) socket.destroy()
  }
  Object.assign<object, WriteRequest>(request, { oncomplete: done, bytes })
}

function isTcpHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    handle.constructor.name === 'TCP' &&
    typeof Reflect.get(handle, 'writeBuffer') === 'function'
  )
}

/** Node's own, which it lets nobody have who runs with permissions taken away. */
function readStreamBinding(): StreamBinding | undefined {
  let parts: object
  try {
    const binding: unknown = Reflect.get(process, 'binding')
    if (typeof binding !== 'function') return undefined
    parts = Object(Reflect.apply(binding, process, ['stream_wrap']))
  } catch {
    return undefined
  }
  const WriteWrap: unknown = Reflect.get(parts, 'WriteWrap')
  const state: unknown = Reflect.get(parts, 'streamBaseState')
  const index: unknown = Reflect.get(parts, 'kLastWriteWasAsync')
  if (typeof WriteWrap !== 'function' || typeof index !== 'number') return undefined
  if (!(state instanceof Int32Array) || index >= state.length) return undefined
  return {
    newRequest: () => Reflect.construct(WriteWrap, []),
    isUnderWay: () => state[index] !== 0,
  }
}

const streamBinding = readStreamBinding()
