/* A WebSocket client without manners, and raw HTTP: bytes go out as they are given. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { until } from './hostile-rig.ts'

/** A connection of bytes. */
export type RawSocket = {
  readonly socket: Socket
  /** All that came, as Latin-1. */
  received(): string
  /** True once the other side has ended or cut it. */
  readonly isClosed: boolean
  send(bytes: string | Uint8Array): void
}

/** Connects to a port of this machine. */
export async function openRaw(port: number): Promise<RawSocket> {
  const socket = connect({ port, host: '127.0.0.1' })
  const chunks: Buffer[] = []
  let isClosed = false
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('end', () => {
    isClosed = true
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    socket,
    received: () => Buffer.concat(chunks).toString('latin1'),
    get isClosed() {
      return isClosed
    },
    send: bytes => {
      socket.write(bytes)
    },
  }
}

/** A frame of JSON that a node sent. */
export type NodeFrame = Readonly<Record<string, unknown>>

/** A client of /v1/observe or /v1/write. */
export type RawWebSocket = {
  readonly raw: RawSocket
  /** Frames so far. */
  frames(): readonly NodeFrame[]
  /** The first frame that `matches`, once there is one. */
  frame(matches: (frame: NodeFrame) => boolean, what: string): Promise<NodeFrame>
  /** Code of the close frame; undefined while there is none. */
  closeCode(): number | undefined
  send(frame: unknown): void
  sendText(text: string): void
}

/** Opens a WebSocket; the token goes in the list of subprotocols. */
export async function openWebSocket(
  port: number,
  path: string,
  token: string | undefined,
): Promise<RawWebSocket> {
  const raw = await openRaw(port)
  const protocols = token === undefined ? 'fanfold.v1' : `fanfold.v1, bearer.${token}`
  const head = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${protocols}`,
  ]
  raw.send(`${head.join('\r\n')}\r\n\r\n`)
  await until(() => raw.received().includes('\r\n\r\n'), 'an answer to the upgrade')
  const reader = new FrameReader(raw)
  return {
    raw,
    frames: () => reader.read(),
    frame: async (matches, what) => {
      await until(() => reader.read().some(matches), what)
      return reader.read().find(matches) ?? {}
    },
    closeCode: () => {
      reader.read()
      return reader.closeCode
    },
    send: frame => raw.send(maskedText(JSON.stringify(frame))),
    sendText: text => raw.send(maskedText(text)),
  }
}

/** A whole text frame as a client sends it. */
export function maskedText(text: string): Buffer {
  const payload = Buffer.from(text)
  const { length } = payload
  const head =
    length < 126
      ? Buffer.from([0x81, 0x80 | length])
      : length < 65_536
        ? Buffer.from([0x81, 0xfe, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([0x81, 0xff]), eightBytes(length)])
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

function eightBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

class FrameReader {
  readonly #raw: RawSocket
  readonly #frames: NodeFrame[] = []
  #offset = -1
  closeCode: number | undefined

  constructor(raw: RawSocket) {
    this.#raw = raw
  }

  read(): readonly NodeFrame[] {
    const bytes = Buffer.from(this.#raw.received(), 'latin1')
    if (this.#offset < 0) this.#offset = bytes.indexOf('\r\n\r\n') + 4
    for (;;) {
      const frame = frameAt(bytes, this.#offset)
      if (frame === undefined) return this.#frames
      this.#offset = frame.end
      if (frame.opcode === 1) this.#frames.push(JSON.parse(frame.payload.toString()))
      if (frame.opcode === 8) this.closeCode = frame.payload.readUInt16BE()
    }
  }
}

function frameAt(
  bytes: Buffer,
  start: number,
): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < start + 2) return undefined
  const opcode = bytes.readUInt8(start) & 0x0f
  const short = bytes.readUInt8(start + 1) & 0x7f
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0
  if (bytes.length < start + 2 + extra) return undefined
  const length =
    extra === 0
      ? short
      : extra === 2
        ? bytes.readUInt16BE(start + 2)
        : Number(bytes.readBigUInt64BE(start + 2))
  const end = start + 2 + extra + length
  if (bytes.length < end) return undefined
  return { opcode, payload: bytes.subarray(end - length, end), end }
}
