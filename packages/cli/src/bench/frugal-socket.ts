/*
 * A viewer's WebSocket with nothing that a load test does not need: thousands of them share a process, and what they
 * cost it is counted as the server's latency. Bytes are read into one buffer that all sockets share, of a long message
 * only the head is kept, and masks are zeros. It is what the client's own line of code dials and loses, so that it
 * comes back as the client does.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import type { WebSocketEvent, WebSocketLike } from '@fanfold/client/line'
import { closeReasonOf } from '@fanfold/protocol'
import { headBytesMax } from './frame-head.ts'
import type { SwarmTally } from './swarm-tally.ts'

/** What is taken out of the system at a time, of all sockets: read before the next one is. */
const shared = Buffer.allocUnsafe(131_072)
const nothing = Buffer.alloc(0)
const headEnd = Buffer.from('\r\n\r\n')
/** An answer to a handshake with a longer head is none. */
const answerBytesMax = 16_384
const deltaStart = '{"type":"delta"'
const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 }
/** A connection that ended without a close frame (RFC 6455). */
const lostCode = 1006

type Listener = (event: WebSocketEvent) => void

/** One connection. Texts of messages are cut after `headBytesMax` and decoded as Latin-1: heads are ASCII. */
export class FrugalSocket implements WebSocketLike {
  readonly #tally: SwarmTally
  readonly #tcp: Socket
  readonly #listeners: Partial<Record<string, Listener>> = {}
  #state: 'dialling' | 'open' | 'closed' = 'dialling'
  /** The part of a frame, or of the answer, that came without its end. */
  #rest: Buffer = nothing
  /** Of a message in fragments: what is kept of its text, and the bytes of it so far. */
  #message: { head: string; bytes: number } | undefined
  /** Why it will be closed. */
  #closing: { readonly code: number; readonly reason: string } | undefined

  constructor(url: string, protocols: readonly string[], tally: SwarmTally) {
    this.#tally = tally
    tally.dialling++
    const { protocol, hostname, port, host, pathname } = new URL(url)
    const isSecure = protocol === 'wss:'
    const address = { host: hostname.replace(/^\[|\]$/g, ''), noDelay: true }
    if (isSecure) {
      // TLS decrypts into buffers of its own.
      const servername = /^[\d.]+$|:/.test(address.host) ? '' : address.host
      this.#tcp = connectSecurely({ ...address, port: Number(port || 443), servername })
      this.#tcp.on('data', (chunk: Buffer) => this.#read(chunk))
    } else {
      const onread = {
        buffer: shared,
        callback: (length: number): boolean => {
          this.#read(shared.subarray(0, length))
          return true
        },
      }
      this.#tcp = connect({ ...address, port: Number(port || 80), onread })
    }
    this.#tcp.once(isSecure ? 'secureConnect' : 'connect', () => {
      this.#tcp.write(
        `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
          `Sec-WebSocket-Protocol: ${protocols.join(', ')}\r\n\r\n`,
      )
    })
    this.#tcp.on('error', error => {
      const reason = 'code' in error ? String(error.code) : error.message
      this.#closing ??= { code: lostCode, reason }
    })
    this.#tcp.on('end', () => this.#tcp.destroy())
    this.#tcp.once('close', () => this.#closed())
  }

  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: Listener): void {
    this.#listeners[type] = listener
  }

  send(text: string): void {
    this.#write(opcodes.text, Buffer.from(text))
  }

  close(code = 1000): void {
    if (this.#state === 'open') {
      const payload = Buffer.alloc(2)
      payload.writeUInt16BE(code)
      this.#write(opcodes.close, payload)
      this.#tcp.destroySoon()
    } else {
      this.#tcp.destroy()
    }
  }

  #closed(): void {
    if (this.#state === 'dialling') this.#tally.dialling--
    this.#state = 'closed'
    const { code, reason } = this.#closing ?? { code: lostCode, reason: '' }
    if (code === closeReasonOf('too-slow').code) this.#tally.tooSlow++
    if (code === closeReasonOf('overloaded').code) this.#tally.turnedAway++
    this.#listeners['close']?.({ type: 'close', code, reason })
  }

  #write(opcode: number, payload: Buffer): void {
    const { length } = payload
    const headBytes = length < 126 ? 6 : length < 65_536 ? 8 : 14
    // The mask is zero, so that a payload is what it was.
    const frame = Buffer.alloc(headBytes + length)
    frame[0] = 0x80 | opcode
    frame[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127)
    if (headBytes === 8) frame.writeUInt16BE(length, 2)
    if (headBytes === 14) frame.writeBigUInt64BE(BigInt(length), 2)
    payload.copy(frame, headBytes)
    this.#tcp.write(frame)
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (this.#state === 'dialling') bytes = this.#takeAnswer(bytes)
    if (this.#state === 'open') bytes = this.#takeFrames(bytes)
    // The chunk is a part of what the next socket is read into.
    this.#rest = bytes.length === 0 ? nothing : Buffer.from(bytes)
  }

  /** Takes the answer to the handshake, once it is whole; returns what is left. */
  #takeAnswer(bytes: Buffer): Buffer {
    const end = bytes.indexOf(headEnd)
    if (end === -1) {
      if (bytes.length > answerBytesMax) this.#tcp.destroy()
      return bytes
    }
    const head = bytes.toString('latin1', 0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
    if (status === 101) {
      this.#state = 'open'
      this.#tally.dialling--
      this.#listeners['open']?.({ type: 'open' })
    } else {
      this.#closing ??= closeOf(status, head)
      this.#tcp.destroy()
    }
    return bytes.subarray(end + headEnd.length)
  }

  /** Takes whole frames; returns what is left. */
  #takeFrames(bytes: Buffer): Buffer {
    let at = 0
    while (bytes.length - at >= 2 && this.#state === 'open') {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length - at < headBytes) break
      const length =
        headBytes === 2
          ? short
          : headBytes === 4
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      const start = at + headBytes
      if (bytes.length - start < length) break
      this.#takeFrame(bytes[at] ?? 0, bytes.subarray(start, start + length), headBytes + length)
      at = start + length
    }
    return bytes.subarray(at)
  }

  #takeFrame(first: number, payload: Buffer, frameBytes: number): void {
    const opcode = first & 0x0f
    const isFinal = (first & 0x80) !== 0
    switch (opcode) {
      case opcodes.text:
      case opcodes.continuation: {
        const before = this.#message
        const head = before?.head ?? ''
        const more = headBytesMax - head.length
        const text = more > 0 ? head + payload.toString('latin1', 0, more) : head
        const bytes = (before?.bytes ?? 0) + frameBytes
        this.#message = isFinal ? undefined : { head: text, bytes }
        if (isFinal) this.#takeMessage(text, bytes)
        break
      }
      case opcodes.ping:
        this.#write(opcodes.pong, payload)
        break
      case opcodes.close:
        this.#closing ??= {
          code: payload.length >= 2 ? payload.readUInt16BE(0) : lostCode,
          reason: payload.toString('utf8', 2),
        }
        this.#write(opcodes.close, payload.subarray(0, 2))
        this.#tcp.destroySoon()
    }
  }

  #takeMessage(text: string, bytes: number): void {
    if (text.startsWith(deltaStart)) {
      this.#tally.sizedDeliveries++
      this.#tally.deliveredBytes += bytes
    }
    this.#listeners['message']?.({ type: 'message', data: text })
  }
}

/** The close code that says the same as an answer of HTTP that lets nobody in. */
function closeOf(status: number, head: string): { readonly code: number; readonly reason: string } {
  const reason = `HTTP ${status}`
  if (status === 401) return { code: closeReasonOf('unauthorized').code, reason }
  if (status === 403) return { code: closeReasonOf('forbidden').code, reason }
  if (status === 426) return { code: closeReasonOf('version').code, reason }
  // One that is away or full for now, as 503 and 429 say, and as a proxy before it says with 502 and 504.
  if (status === 429 || status >= 500 || status === 0) {
    const exactMs = /^fanfold-retry-after-ms: *(\d{1,9})$/im.exec(head)?.[1]
    const seconds = /^retry-after: *(\d{1,6})$/im.exec(head)?.[1]
    const retryAfter = exactMs === undefined ? Number(seconds ?? 0) * 1_000 : Number(exactMs)
    return { code: closeReasonOf('overloaded').code, reason: JSON.stringify({ retryAfter }) }
  }
  return { code: closeReasonOf('bad-frame').code, reason }
}
