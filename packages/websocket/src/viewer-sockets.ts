/*
 * Viewers over WebSockets: performs `ViewerEffect`, reports `ViewerInput`.
 *
 * What is sent to a cohort goes through its ring (see cohort-ring.ts), what is sent to one viewer
 * directly; before that the viewer is given what waits for it in rings, so that it sees both in the
 * order of the effects.
 */
import type { IncomingMessage } from 'node:http'
import { assert, unreachable } from '@fanfold/kernel'
import {
  type CohortId,
  decodeViewerRequest,
  type ErrorCode,
  type Grants,
  type ViewerEffect,
  type ViewerId,
  type ViewerInput,
  type ViewerRequest,
} from '@fanfold/protocol'
import type { WebSocket } from 'ws'
import { ClientConnection, type ClientFrame } from './client-connection.ts'
import type { ClientLimits } from './client-limits.ts'
import type { Clock } from './clock.ts'
import { CloseCounts } from './close-reason.ts'
import { CohortRing, type Seat } from './cohort-ring.ts'
import { InputQueue } from './input-queue.ts'
import { Sweep } from './sweep.ts'
import { TurnCork } from './turn-cork.ts'
import { encodeTextFrame } from './ws-internals.ts'

/** Numbers of a node's viewers, for metrics. */
export type ViewerStats = {
  readonly viewers: number
  readonly cohorts: number
  /** Viewers that left a cohort because they were over their budget, and have not drained since. */
  readonly lagging: number
  /** How often a viewer left a cohort for that. */
  readonly lags: number
  readonly framesIn: number
  /** Frames to viewers, each counted once for each of them. */
  readonly framesOut: number
  readonly bytesOut: number
  readonly closes: Readonly<Record<string, number>>
}

/** Requests of a viewer but for the token, which is the rim's. */
type Request = Exclude<ViewerRequest, { type: 'authenticate' }>

/** How often deadlines, silence and standstill are looked at, ms. */
const sweepMs = 1_000
/** Sockets written to in one turn before others have theirs; about 5 ms of work. */
const seatsPerTurn = 1_000
/** Bytes of frames that wait in one cohort's ring. */
const ringBytesMax = 1_048_576

/** Told before bytes that are so many frames go to a viewer. */
type BeforeWrite = (viewer: Viewer, bytes: number, frames: number) => void

class Viewer {
  readonly id: ViewerId
  readonly seats = new Map<CohortId, Seat<Viewer>>()
  /** Cohorts it left by lagging, until it drains. */
  readonly lost = new Set<CohortId>()
  readonly #beforeWrite: BeforeWrite
  #connection: ClientConnection<Request> | undefined

  constructor(id: ViewerId, beforeWrite: BeforeWrite) {
    this.id = id
    this.#beforeWrite = beforeWrite
  }

  get connection(): ClientConnection<Request> {
    assert(this.#connection !== undefined, `viewer ${this.id} has its connection`)
    return this.#connection
  }

  /** Set once, right after construction: the connection's events need the viewer and the reverse. */
  set connection(connection: ClientConnection<Request>) {
    this.#connection = connection
  }

  take(bytes: Buffer, frames: number): boolean {
    if (!this.connection.fits()) return false
    this.#beforeWrite(this, bytes.length, frames)
    this.connection.write(bytes)
    return true
  }
}

/** The viewers of one node. */
export class ViewerSockets {
  readonly #verifyToken: (token: string) => Promise<Grants>
  readonly #nextViewer: () => ViewerId
  readonly #limits: ClientLimits
  readonly #clock: Clock
  readonly #inputs: InputQueue<ViewerInput>
  readonly #sweep: Sweep
  readonly #cork = new TurnCork()
  readonly #viewers = new Map<ViewerId, Viewer>()
  readonly #cohorts = new Map<CohortId, CohortRing<Viewer>>()
  readonly #waiting = new Set<CohortRing<Viewer>>()
  readonly #closes = new CloseCounts()
  #isFlushDue = false
  #lags = 0
  #framesIn = 0
  #framesOut = 0
  #bytesOut = 0
  #isClosed = false

  constructor(options: {
    /** What a token allows; rejects when it is not good. */
    readonly verifyToken: (token: string) => Promise<Grants>
    /** Names for viewers, unique in the process. */
    readonly nextViewer: () => ViewerId
    /** Takes what happens; never called from inside `perform` or `accept`. */
    readonly report: (input: ViewerInput) => void
    readonly limits: ClientLimits
    readonly clock: Clock
  }) {
    this.#verifyToken = options.verifyToken
    this.#nextViewer = options.nextViewer
    this.#limits = options.limits
    this.#clock = options.clock
    this.#inputs = new InputQueue(options.report)
    this.#sweep = new Sweep({
      clock: options.clock,
      periodMs: sweepMs,
      isNeeded: () => this.#viewers.size > 0,
      task: awakeMs => {
        for (const viewer of this.#viewers.values()) viewer.connection.sweep(awakeMs)
      },
    })
  }

  /** Takes over a connection; a viewer is reported once it has shown a good token. */
  accept(ws: WebSocket, request: IncomingMessage): ViewerId {
    const id = this.#nextViewer()
    if (this.#isClosed) {
      ws.terminate()
      return id
    }
    const viewer = new Viewer(id, this.#beforeWrite)
    viewer.connection = new ClientConnection<Request>({
      ws,
      request,
      limits: this.#limits,
      clock: this.#clock,
      cork: this.#cork,
      awakeMs: this.#sweep.awakeMs,
      verifyToken: this.#verifyToken,
      decode: decodeRequest,
      events: {
        opened: grants => this.#inputs.report({ kind: 'viewer-opened', viewer: id, grants }),
        renewed: grants => this.#inputs.report({ kind: 'viewer-renewed', viewer: id, grants }),
        requested: asked => {
          this.#framesIn++
          this.#inputs.report({ kind: 'viewer-requested', viewer: id, request: asked })
        },
        drained: () => this.#drained(viewer),
        closed: why => this.#closed(viewer, why),
      },
    })
    this.#viewers.set(id, viewer)
    this.#sweep.start()
    return id
  }

  /** Does what a machine wants done. What concerns a viewer that is gone is nothing. */
  perform(effect: ViewerEffect): void {
    this.#inputs.perform(() => {
      switch (effect.kind) {
        case 'viewer-send':
        case 'viewer-signal':
          this.#send(effect.viewer, effect.frame)
          return
        case 'viewer-close':
          this.#end(effect.viewer, effect.code, effect.message)
          return
        case 'cohort-enter':
          this.#enter(effect.cohort, effect.viewer)
          return
        case 'cohort-exit':
          this.#exit(effect.cohort, effect.viewer)
          return
        case 'cohort-move':
          this.#move(effect)
          return
        case 'cohort-send':
        case 'cohort-signal':
          this.#sendToCohort(effect.cohort, effect.frame)
          return
        case 'viewer-transfer': {
          const { viewer, transfer, frames } = effect
          for (const frame of frames) this.#send(viewer, frame)
          this.#inputs.report({ kind: 'viewer-transferred', viewer, transfer })
          return
        }
        case 'transfer-end':
          return
        default:
          unreachable(effect)
      }
    })
  }

  /** Numbers for metrics. */
  stats(): ViewerStats {
    let lagging = 0
    for (const viewer of this.#viewers.values()) if (viewer.lost.size > 0) lagging++
    return {
      viewers: this.#viewers.size,
      cohorts: this.#cohorts.size,
      lagging,
      lags: this.#lags,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      bytesOut: this.#bytesOut,
      closes: this.#closes.snapshot(),
    }
  }

  /** Closes every viewer with 1012 and tells it when to come back. Each is reported closed. */
  drain(retryAfterMs: number): void {
    this.#inputs.perform(() => {
      for (const { id, connection } of [...this.#viewers.values()]) {
        this.#catchUp(id)
        connection.end('FANFOLD_DRAINING', 'the node is going away', retryAfterMs)
      }
    })
  }

  /** Cuts every viewer and reports nothing any more. May be called at any time, and twice. */
  close(): void {
    this.#isClosed = true
    this.#inputs.close()
    this.#sweep.stop()
    for (const viewer of [...this.#viewers.values()]) viewer.connection.terminate()
  }

  /** Counts what a viewer takes, and joins it with what other rings hold for it. */
  readonly #beforeWrite: BeforeWrite = (viewer, bytes, frames) => {
    this.#framesOut += frames
    this.#bytesOut += bytes
    if (this.#waiting.size > 1 && viewer.seats.size > 1) viewer.connection.corkTurn()
  }

  #send(id: ViewerId, frame: Uint8Array): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    this.#catchUp(id)
    const bytes = encodeTextFrame(frame)
    this.#beforeWrite(viewer, bytes.length, 1)
    viewer.connection.corkTurn()
    viewer.connection.write(bytes)
  }

  #end(id: ViewerId, code: ErrorCode, message: string): void {
    this.#catchUp(id)
    this.#viewers.get(id)?.connection.end(code, message)
  }

  /** Gives a viewer what was sent to its cohorts before. */
  #catchUp(id: ViewerId): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined || this.#waiting.size === 0) return
    for (const seat of viewer.seats.values()) {
      if (!seat.ring.isWaiting) continue
      viewer.connection.corkTurn()
      seat.ring.deliver(seat)
    }
  }

  #enter(id: CohortId, viewerId: ViewerId): void {
    const viewer = this.#viewers.get(viewerId)
    if (viewer === undefined || viewer.seats.has(id)) return
    let ring = this.#cohorts.get(id)
    if (ring === undefined) {
      ring = new CohortRing<Viewer>({
        bytesMax: ringBytesMax,
        onLagging: seat => this.#lag(id, seat.member),
      })
      this.#cohorts.set(id, ring)
    }
    viewer.lost.delete(id)
    viewer.seats.set(id, ring.enter(viewer))
  }

  #exit(id: CohortId, viewerId: ViewerId): void {
    const viewer = this.#viewers.get(viewerId)
    if (viewer === undefined) return
    viewer.lost.delete(id)
    const seat = viewer.seats.get(id)
    if (seat === undefined) return
    seat.ring.deliver(seat)
    seat.ring.leave(seat)
    viewer.seats.delete(id)
    this.#forgetWhenEmpty(id, seat.ring)
  }

  /** From one cohort to another with a frame of its own; one that lags goes on lagging there. */
  #move({ viewer: id, from, to, frame }: Extract<ViewerEffect, { kind: 'cohort-move' }>): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    // What waits in the ring comes first, and may turn out to be too much.
    this.#catchUp(id)
    if (viewer.seats.has(from)) {
      this.#exit(from, id)
      if (frame !== undefined) this.#send(id, frame)
      this.#enter(to, id)
    } else if (viewer.lost.delete(from)) {
      viewer.lost.add(to)
    } else {
      // It has drained, and the report of that names a cohort that it is not in any more.
      this.#inputs.report({
        kind: 'viewer-drained',
        viewer: id,
        cohorts: [{ cohort: to, mark: 0 }],
      })
    }
  }

  #sendToCohort(id: CohortId, frame: Uint8Array): void {
    const ring = this.#cohorts.get(id)
    if (ring === undefined) return
    ring.push(encodeTextFrame(frame))
    if (!ring.isWaiting) return
    this.#waiting.add(ring)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.#flush())
  }

  /** One turn's share of what waits in rings; a ring that is not done goes to the end of the queue. */
  #flush(): void {
    this.#isFlushDue = false
    let seatsLeft = seatsPerTurn
    for (const ring of [...this.#waiting]) {
      if (seatsLeft <= 0) break
      seatsLeft -= ring.sweep(seatsLeft)
      this.#waiting.delete(ring)
      if (ring.isWaiting) this.#waiting.add(ring)
    }
    this.#cork.flush()
    if (this.#waiting.size > 0) this.#flushSoon()
  }

  #lag(id: CohortId, viewer: Viewer): void {
    this.#lags++
    const seat = viewer.seats.get(id)
    viewer.seats.delete(id)
    viewer.lost.add(id)
    if (seat !== undefined) this.#forgetWhenEmpty(id, seat.ring)
  }

  #drained(viewer: Viewer): void {
    if (viewer.lost.size === 0) return
    const cohorts = [...viewer.lost].map(cohort => ({ cohort, mark: 0 }))
    viewer.lost.clear()
    this.#inputs.report({ kind: 'viewer-drained', viewer: viewer.id, cohorts })
  }

  #closed(viewer: Viewer, why: string): void {
    this.#closes.add(why)
    this.#viewers.delete(viewer.id)
    for (const [id, seat] of viewer.seats) {
      seat.ring.leave(seat)
      this.#forgetWhenEmpty(id, seat.ring)
    }
    viewer.seats.clear()
    // One that never showed a good token was never reported.
    if (viewer.connection.grants === undefined) return
    this.#inputs.report({ kind: 'viewer-closed', viewer: viewer.id })
  }

  #forgetWhenEmpty(id: CohortId, ring: CohortRing<Viewer>): void {
    if (ring.size > 0) return
    this.#cohorts.delete(id)
    this.#waiting.delete(ring)
  }
}

function decodeRequest(text: string): ClientFrame<Request> {
  const request = decodeViewerRequest(text)
  return request.type === 'authenticate' ? { token: request.token } : { request }
}
