/*
 * A viewer's WebSocket with nothing that a benchmark does not need: ten thousand of them share a machine
 * with the node that they watch, and what they cost it does not have.
 */
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'

const headEnd = Buffer.from('\r\n\r\n')
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }
/** Bytes are taken out of here before the next socket is read. */
const shared = Buffer.allocUnsafe(131_072)
const nothing = Buffer.alloc(0)

/** Emits open, message, error and close as the sockets of ws do; messages are only good until they return. */
export class RawSocket extends EventEmitter {
  #tcp
  #rest = nothing
  #parts = []
  #isOpen = false

  constructor(url, protocols) {
    super()
    const { hostname, port, pathname, search, host } = new URL(url)
    const wanted =
      protocols.length === 0 ? '' : `Sec-WebSocket-Protocol: ${protocols.join(', ')}\r\n`
    this.#tcp = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: length => {
          this.#read(shared.subarray(0, length))
          return true
        },
      },
    })
    this.#tcp.on('error', error => {
      if (!this.#isOpen) this.emit('error', error)
    })
    this.#tcp.on('end', () => this.terminate())
    this.#tcp.once('close', () => this.emit('close'))
    this.#tcp.once('connect', () =>
      this.#tcp.write(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
          `${wanted}\r\n`,
      ),
    )
  }

  /** The socket under it. */
  get _socket() {
    return this.#tcp
  }

  /** Sends a string as text, bytes as they are. */
  send(message) {
    const opcode = typeof message === 'string' ? opcodes.text : opcodes.binary
    this.#write(opcode, Buffer.from(message))
  }

  pause() {
    this.#tcp.pause()
  }

  resume() {
    this.#tcp.resume()
  }

  terminate() {
    this.#tcp.destroy()
  }

  /** The mask is zero, so that a payload is what it was. */
  #write(opcode, payload) {
    const { length } = payload
    const head = Buffer.alloc(length < 126 ? 6 : 8)
    head[0] = 0x80 | opcode
    if (length < 126) head[1] = 0x80 | length
    else {
      head[1] = 0x80 | 126
      head.writeUInt16BE(length, 2)
    }
    this.#tcp.write(Buffer.concat([head, payload]))
  }

  #read(chunk) {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#isOpen) {
      const end = bytes.indexOf(headEnd)
      if (end !== -1) {
        const status = bytes.toString('latin1', 9, 12)
        if (status !== '101') {
          this.emit('error', new Error(`answered ${status}`))
          this.terminate()
          return
        }
        bytes = bytes.subarray(end + headEnd.length)
        this.#isOpen = true
        this.emit('open')
      }
    }
    if (this.#isOpen) bytes = this.#frames(bytes)
    this.#rest = bytes.length === 0 ? nothing : Buffer.from(bytes)
  }

  /** Takes whole frames; returns what is left. */
  #frames(bytes) {
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] & 0x7f
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length - at < head) break
      const length =
        head === 2
          ? short
          : head === 4
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      if (bytes.length - at < head + length) break
      this.#frame(bytes[at], bytes.subarray(at + head, at + head + length))
      at += head + length
    }
    return bytes.subarray(at)
  }

  #frame(first, payload) {
    const opcode = first & 0x0f
    const isFinal = (first & 0x80) !== 0
    if (opcode === opcodes.ping) this.#write(opcodes.pong, payload)
    else if (opcode === opcodes.close) this.terminate()
    else if (opcode !== opcodes.pong) {
      if (isFinal && this.#parts.length === 0) {
        this.emit('message', payload)
        return
      }
      this.#parts.push(Buffer.from(payload))
      if (!isFinal) return
      const whole = Buffer.concat(this.#parts)
      this.#parts = []
      this.emit('message', whole)
    }
  }
}
