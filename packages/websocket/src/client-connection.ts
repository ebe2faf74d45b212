/*
 * One client's connection, viewer's or writer's: who it is, how much it may say and how much may wait
 * for it. What its requests mean is for others.
 *
 * Reading is held while the token is being verified, while more waits for the client than its budget,
 * and while its owner wants it held: a client that does not read cannot go on asking. What ws had
 * already read when a hold began waits here, at most one chunk of 64 KiB from the socket.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { assert } from '@fanfold/kernel'
import {
  type CloseName,
  closeReasonOf,
  type ErrorCode,
  type Grants,
  ProtocolError,
} from '@fanfold/protocol'
import { WebSocket } from 'ws'
import type { ClientLimits } from './client-limits.ts'
import type { Clock } from './clock.ts'
import { closeReasonFor, closeText } from './close-reason.ts'
import { tokenBytesMax, tokenOf } from './request-token.ts'
import { TokenBucket } from './token-bucket.ts'
import type { TurnCork } from './turn-cork.ts'
import {
  canWriteBeside,
  encodeTextFrame,
  kernelBacklogBytes,
  textPayloads,
} from './ws-internals.ts'

/** A frame from a client: a token it shows, or a request of its own kind. */
export type ClientFrame<Request> = { readonly token: string } | { readonly request: Request }

/** What happens on a client's connection. Nothing but `closed` comes before `opened`. */
export type ClientEvents<Request> = {
  opened(grants: Grants): void
  renewed(grants: Grants): void
  /** @param bytes of the frame it came in, about */
  requested(request: Request, bytes: number): void
  /** Was over its budget, and holds nothing any more. */
  drained(): void
  /** Once and last. @param why a close name, an error code or `lost` */
  closed(why: string): void
}

/** Why reading is held, as bits. */
const holds = { verifying: 1, unread: 2, owner: 4 } as const

/** How long the close frame has to leave before the connection is cut, ms. */
const lingerMs = 1_000

/** A client's connection. */
export class ClientConnection<Request> {
  readonly #ws: WebSocket
  readonly #socket: Socket
  readonly #limits: ClientLimits
  readonly #clock: Clock
  readonly #cork: TurnCork
  readonly #verifyToken: (token: string) => Promise<Grants>
  readonly #decode: (text: string) => ClientFrame<Request>
  readonly #events: ClientEvents<Request>
  readonly #bucket: TokenBucket
  readonly #tokenBucket: TokenBucket
  readonly #writesBeside: boolean
  #grants: Grants | undefined
  #holds = 0
  #held: string[] = []
  #badFrames = 0
  #isEnded = false
  #awakeMs: number
  /** When the token that is due became due; undefined while none is. */
  #tokenDueSinceMs: number | undefined
  #heardAtMs: number
  #pingedAtMs: number
  #progressAtMs = 0
  #progress = ''
  #bytesRead = -1

  constructor(options: {
    readonly ws: WebSocket
    readonly request: IncomingMessage
    readonly limits: ClientLimits
    readonly clock: Clock
    readonly cork: TurnCork
    readonly awakeMs: number
    /** What the token allows; rejects when it is not good. */
    readonly verifyToken: (token: string) => Promise<Grants>
    /** @throws ProtocolError */
    readonly decode: (text: string) => ClientFrame<Request>
    readonly events: ClientEvents<Request>
  }) {
    this.#ws = options.ws
    this.#socket = options.request.socket
    this.#limits = options.limits
    this.#clock = options.clock
    this.#cork = options.cork
    this.#verifyToken = options.verifyToken
    this.#decode = options.decode
    this.#events = options.events
    this.#awakeMs = options.awakeMs
    this.#tokenDueSinceMs = options.awakeMs
    this.#heardAtMs = options.awakeMs
    this.#pingedAtMs = options.awakeMs
    this.#writesBeside = canWriteBeside(options.ws, options.request.socket)
    const { framesPerSecondMax, framesBurst, tokensPerSecondMax, tokensBurst } = options.limits
    const nowMs = options.clock.monotonicMs()
    this.#bucket = new TokenBucket({ perSecondMax: framesPerSecondMax, burst: framesBurst, nowMs })
    this.#tokenBucket = new TokenBucket({
      perSecondMax: tokensPerSecondMax,
      burst: tokensBurst,
      nowMs,
    })
    this.#listen()
    const token = tokenOf(options.request)
    if (token !== undefined) this.#verify(token)
  }

  /** What the client may do; undefined until it has shown a good token. */
  get grants(): Grants | undefined {
    return this.#grants
  }

  /**
   * True while no more waits for the client than its budget allows.
   *
   * When more does, nothing is read from it until all of it has left, which `drained` tells.
   */
  fits(): boolean {
    if (this.#unsentBytes <= this.#limits.budgetBytes) return true
    // What is only held back for the turn's one write may fit into the kernel.
    this.#cork.uncork(this.#socket)
    if (this.#unsentBytes <= this.#limits.budgetBytes) return true
    if ((this.#holds & holds.unread) === 0) {
      this.#hold(holds.unread)
      this.#progressAtMs = this.#awakeMs
    }
    return false
  }

  /** Sends whole frames, made by `encodeTextFrame`, as one piece. */
  write(frames: Buffer): void {
    if (this.#isEnded || this.#ws.readyState !== WebSocket.OPEN) return
    if (this.#writesBeside) this.#socket.write(frames)
    else for (const payload of textPayloads(frames)) this.#ws.send(payload, { binary: false })
    this.fits()
  }

  /** Sends the payload of one text frame, joined with others of the turn. */
  send(payload: Uint8Array): void {
    if (this.#isEnded || this.#ws.readyState !== WebSocket.OPEN) return
    this.#cork.cork(this.#socket)
    this.write(encodeTextFrame(payload))
  }

  /** Joins what is written in this turn into one write. */
  corkTurn(): void {
    this.#cork.cork(this.#socket)
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

  /** Judges deadlines, silence and standstill at `awakeMs`. */
  sweep(awakeMs: number): void {
    this.#awakeMs = awakeMs
    if (this.#isEnded) return
    const { authenticateMaxMs, silenceMaxMs, pingEveryMs } = this.#limits
    const dueMs = this.#tokenDueSinceMs
    const expiresAtMs = this.#grants?.expiresAtMs
    if (dueMs !== undefined && awakeMs - dueMs >= authenticateMaxMs) {
      this.end('FANFOLD_UNAUTHORIZED', `no good token within ${authenticateMaxMs} ms`)
    } else if (expiresAtMs !== undefined && expiresAtMs <= this.#clock.wallMs()) {
      this.end('FANFOLD_UNAUTHORIZED', 'the token has ended and was not renewed')
    } else if (this.#socket.bytesRead !== this.#bytesRead) {
      this.#bytesRead = this.#socket.bytesRead
      this.#heardAtMs = awakeMs
      this.#sweepProgress(awakeMs)
    } else if ((this.#holds & holds.unread) !== 0) {
      this.#sweepProgress(awakeMs)
    } else if (this.#holds === 0) {
      if (awakeMs - this.#heardAtMs >= silenceMaxMs) {
        this.#closeBy('silent', `nothing for ${silenceMaxMs} ms`)
      } else if (awakeMs - Math.max(this.#heardAtMs, this.#pingedAtMs) >= pingEveryMs) {
        this.#pingedAtMs = awakeMs
        this.#ws.ping()
      }
    }
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#finish('closed')
    this.#ws.terminate()
  }

  get #unsentBytes(): number {
    return this.#writesBeside ? this.#socket.writableLength : this.#ws.bufferedAmount
  }

  #listen(): void {
    this.#ws.on('message', (data, isBinary) => {
      assert(Buffer.isBuffer(data), 'ws delivers messages as buffers')
      if (!this.#count()) return
      if (isBinary) this.#bad(new ProtocolError('FANFOLD_BAD_FRAME', 'frames are text, got binary'))
      else if (this.#holds === 0) this.#take(data.toString())
      else this.#held.push(data.toString())
    })
    this.#ws.on('ping', () => this.#count())
    this.#ws.on('pong', () => this.#count())
    // The close that follows says what there is to say.
    this.#ws.on('error', () => undefined)
    this.#ws.on('close', () => this.#finish('lost'))
    this.#socket.on('drain', () => {
      if ((this.#holds & holds.unread) === 0 || this.#isEnded) return
      // The hold goes first: what is sent in answer may well begin the next.
      this.#holds &= ~holds.unread
      this.#events.drained()
      this.#settle()
    })
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
    } else this.#events.requested(frame.request, text.length)
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
    if (this.#tokenBucket.take(this.#clock.monotonicMs())) {
      this.#verify(token)
      return
    }
    const { tokensPerSecondMax } = this.#limits
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
    // An async function, so that a verifier that throws rejects.
    const verify = async (): Promise<Grants> => await this.#verifyToken(token)
    verify().then(
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
    if (isFirst) this.#events.opened(grants)
    else this.#events.renewed(grants)
    this.#release(holds.verifying)
  }

  #sweepProgress(awakeMs: number): void {
    if ((this.#holds & holds.unread) === 0) return
    const progress = `${this.#unsentBytes} ${kernelBacklogBytes(this.#socket)}`
    if (progress !== this.#progress) {
      this.#progress = progress
      this.#progressAtMs = awakeMs
    } else if (awakeMs - this.#progressAtMs >= this.#limits.stallMaxMs) {
      this.#closeBy('too-slow', `no byte taken for ${this.#limits.stallMaxMs} ms`)
    }
  }

  #hold(reason: number): void {
    if (this.#holds === 0) this.#ws.pause()
    this.#holds |= reason
  }

  #release(reason: number): void {
    if ((this.#holds & reason) === 0) return
    this.#holds &= ~reason
    this.#settle()
  }

  /** Takes what waited for the holds to end, then reads on. */
  #settle(): void {
    while (this.#holds === 0 && !this.#isEnded) {
      const text = this.#held.shift()
      if (text === undefined) break
      this.#take(text)
    }
    if (this.#holds !== 0 || this.#isEnded) return
    this.#heardAtMs = this.#awakeMs
    this.#ws.resume()
  }

  #closeBy(name: CloseName, detail: string): void {
    this.#close(closeReasonOf(name).code, `${name}: ${detail}`, name)
  }

  #close(code: number, text: string, why: string): void {
    if (this.#isEnded) return
    this.#finish(why)
    this.#ws.close(code, closeText(text))
    this.#cork.uncork(this.#socket)
    // A paused socket would never see the client's close frame.
    this.#ws.resume()
    setTimeout(() => this.#ws.terminate(), lingerMs).unref()
  }

  #finish(why: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#held = []
    this.#events.closed(why)
  }
}
