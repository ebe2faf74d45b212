/*
 * One client's connection, viewer's or writer's: who it is, how much it may say and how much may wait
 * for it. What its requests mean is for others.
 *
 * Reading is held while the token is being verified and while its owner wants it held. What ws had
 * already read when a hold began waits here, at most one chunk of 64 KiB from the socket.
 *
 * A client that holds more than it may cannot go on asking: its requests wait here. Reading goes on, as
 * what it says it has taken comes the same way, until too many wait; then it stops while bytes for the
 * client wait in this process. When the kernel has them all, one request is served for each that comes.
 */
import type { IncomingMessage } from 'node:http'
import { assert, TokenBucket } from '@fanfold/kernel'
import {
  type CloseName,
  closeReasonOf,
  type ErrorCode,
  type Grants,
  ProtocolError,
} from '@fanfold/protocol'
import type { RawData } from 'ws'
import type { ClientLimits } from './client-limits.ts'
import type { ClientListener, ClientSocket } from './client-socket.ts'
import type { Clock } from './clock.ts'
import { closeReasonFor, closeText } from './close-reason.ts'
import { type Confirmation, Delivery } from './delivery.ts'
import { tokenBytesMax, tokenOf } from './request-token.ts'
import { retryAfterMs } from './retry-after.ts'
import type { TokenGate } from './token-gate.ts'
import type { TurnCork } from './turn-cork.ts'

/** A frame from a client: a token it shows, or a request of its own kind. */
export type ClientFrame<Request> = { readonly token: string } | { readonly request: Request }

/**
 * What happens on connections, with whose it is: many share one. Of a connection, nothing but `closed` comes
 * before `opened`.
 */
export type ClientEvents<Request, Owner> = {
  opened(owner: Owner, grants: Grants): void
  renewed(owner: Owner, grants: Grants): void
  /** @param bytes of the frame it came in, about */
  requested(owner: Owner, request: Request, bytes: number): void
  /** Held more than it may, and has taken enough of it. */
  drained(owner: Owner): void
  /** Has confirmed bytes; comes after `drained` where both do. */
  confirmed(owner: Owner): void
  /** Once and last. @param why a close name, an error code or `lost` */
  closed(owner: Owner, why: string): void
}

/** Why reading is held, as bits. */
const holds = { verifying: 1, unsent: 2, owner: 4 } as const
/** Requests that wait for a client that holds too much, and their length: beyond either, reading may stop. */
const heldMax = { requests: 64, characters: 65_536 } as const

/** How long the close frame has to leave before the connection is cut, ms. */
const lingerMs = 1_000

/** A client's connection. */
export class ClientConnection<Request, Owner> implements ClientListener {
  readonly #client: ClientSocket
  readonly #limits: ClientLimits
  readonly #clock: Clock
  readonly #cork: TurnCork
  readonly #delivery: Delivery
  readonly #gate: TokenGate
  readonly #verifyToken: (token: string) => Promise<Grants>
  readonly #decode: (text: string) => ClientFrame<Request>
  readonly #owner: Owner
  readonly #events: ClientEvents<Request, Owner>
  readonly #bucket: TokenBucket
  /** Undefined before the first token that comes in a frame. */
  #tokenBucket: TokenBucket | undefined
  #grants: Grants | undefined
  #holds = 0
  #held: string[] = []
  #heldCharacters = 0
  #badFrames = 0
  #isEnded = false
  #awakeMs: number
  /** When the token that is due became due; undefined while none is. */
  #tokenDueSinceMs: number | undefined
  #heardAtMs: number
  #pingedAtMs: number

  constructor(options: {
    readonly client: ClientSocket
    readonly request: IncomingMessage
    readonly limits: ClientLimits
    readonly clock: Clock
    readonly cork: TurnCork
    readonly awakeMs: number
    /** For what it is sent to count as held until it has confirmed it. */
    readonly confirmation: Confirmation | undefined
    readonly gate: TokenGate
    /** What the token allows; rejects when it is not good. */
    readonly verifyToken: (token: string) => Promise<Grants>
    /** @throws ProtocolError */
    readonly decode: (text: string) => ClientFrame<Request>
    readonly owner: Owner
    readonly events: ClientEvents<Request, Owner>
  }) {
    this.#client = options.client
    this.#limits = options.limits
    this.#clock = options.clock
    this.#cork = options.cork
    this.#verifyToken = options.verifyToken
    this.#decode = options.decode
    this.#owner = options.owner
    this.#events = options.events
    this.#awakeMs = options.awakeMs
    this.#tokenDueSinceMs = options.awakeMs
    this.#heardAtMs = options.awakeMs
    this.#pingedAtMs = options.awakeMs
    this.#gate = options.gate
    this.#delivery = new Delivery(options)
    const { framesPerSecondMax, framesBurst } = options.limits
    const nowMs = options.clock.monotonicMs()
    this.#bucket = new TokenBucket({ perSecondMax: framesPerSecondMax, burst: framesBurst, nowMs })
    options.client.listen(this)
    const token = tokenOf(options.request)
    if (token !== undefined) this.#verify(token)
  }

  /** What the client may do; undefined until it has shown a good token. */
  get grants(): Grants | undefined {
    return this.#grants
  }

  /** What it takes and holds. */
  get delivery(): Delivery {
    return this.#delivery
  }

  /** Sends the payload of one text frame, joined with others of the turn. */
  send(payload: Uint8Array): void {
    if (this.#isEnded || !this.#client.isOpen) return
    this.#delivery.corkTurn()
    this.#delivery.writePayload(payload)
  }

  /** Tells the client that something it asked for is refused. */
  refuse(code: ErrorCode, message: string, retryAfterMs?: number): void {
    const frame = { type: 'refused', code, message, retryAfter: retryAfterMs }
    this.send(Buffer.from(JSON.stringify(frame)))
  }

  /** Refuses and closes with the code's close code. */
  end(code: ErrorCode, message: string, retryAfterMs?: number): void {
    if (this.#isEnded) return
    this.refuse(code, message, retryAfterMs)
    this.#close(closeReasonFor(code).code, `${code}: ${message}`, code)
  }

  /** Holds reading for the owner's own reasons. */
  pause(): void {
    this.#hold(holds.owner)
  }

  /** Ends `pause`. */
  resume(): void {
    this.#release(holds.owner)
  }

  /** Judges deadlines, silence and standstill at `awakeMs`, and at `wallMs` the token. */
  sweep(awakeMs: number, wallMs: number): void {
    this.#awakeMs = awakeMs
    if (this.#isEnded) return
    const { authenticateMaxMs, silenceMaxMs, pingEveryMs } = this.#limits
    const dueMs = this.#tokenDueSinceMs
    const expiresAtMs = this.#grants?.expiresAtMs
    if (dueMs !== undefined && awakeMs - dueMs >= authenticateMaxMs) {
      this.end('FANFOLD_UNAUTHORIZED', `no good token within ${authenticateMaxMs} ms`)
    } else if (expiresAtMs !== undefined && expiresAtMs <= wallMs) {
      this.end('FANFOLD_UNAUTHORIZED', 'the token has ended and was not renewed')
    } else if (this.#delivery.isStuck(awakeMs)) {
      this.#closeBy('too-slow', `nothing taken for ${this.#limits.stallMaxMs} ms`)
    } else if (this.#client.takeHeard()) {
      this.#heardAtMs = awakeMs
    } else if (this.#holds === 0) {
      if (awakeMs - this.#heardAtMs >= silenceMaxMs) {
        this.#closeBy('silent', `nothing for ${silenceMaxMs} ms`)
      } else if (awakeMs - Math.max(this.#heardAtMs, this.#pingedAtMs) >= pingEveryMs) {
        this.#pingedAtMs = awakeMs
        this.#delivery.ping()
      }
    }
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#finish('closed')
    this.#client.terminate()
  }

  onMessage(data: RawData, isBinary: boolean): void {
    assert(Buffer.isBuffer(data), 'ws delivers messages as buffers')
    if (!this.#count()) return
    if (isBinary) this.#bad(new ProtocolError('FANFOLD_BAD_FRAME', 'frames are text, got binary'))
    else this.#takeOrHold(data.toString())
  }

  onPing(): void {
    this.#delivery.touch()
    this.#count()
  }

  onPong(payload: Buffer): void {
    if (this.#isEnded) return
    if (!this.#delivery.pong(payload)) {
      this.#count()
      return
    }
    this.#releaseDelivery()
    this.#events.confirmed(this.#owner)
  }

  onDrain(): void {
    if (this.#isEnded) return
    this.#delivery.touch()
    this.#releaseDelivery()
    this.#release(holds.unsent)
  }

  onClose(): void {
    this.#finish('lost')
  }

  #releaseDelivery(): void {
    if (!this.#delivery.release()) return
    this.#events.drained(this.#owner)
    this.#settle()
  }

  #takeOrHold(text: string): void {
    if (this.#holds === 0 && this.#held.length === 0 && this.#delivery.fits()) {
      this.#take(text)
      return
    }
    this.#held.push(text)
    this.#heldCharacters += text.length
    if (this.#holds === 0) this.#settle()
  }

  get #holdsTooMany(): boolean {
    return this.#held.length > heldMax.requests || this.#heldCharacters > heldMax.characters
  }

  /** Counts a frame; false when it is one too many, or too late. */
  #count(): boolean {
    if (this.#isEnded) return false
    if (this.#bucket.take(this.#clock.monotonicMs())) return true
    const { framesPerSecondMax } = this.#limits
    this.end('FANFOLD_TOO_MANY_FRAMES', `at most ${framesPerSecondMax} frames per second`, 1_000)
    return false
  }

  #take(text: string): void {
    let frame: ClientFrame<Request>
    try {
      frame = this.#decode(text)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#bad(error)
      return
    }
    if ('token' in frame) this.#renew(frame.token)
    else if (this.#grants === undefined) {
      this.refuse('FANFOLD_UNAUTHORIZED', 'a token comes first')
      this.#countBad('FANFOLD_UNAUTHORIZED')
    } else this.#events.requested(this.#owner, frame.request, text.length)
  }

  #bad(error: ProtocolError): void {
    this.refuse(error.code, error.message)
    this.#countBad('FANFOLD_BAD_FRAME')
  }

  #countBad(code: ErrorCode): void {
    this.#badFrames++
    if (this.#badFrames < this.#limits.badFramesMax) return
    const { code: closeCode } = closeReasonFor(code)
    this.#close(closeCode, `${code}: ${this.#badFrames} frames that were refused`, code)
  }

  /** Takes a token that came in a frame. */
  #renew(token: string): void {
    const { tokensPerSecondMax, tokensBurst } = this.#limits
    const nowMs = this.#clock.monotonicMs()
    this.#tokenBucket ??= new TokenBucket({
      perSecondMax: tokensPerSecondMax,
      burst: tokensBurst,
      nowMs,
    })
    if (this.#tokenBucket.take(nowMs)) {
      this.#verify(token)
      return
    }
    this.end('FANFOLD_TOO_MANY_FRAMES', `at most ${tokensPerSecondMax} tokens per second`, 1_000)
  }

  #verify(token: string): void {
    if (token.length > tokenBytesMax) {
      this.#hold(holds.verifying)
      queueMicrotask(() =>
        this.end('FANFOLD_UNAUTHORIZED', `a token of at most ${tokenBytesMax} bytes`),
      )
      return
    }
    this.#hold(holds.verifying)
    this.#tokenDueSinceMs ??= this.#awakeMs
    const isNewcomer = this.#grants === undefined
    if (isNewcomer && !this.#gate.enter()) {
      const waitMs = retryAfterMs()
      // The constructor has not returned yet when the token came with the handshake.
      queueMicrotask(() => this.end('FANFOLD_OVERLOADED', 'too many newcomers', waitMs))
      return
    }
    // An async function, so that a verifier that throws rejects.
    const verify = async (): Promise<Grants> => await this.#verifyToken(token)
    verify()
      .finally(() => {
        if (isNewcomer) this.#gate.leave()
      })
      .then(
        grants => this.#admit(grants),
        // Why a token is refused is for this node's log, not for whoever sent it.
        () => this.end('FANFOLD_UNAUTHORIZED', 'the token is not valid here'),
      )
  }

  #admit(grants: Grants): void {
    if (this.#isEnded) return
    if (grants.expiresAtMs !== undefined && grants.expiresAtMs <= this.#clock.wallMs()) {
      this.end('FANFOLD_UNAUTHORIZED', 'the token has ended')
      return
    }
    const isFirst = this.#grants === undefined
    this.#grants = grants
    this.#tokenDueSinceMs = undefined
    if (isFirst) this.#events.opened(this.#owner, grants)
    else this.#events.renewed(this.#owner, grants)
    this.#release(holds.verifying)
  }

  #hold(reason: number): void {
    if (this.#holds === 0) this.#client.pause()
    this.#holds |= reason
  }

  #release(reason: number): void {
    if ((this.#holds & reason) === 0) return
    this.#holds &= ~reason
    this.#settle()
  }

  /** Takes what waited as far as that goes, and reads on unless too much waits. */
  #settle(): void {
    while (this.#holds === 0 && !this.#isEnded && this.#held.length > 0) {
      if (!this.#delivery.fits()) {
        if (!this.#holdsTooMany) break
        if (this.#delivery.isBlocked) {
          this.#hold(holds.unsent)
          return
        }
      }
      const text = this.#held.shift() ?? ''
      this.#heldCharacters -= text.length
      this.#take(text)
    }
    if (this.#holds !== 0 || this.#isEnded || !this.#client.isPaused) return
    this.#heardAtMs = this.#awakeMs
    this.#client.resume()
  }

  #closeBy(name: CloseName, detail: string): void {
    this.#close(closeReasonOf(name).code, `${name}: ${detail}`, name)
  }

  #close(code: number, text: string, why: string): void {
    if (this.#isEnded) return
    this.#finish(why)
    this.#client.close(code, closeText(text))
    this.#cork.uncork(this.#client.socket)
    // A paused socket would never see the client's close frame.
    this.#client.resume()
    setTimeout(() => this.#client.terminate(), lingerMs).unref()
  }

  #finish(why: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#held = []
    this.#events.closed(this.#owner, why)
  }
}
