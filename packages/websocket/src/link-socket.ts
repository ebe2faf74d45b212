/*
 * One link on one WebSocket, from its first byte to its last.
 *
 * What is unsent is bounded twice: past `bufferedBytesMax` the link is congested and its user holds
 * back; a user that does not is cut off at `bufferedBytesCap`, one frame later at most. Signals wait
 * apart from that while the link is congested, a bounded number of them, the latest of each key. What
 * the kernel holds beyond is bounded by its own limits, and by the credit that a peer gives. A peer is
 * there as long as bytes come from it: a ping goes out whenever nothing else did for a while, so
 * that the other side may judge likewise.
 */
import type { Socket } from 'node:net'
import { assert } from '@fanfold/kernel'
import {
  limits as bounds,
  closeCodes,
  type ErrorCode,
  encodeLinkFrame,
  linkFrameTypes,
  type PeerIdentity,
  ProtocolError,
} from '@fanfold/protocol'
import { WebSocket } from 'ws'
import { closeNameOf, closeReasonFor, closeText } from './close-reason.ts'
import { FrameMailbox } from './frame-mailbox.ts'
import { type LinkAgreement, type LinkAuthenticator, shakeHands } from './link-handshake.ts'
import { SignalLane } from './signal-lane.ts'
import type { TlsDialler } from './tls-dialler.ts'
import type { TurnCork } from './turn-cork.ts'
import type { TurnShare } from './turn-share.ts'

/** Limits of one link. */
export type LinkLimits = {
  /** How long the handshake may take, from dialling or accepting, ms. Default 5,000. */
  readonly handshakeMaxMs: number
  /** How long a peer may send nothing, ms. Default 1,000. */
  readonly silenceMaxMs: number
  /** A ping goes out when nothing else did for this long, ms. Default 250. */
  readonly pingEveryMs: number
  /** Unsent bytes at which the link is congested; drained under half of it. Default 1 MiB. */
  readonly bufferedBytesMax: number
  /** Unsent bytes at which the next frame closes the link. Default 4 MiB. */
  readonly bufferedBytesCap: number
}

/** Defaults of `LinkLimits`. */
export const linkLimitsDefault: LinkLimits = {
  handshakeMaxMs: 5_000,
  silenceMaxMs: 1_000,
  pingEveryMs: 250,
  bufferedBytesMax: 1_048_576,
  bufferedBytesCap: 4_194_304,
}

/** What happens on a link; `closed` comes once and last. */
export type LinkEvents = {
  opened(peer: PeerIdentity): void
  frame(frame: Uint8Array): void
  congested(): void
  drained(): void
  /** @param reason begins with a word from a fixed set, then `: ` and what is known of it */
  closed(reason: string): void
}

/** How long the close frame has to leave before the connection is cut, ms. */
const lingerMs = 1_000
/** The handshake's frames: a hello and a proof. */
const handshakeFrames = 2
/** A hello with all its texts at their limit is shorter. */
const handshakeFrameBytesMax = 16_384

const pingFrame = encodeLinkFrame({ kind: 'ping' })

/** A link: shakes hands, then carries frames. */
export class LinkSocket {
  readonly #ws: WebSocket
  readonly #limits: LinkLimits
  readonly #events: LinkEvents
  readonly #cork: TurnCork
  readonly #share: TurnShare
  readonly #mailbox = new FrameMailbox()
  readonly #signals = new SignalLane<Uint8Array>({ signalsMax: bounds.signalsWaitingMax.value })
  readonly #openedAtMs: number
  /** Undefined until a dialled connection stands. */
  #socket: Socket | undefined
  #state: 'handshaking' | 'open' | 'closed' = 'handshaking'
  /** Frames that wait for their turn: of what was read before the socket was paused, no more. */
  #waiting: Uint8Array[] = []
  /** Why the connection ended while frames waited. */
  #endedBy: string | undefined
  #isCongested = false
  #bytesRead = -1
  #heardAtMs: number
  #sentAtMs: number
  #failure: string | undefined

  constructor(options: {
    readonly ws: WebSocket
    /** The socket under `ws`, when it is open already. */
    readonly socket: Socket | undefined
    readonly limits: LinkLimits
    /** What the connection was dialled with, if it was. */
    readonly tls: TlsDialler
    readonly events: LinkEvents
    readonly cork: TurnCork
    readonly share: TurnShare
    readonly awakeMs: number
  }) {
    this.#ws = options.ws
    this.#socket = options.socket
    this.#limits = options.limits
    this.#events = options.events
    this.#cork = options.cork
    this.#share = options.share
    this.#openedAtMs = options.awakeMs
    this.#heardAtMs = options.awakeMs
    this.#sentAtMs = options.awakeMs
    this.#ws.on('upgrade', response => {
      this.#socket = response.socket
    })
    this.#ws.on('message', (data, isBinary) => {
      assert(Buffer.isBuffer(data), 'ws delivers messages as buffers')
      this.#receive(data, isBinary)
    })
    this.#ws.on('error', error => {
      this.#failure = options.tls.isRefusal(error) ? describeRefusal(error) : describeError(error)
    })
    this.#ws.on('close', (code, reason) => {
      const said = this.#failure ?? `${closeNameOf(code)}: ${reason.toString() || `code ${code}`}`
      // What came before the end is told before it.
      if (this.#waiting.length > 0) this.#endedBy = said
      else this.#end(said)
    })
  }

  /** Shakes hands as soon as the connection stands; call once, at once. */
  start(options: {
    readonly authenticator: LinkAuthenticator
    readonly dialled: boolean
    readonly nonce: Uint8Array
    readonly agreement: LinkAgreement | undefined
  }): void {
    const frames = {
      send: (frame: Uint8Array) => this.#write(frame),
      next: () => this.#mailbox.next(),
    }
    const shake = (): void => {
      shakeHands(frames, options).then(
        peer => this.#open(peer),
        error => this.#refuse(error),
      )
    }
    if (this.#ws.readyState === WebSocket.OPEN) shake()
    else this.#ws.once('open', shake)
  }

  /** Sends a frame; on a link that is closed it is lost, as any frame before a close may be. */
  send(frame: Uint8Array): void {
    if (this.#state !== 'open') return
    if (this.#bufferedBytes() > this.#limits.bufferedBytesCap) {
      this.#cut(`overloaded: ${this.#limits.bufferedBytesCap} bytes unsent`)
      return
    }
    this.#write(frame)
    if (!this.#isCongested && this.#bufferedBytes() > this.#limits.bufferedBytesMax) {
      this.#isCongested = true
      this.#events.congested()
    }
  }

  /** Sends a signal, or keeps it until the link has drained; a later one of its key takes its place. */
  signal(key: string, frame: Uint8Array): void {
    if (this.#state !== 'open') return
    if (this.#isCongested) this.#signals.put(key, frame)
    else this.send(frame)
  }

  /** Signals that were dropped because too many waited. */
  get signalsDropped(): number {
    return this.#signals.dropped
  }

  /** Closes with the code's close code; what was sent before leaves first, if it can. */
  close(code: ErrorCode, message: string): void {
    this.#shut(closeReasonFor(code).code, `${code}: ${message}`)
  }

  /** Judges silence and deadlines at `awakeMs`; to be called several times in `pingEveryMs`. */
  sweep(awakeMs: number): void {
    if (this.#state === 'handshaking') {
      if (awakeMs - this.#openedAtMs >= this.#limits.handshakeMaxMs) {
        this.#shut(closeCodes.silent.code, 'no-answer: no handshake in time')
      }
      return
    }
    if (this.#state === 'closed' || this.#socket === undefined) return
    if (this.#socket.bytesRead !== this.#bytesRead || this.#waiting.length > 0) {
      this.#bytesRead = this.#socket.bytesRead
      this.#heardAtMs = awakeMs
    } else if (awakeMs - this.#heardAtMs >= this.#limits.silenceMaxMs) {
      this.#shut(closeCodes.silent.code, `silent: nothing for ${this.#limits.silenceMaxMs} ms`)
      return
    }
    if (this.#sentAtMs < 0) this.#sentAtMs = awakeMs
    else if (awakeMs - this.#sentAtMs >= this.#limits.pingEveryMs) {
      this.#write(pingFrame)
      this.#sentAtMs = awakeMs
    }
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#cut('closed: the node stops')
  }

  #open(peer: PeerIdentity): void {
    if (this.#state !== 'handshaking') return
    this.#state = 'open'
    this.#events.opened(peer)
    // What came behind the proof while it was being verified.
    for (const frame of this.#mailbox.rest()) this.#deliverInTurn(frame)
    if (this.#waiting.length === 0) this.#ws.resume()
  }

  #refuse(error: unknown): void {
    if (this.#state !== 'handshaking') return
    if (error instanceof ProtocolError) this.close(error.code, error.message)
    // An authenticator that fails in any other way has not said yes.
    else this.close('FANFOLD_BAD_TOKEN', 'the token could not be checked')
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#state === 'closed') return
    if (!isBinary) {
      this.close('FANFOLD_BAD_FRAME', 'frames are binary, got text')
    } else if (this.#state === 'open') {
      this.#deliverInTurn(ownBytes(data))
    } else if (this.#mailbox.putCount < handshakeFrames && data.length > handshakeFrameBytesMax) {
      this.close('FANFOLD_BAD_FRAME', `a handshake of small frames, got ${data.length} bytes`)
    } else {
      this.#mailbox.put(ownBytes(data))
      // An honest peer sends on as soon as it has verified us: that waits in the socket, but for the
      // rest of the chunk that was read already.
      if (this.#mailbox.putCount === handshakeFrames) this.#ws.pause()
    }
  }

  #deliverInTurn(frame: Uint8Array): void {
    if (this.#waiting.length === 0 && !this.#share.isTaken) {
      this.#deliver(frame)
      return
    }
    this.#waiting.push(frame)
    if (this.#waiting.length > 1) return
    this.#ws.pause()
    this.#share.wait(() => this.#deliverPart())
  }

  /** One frame of those that wait, and more while there is time; false when some are left. */
  #deliverPart(): boolean {
    const frames = this.#waiting
    let served = 0
    // A receiver may close the link at any frame.
    while (served < frames.length && this.#state === 'open') {
      const frame = frames[served++]
      if (frame !== undefined) this.#deliver(frame)
      if (this.#share.isSpent) break
    }
    this.#waiting = this.#state === 'open' ? frames.slice(served) : []
    if (this.#waiting.length > 0) return false
    if (this.#endedBy !== undefined) this.#end(this.#endedBy)
    else this.#ws.resume()
    return true
  }

  #deliver(frame: Uint8Array): void {
    if (this.#state !== 'open') return
    switch (frame[0]) {
      case linkFrameTypes.ping:
        return
      case linkFrameTypes.hello:
      case linkFrameTypes.proof:
        this.close('FANFOLD_BAD_FRAME', 'one handshake per link')
        return
      default:
        this.#events.frame(frame)
    }
  }

  #write(frame: Uint8Array): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return
    if (this.#socket !== undefined) this.#cork.cork(this.#socket)
    this.#sentAtMs = -1
    this.#ws.send(frame, this.#afterWrite)
  }

  readonly #afterWrite = (): void => {
    if (!this.#isCongested || this.#state !== 'open') return
    if (this.#ws.bufferedAmount * 2 >= this.#limits.bufferedBytesMax) return
    this.#isCongested = false
    this.#events.drained()
    while (!this.#isCongested && this.#signals.size > 0) {
      const frame = this.#signals.shift()
      if (frame !== undefined) this.send(frame)
    }
  }

  /** Unsent bytes; what was only held back for the turn's one write is offered to the kernel first. */
  #bufferedBytes(): number {
    if (this.#ws.bufferedAmount > this.#limits.bufferedBytesMax && this.#socket !== undefined) {
      this.#cork.uncork(this.#socket)
    }
    return this.#ws.bufferedAmount
  }

  #shut(code: number, reason: string): void {
    if (this.#state === 'closed') return
    this.#end(reason)
    if (this.#ws.readyState === WebSocket.OPEN) {
      this.#ws.close(code, closeText(reason))
      // A paused socket would never see the peer's close frame.
      this.#ws.resume()
      setTimeout(() => this.#ws.terminate(), lingerMs).unref()
    } else {
      this.#ws.terminate()
    }
  }

  #cut(reason: string): void {
    this.#end(reason)
    this.#ws.terminate()
  }

  #end(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#mailbox.fail(new ProtocolError('FANFOLD_BAD_FRAME', 'the link closed'))
    this.#events.closed(reason)
  }
}

/** `data` as plain bytes that keep alive at most twice their size: ws hands out views of what it read. */
function ownBytes(data: Buffer): Uint8Array {
  if (data.length * 2 < data.buffer.byteLength) return Uint8Array.from(data)
  return new Uint8Array(data.buffer, data.byteOffset, data.length)
}

/** Node's code says why a certificate is refused: it has ended, is for other names, or nobody known signed it. */
const describeRefusal = (error: Error): string =>
  `untrusted: ${String(Reflect.get(error, 'code'))}: ${error.message}`

function describeError(error: Error): string {
  const code: unknown = Reflect.get(error, 'code')
  if (code === 'ECONNREFUSED') return `refused: ${error.message}`
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return `frame-too-large: ${error.message}`
  if (typeof code === 'string' && code.startsWith('WS_ERR_')) return `bad-frame: ${error.message}`
  if (code === 'ECONNRESET' || code === 'EPIPE') return `lost: ${error.message}`
  if (noAnswerCodes.has(code) || /timed out/.test(error.message))
    return `no-answer: ${error.message}`
  return `unreachable: ${error.message}`
}

const noAnswerCodes: ReadonlySet<unknown> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'])
