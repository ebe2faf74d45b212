/*
 * What this package knows of ws and of Node's sockets beyond their documentation, in one place. A test holds this to the
 * versions installed.
 *
 * For clients, ws does the handshake and reads frames. What is written to them is made here, and written to the socket.
 *
 * A socket gives its handle what it is written as long as nothing waits in it, and the handle keeps
 * the order of what it is given. So frames that are given to the handle while nothing waits in the
 * socket take their place too, without what a stream costs; and behind a close frame there is nothing, as it
 * ends the socket, and a handle takes nothing then. Under TLS, and where Node's parts are not what
 * they were when this was written, all goes through the stream.
 */
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import * as ws from 'ws'
import {
  type PerMessageDeflateOptions,
  type ServerOptions,
  type WebSocket,
  WebSocketServer,
} from 'ws'

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

/** A ping with a payload of at most 125 bytes. */
export const pingFrame = (payload: Buffer): Buffer => controlFrame(pingOpcode, payload)

/** The answer to a ping, with its payload. */
export const pongFrame = (payload: Buffer): Buffer => controlFrame(pongOpcode, payload)

/** The last frame of a side, with a code, or undefined for none, and a reason of at most 123 bytes. */
export function closeFrame(code: number | undefined, reason: Buffer): Buffer {
  if (code === undefined) return controlFrame(closeOpcode, Buffer.alloc(0))
  const payload = Buffer.alloc(2 + reason.length)
  payload.writeUInt16BE(code, 0)
  payload.set(reason, 2)
  return controlFrame(closeOpcode, payload)
}

/** What a pong holds that is all of a client's `chunk`, which is changed by it; undefined for anything else. */
export function lonePong(chunk: Buffer): Buffer | undefined {
  const { length } = chunk
  if (chunk[0] !== (finalBit | pongOpcode) || length < clientHeadBytes) return undefined
  if (
    chunk[1] !== (maskedBit | (length - clientHeadBytes)) ||
    length > clientHeadBytes + controlBytesMax
  )
    return undefined
  for (let at = clientHeadBytes; at < length; at++) {
    chunk[at] = (chunk[at] ?? 0) ^ (chunk[2 + ((at - clientHeadBytes) & 3)] ?? 0)
  }
  return chunk.subarray(clientHeadBytes)
}

function controlFrame(opcode: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + payload.length)
  writeHead(frame, finalBit | opcode, payload.length)
  frame.set(payload, 2)
  return frame
}

const finalBit = 0x80
const maskedBit = 0x80
/** What comes before the payload of a control frame of a client: two bytes, and the mask. */
const clientHeadBytes = 6
/** Bytes of a control frame's payload, at most. */
const controlBytesMax = 125
const deflatedBit = 0x40
const textOpcode = 0x1
const continuationOpcode = 0x0
const closeOpcode = 0x8
const pingOpcode = 0x9
const pongOpcode = 0xa

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

/** What ws has made of a handshake. */
export type Upgraded = {
  readonly socket: Socket
  /** What was agreed on, for a reader; undefined for nothing. */
  readonly extensions: object | undefined
}

/**
 * What ws makes of a handshake in place of an object of its own, which holds a reader and a writer for each connection,
 * most of which it never uses. It sets what was agreed on, and then the socket.
 */
class HandedOver {
  socket: unknown

  setSocket(socket: unknown, head: Buffer): void {
    this.socket = socket
    // What came with the handshake is read first.
    if (head.length > 0 && socket instanceof Socket) socket.unshift(head)
  }
}

/** A server of ws that does the handshakes, and nothing else: `upgraded` says what is in what it answers with. */
export function handshakeServer(options: ServerOptions): WebSocketServer {
  const bare = { ...options, clientTracking: false }
  Reflect.set(bare, 'WebSocket', HandedOver)
  return new WebSocketServer(bare)
}

/** What a `handshakeServer` answers with. */
export function upgraded(answer: WebSocket): Upgraded {
  const socket: unknown = Reflect.get(answer, 'socket')
  const extensions: unknown = Reflect.get(answer, '_extensions')
  if (!(socket instanceof Socket)) throw new TypeError('ws hands a socket over')
  const isPlain = typeof extensions !== 'object' || extensions === null
  return { socket, extensions: isPlain ? undefined : extensions }
}

/** How much of a client a receiver takes, as ws has it. */
export type ReceiverBounds = {
  readonly maxPayload: number
  readonly maxFragments: number
  readonly maxBufferedChunks: number
  readonly extensions?: object | undefined
}

/** What reads frames in ws: bytes are written to it, and it tells of what they are. */
export type Receiver = Writable

/** What ws reads the frames of a client with. */
export function newReceiver(bounds: ReceiverBounds): Receiver {
  const Made: unknown = Reflect.get(ws, 'Receiver')
  if (typeof Made !== 'function') throw new TypeError('ws has a receiver')
  return Reflect.construct(Made, [{ ...bounds, isServer: true }])
}

/** Whether it is between two frames, and two messages, and holds nothing: it may read for somebody else. */
export function isAtRest(receiver: Receiver): boolean {
  const isUsable = !receiver.writableEnded && !receiver.destroyed && receiver.errored === null
  if (!isUsable || receiver.writableNeedDrain || receiver.writableLength > 0) return false
  return restingFields.every(name => Reflect.get(receiver, name) === 0)
}

/** Of a receiver: what it waits for, bytes that it holds, and the message that a fragment has begun. */
const restingFields = ['_state', '_bufferedBytes', '_fragmented'] as const

/** The code to close with after what a receiver could not read. */
export function closeCodeOf(error: Error): number {
  const code: unknown = Reflect.get(error, 'code')
  // What zlib cannot inflate has a code of zlib's.
  const isZlibs = typeof code === 'string' && code.startsWith('Z_')
  if (isZlibs || code === 'WS_ERR_INVALID_UTF8') return 1007
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return 1008
  const isTooLong =
    code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ||
    code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'
  return isTooLong ? 1009 : 1002
}

/**
 * Lets go of what ws keeps to inflate the next message with, some tens of kilobytes; to be called with a message.
 * It makes another when one comes.
 */
export function dropInflate(extensions: object): void {
  const extension: unknown = Reflect.get(extensions, deflateExtension)
  if (typeof extension !== 'object' || extension === null) return
  const inflate: unknown = Reflect.get(extension, '_inflate')
  if (typeof inflate !== 'object' || inflate === null || !('close' in inflate)) return
  if (typeof inflate.close === 'function') Reflect.apply(inflate.close, inflate, [])
  Reflect.set(extension, '_inflate', null)
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

/**
 * Whether what is written beside the stream, by the descriptor, is behind all that the stream was given: nothing waits
 * in it, and its end was not written. A handle refuses bytes behind the end by itself; a descriptor takes them until
 * the end is sent, a turn later.
 */
export function isStreamIdle(socket: Socket): boolean {
  return socket.writableLength === 0 && !socket.writableEnded
}

/** One who keeps descriptors of handles, by slots of its own. */
export interface DescriptorKeeper {
  /** The descriptor of that slot is about to be closed. */
  descriptorClosing(slot: number): void
}

const keeperKey = Symbol('keeper')
const slotKey = Symbol('slot')

/**
 * The file descriptor under a handle, 0 or more; -1 where there is none, or Node's parts are not what they were.
 *
 * The system gives a descriptor's number to whoever opens something next. So the keeper is told before the handle closes
 * it, in the same call and once, until `forgetDescriptor`. A handle has one keeper at most.
 */
export function keepDescriptor(handle: Handle, keeper: DescriptorKeeper, slot: number): number {
  const descriptor: unknown = Reflect.get(handle, 'fd')
  if (typeof descriptor !== 'number' || descriptor < 0) return -1
  for (const [name, tellAndClose] of closing) {
    const own: unknown = Reflect.get(handle, name)
    // Another who has put something of its own there may close it unheard.
    const isKnown = own === tellAndClose || !Object.hasOwn(handle, name)
    if (typeof own !== 'function' || !isKnown) return -1
  }
  for (const [name, tellAndClose] of closing) Reflect.set(handle, name, tellAndClose)
  Reflect.set(handle, keeperKey, keeper)
  Reflect.set(handle, slotKey, slot)
  return descriptor
}

/** Its keeper is told nothing of the handle any more. */
export function forgetDescriptor(handle: Handle): void {
  Reflect.set(handle, keeperKey, undefined)
}

/** All by which Node closes a handle under a socket, each with what stands in its place; one for all handles. */
const closing = (['close', 'reset'] as const).map(
  name =>
    [
      name,
      function tellAndClose(this: Handle & Kept, ...given: unknown[]): unknown {
        const keeper = this[keeperKey]
        forgetDescriptor(this)
        keeper?.descriptorClosing(this[slotKey] ?? -1)
        const own: unknown = Reflect.get(Object.getPrototypeOf(this), name)
        return typeof own === 'function' ? Reflect.apply(own, this, given) : undefined
      },
    ] as const,
)

type Kept = {
  readonly [keeperKey]?: DescriptorKeeper | undefined
  readonly [slotKey]?: number | undefined
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
