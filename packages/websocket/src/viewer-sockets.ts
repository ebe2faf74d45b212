/*
 * Viewers over WebSockets: performs `ViewerEffect`, reports `ViewerInput`.
 *
 * What is sent to a cohort goes through its ring (see cohort-ring.ts), what is sent to one viewer
 * directly; before that the viewer is given what waits for it in rings, so that it sees both in the
 * order of the effects. A viewer that holds too much (see delivery-window.ts) leaves its cohort; once it
 * has drained, the edge is told where it stands. Signals wait until it is back, transfers go on as soon
 * as there is room.
 */
import type { IncomingMessage } from 'node:http'
import { unreachable } from '@fanfold/kernel'
import type { SendAll } from '@fanfold/native'
import type {
  CohortId,
  ErrorCode,
  Grants,
  ViewerEffect,
  ViewerId,
  ViewerInput,
} from '@fanfold/protocol'
import { AbsentViewers } from './absent-viewers.ts'
import { ClientConnection, type ClientEvents } from './client-connection.ts'
import type { ClientLimits } from './client-limits.ts'
import type { ClientSocket } from './client-socket.ts'
import type { Clock } from './clock.ts'
import { CloseCounts } from './close-reason.ts'
import type { Confirmation } from './delivery.ts'
import { DirectSockets } from './direct-sockets.ts'
import { FanOut } from './fan-out.ts'
import { InputQueue } from './input-queue.ts'
import { type DeflateStats, SharedDeflate } from './shared-deflate.ts'
import { Sweep } from './sweep.ts'
import { TokenGate, tokensVerifyingMaxDefault } from './token-gate.ts'
import { TurnClock } from './turn-clock.ts'
import { TurnCork } from './turn-cork.ts'
import { type BeforeWrite, decodeRequest, type RequestOfViewer, Viewer } from './viewer.ts'
import { encodeTextFrame } from './ws-internals.ts'

/** Numbers of a node's viewers, for metrics. */
export type ViewerStats = {
  readonly viewers: number
  readonly cohorts: number
  /** Viewers that left a cohort because they held more than they may, and have not drained since. */
  readonly lagging: number
  /** How often a viewer left a cohort for that. */
  readonly lags: number
  readonly framesIn: number
  /** Frames to viewers, each counted once for each of them. */
  readonly framesOut: number
  readonly bytesOut: number
  /** Pings that viewers confirm bytes by, of viewers that are connected. */
  readonly probes: number
  /** Transfers that are under way. */
  readonly transfers: number
  /** Signals that were dropped while they waited. */
  readonly signalsDropped: number
  readonly deflate: DeflateStats
  readonly closes: Readonly<Record<string, number>>
}

/** How often overdue answers are looked for, ms, and a part of the viewers judged by deadlines, silence, standstill. */
const sweepMs = 250
/** Parts of the viewers: all at once would hold up the others' frames. */
const sweptParts = 4
/** Transfers fed in one turn before others have theirs, each with a window of bytes at most. */
const transfersPerTurn = 32

/** The viewers of one node. */
export class ViewerSockets {
  readonly #verifyToken: (token: string) => Promise<Grants>
  readonly #nextViewer: () => ViewerId
  readonly #limits: ClientLimits
  readonly #clock: Clock
  readonly #inputs: InputQueue<ViewerInput>
  readonly #events: ClientEvents<RequestOfViewer, Viewer>
  readonly #sweep: Sweep
  readonly #confirmation: Confirmation
  readonly #cork = new TurnCork()
  readonly #deflate = new SharedDeflate()
  readonly #sockets: DirectSockets
  readonly #gate: TokenGate
  readonly #viewers = new Map<ViewerId, Viewer>()
  readonly #fanOut: FanOut
  readonly #absent = new AbsentViewers()
  /** Viewers with transfers, where there may be room for more. */
  readonly #feeding = new Set<Viewer>()
  readonly #closes = new CloseCounts()
  #isFeedingDue = false
  /** Those of a round that were not swept yet; who comes meanwhile is at its end. */
  #toSweep: Iterator<Viewer> = this.#viewers.values()
  #lags = 0
  /** Of viewers that are gone. */
  #signalsDropped = 0
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
    /** Tokens of newcomers that are verified at a time; more are sent away for a while. Default 4,096. */
    readonly tokensVerifyingMax?: number | undefined
    readonly clock: Clock
    /** The native addon's; without it each socket is written to by itself. */
    readonly sendAll?: SendAll | undefined
  }) {
    this.#verifyToken = options.verifyToken
    this.#sockets = new DirectSockets({ sendAll: options.sendAll })
    this.#gate = new TokenGate({
      tokensMax: options.tokensVerifyingMax ?? tokensVerifyingMaxDefault,
    })
    this.#nextViewer = options.nextViewer
    this.#limits = options.limits
    this.#clock = new TurnClock(options.clock)
    this.#inputs = new InputQueue(options.report)
    this.#events = {
      opened: (viewer, grants) => {
        this.#inputs.report({ kind: 'viewer-opened', viewer: viewer.id, grants })
      },
      renewed: (viewer, grants) => {
        this.#inputs.report({ kind: 'viewer-renewed', viewer: viewer.id, grants })
      },
      requested: (viewer, request) => {
        this.#framesIn++
        this.#inputs.report({ kind: 'viewer-requested', viewer: viewer.id, request })
      },
      drained: viewer => this.#drained(viewer),
      confirmed: viewer => this.#goOn(viewer),
      closed: (viewer, why) => this.#closed(viewer, why),
    }
    this.#fanOut = new FanOut({
      cork: this.#cork,
      deflate: this.#deflate,
      sockets: this.#sockets,
      clock: options.clock,
      wrote: (viewers, bytes, frames) => {
        this.#framesOut += viewers * frames
        this.#bytesOut += viewers * bytes
      },
      lagged: (id, seat) => {
        this.#lags++
        seat.member.leave(id, seat.mark)
        this.#absent.add(id, seat.member)
      },
      missed: (id, viewer, signals) => {
        for (const { key, bytes } of signals) viewer.putSignal(key, { cohort: id, bytes })
      },
    })
    this.#sweep = new Sweep({
      clock: options.clock,
      periodMs: sweepMs,
      isNeeded: () => this.#viewers.size > 0,
      task: awakeMs => this.#judge(awakeMs),
    })
    this.#confirmation = { awake: this.#sweep, probing: new Set(), sockets: this.#sockets }
  }

  /** Takes over a connection; a viewer is reported once it has shown a good token. */
  accept(client: ClientSocket, request: IncomingMessage): ViewerId {
    const id = this.#nextViewer()
    if (this.#isClosed) {
      client.terminate()
      return id
    }
    const viewer = new Viewer(id, this.#beforeWrite)
    viewer.connection = new ClientConnection<RequestOfViewer, Viewer>({
      client,
      request,
      limits: this.#limits,
      clock: this.#clock,
      cork: this.#cork,
      awakeMs: this.#sweep.awakeMs,
      confirmation: this.#confirmation,
      gate: this.#gate,
      verifyToken: this.#verifyToken,
      decode: decodeRequest,
      owner: viewer,
      events: this.#events,
    })
    this.#viewers.set(id, viewer)
    this.#sweep.start()
    return id
  }

  /** Does what a machine wants done. What concerns a viewer that is gone is nothing. */
  perform(effect: ViewerEffect): void {
    this.#inputs.perform(() => {
      if (effect.kind === 'cohort-send') {
        const { cohort, frame, mark, mayCompress = false } = effect
        this.#fanOut.send(cohort, frame, mark, mayCompress)
      } else if (effect.kind === 'cohort-signal') {
        this.#signalToCohort(effect)
      } else {
        const viewer = this.#viewers.get(effect.viewer)
        if (viewer !== undefined) this.#performFor(viewer, effect)
      }
    })
  }

  /** Bytes sent to viewers so far. */
  get bytesOut(): number {
    return this.#bytesOut
  }

  /** Numbers for metrics. */
  stats(): ViewerStats {
    let lagging = 0
    let probes = 0
    let transfers = 0
    let signalsDropped = this.#signalsDropped
    for (const viewer of this.#viewers.values()) {
      if (viewer.isLagging) lagging++
      probes += viewer.connection.delivery.probes
      transfers += viewer.transfers?.size ?? 0
      signalsDropped += viewer.signals?.dropped ?? 0
    }
    return {
      viewers: this.#viewers.size,
      cohorts: this.#fanOut.cohorts,
      lagging,
      lags: this.#lags,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      bytesOut: this.#bytesOut,
      probes,
      transfers,
      signalsDropped,
      deflate: this.#deflate.stats(),
      closes: this.#closes.snapshot(),
    }
  }

  /** Closes every viewer with 1012 and tells it when to come back. Each is reported closed. */
  drain(retryAfterMs: number): void {
    this.#inputs.perform(() => {
      for (const viewer of [...this.#viewers.values()]) {
        this.#fanOut.catchUp(viewer)
        viewer.connection.end('FANFOLD_DRAINING', 'the node is going away', retryAfterMs)
      }
    })
  }

  /** Cuts every viewer and reports nothing any more. May be called at any time, and twice. */
  close(): void {
    this.#isClosed = true
    this.#inputs.close()
    this.#sweep.stop()
    this.#fanOut.close()
    for (const viewer of [...this.#viewers.values()]) viewer.connection.terminate()
  }

  #performFor(
    viewer: Viewer,
    effect: Exclude<ViewerEffect, { kind: 'cohort-send' | 'cohort-signal' }>,
  ): void {
    switch (effect.kind) {
      case 'viewer-send':
        this.#send(viewer, effect.frame, effect.mayCompress)
        return
      case 'viewer-close':
        this.#end(viewer, effect.code, effect.message)
        return
      case 'viewer-signal':
        this.#signal(viewer, effect.key, encodeTextFrame(effect.frame, { isDeflated: false }))
        return
      case 'signal-end':
        viewer.dropSignal(effect.key)
        return
      case 'viewer-transfer':
        viewer.addTransfer(effect.transfer, effect.frames, effect.mayCompress === true)
        this.#goOn(viewer)
        return
      case 'transfer-end':
        viewer.transfers?.end(effect.transfer)
        return
      case 'cohort-enter':
        this.#enter(effect.cohort, viewer, effect.mark)
        return
      case 'cohort-exit':
        this.#exit(effect.cohort, viewer)
        return
      case 'cohort-move':
        this.#move(viewer, effect)
        return
      default:
        unreachable(effect)
    }
  }

  /** Counts what a viewer takes, and joins it with what other rings hold for it. */
  readonly #beforeWrite: BeforeWrite = (viewer, bytes, frames) => {
    this.#framesOut += frames
    this.#bytesOut += bytes
    if (viewer.isInSeveral && this.#fanOut.waiting > 1) viewer.connection.delivery.corkTurn()
  }

  #send(viewer: Viewer, frame: Uint8Array, mayCompress = false): void {
    const { delivery } = viewer.connection
    this.#fanOut.catchUp(viewer)
    this.#framesOut++
    delivery.corkTurn()
    const deflated = mayCompress && delivery.takesDeflated ? this.#deflate.of(frame) : undefined
    this.#bytesOut += delivery.writePayload(deflated ?? frame, deflated !== undefined)
  }

  #end(viewer: Viewer, code: ErrorCode, message: string): void {
    this.#fanOut.catchUp(viewer)
    viewer.connection.end(code, message)
  }

  #enter(id: CohortId, viewer: Viewer, mark: number): void {
    if (viewer.seatIn(id) !== undefined) return
    if (viewer.comeBack(id)) this.#absent.delete(id, viewer)
    this.#fanOut.enter(id, viewer, mark)
    this.#goOn(viewer)
  }

  #exit(id: CohortId, viewer: Viewer): void {
    const seat = viewer.seatIn(id)
    seat?.ring.deliver(seat)
    this.#fanOut.leave(id, viewer)
    if (viewer.comeBack(id)) this.#absent.delete(id, viewer)
    viewer.signals?.drop(signal => signal.cohort === id)
  }

  /** From one cohort to another with a frame of its own; one that lags goes on lagging there. */
  #move(
    viewer: Viewer,
    { from, to, frame, mark }: Extract<ViewerEffect, { kind: 'cohort-move' }>,
  ): void {
    // What waits in the ring comes first, and may turn out to be too much.
    this.#fanOut.catchUp(viewer)
    if (viewer.seatIn(from) !== undefined) {
      this.#fanOut.leave(from, viewer)
      if (frame !== undefined) this.#send(viewer, frame)
      this.#enter(to, viewer, mark)
      return
    }
    const drained = viewer.moveAway(from, to)
    this.#absent.delete(from, viewer)
    this.#absent.add(to, viewer)
    // The report that it has drained names a cohort that it is not in any more.
    if (drained !== undefined) {
      this.#inputs.report({ kind: 'viewer-drained', viewer: viewer.id, cohorts: [drained] })
    }
  }

  #signalToCohort(effect: Extract<ViewerEffect, { kind: 'cohort-signal' }>): void {
    const bytes = encodeTextFrame(effect.frame, { isDeflated: false })
    this.#fanOut.signal(effect.cohort, effect.key, bytes)
    for (const viewer of this.#absent.of(effect.cohort)) {
      viewer.putSignal(effect.key, { cohort: effect.cohort, bytes })
    }
  }

  #signal(viewer: Viewer, key: string, bytes: Buffer): void {
    this.#fanOut.catchUp(viewer)
    viewer.putSignal(key, { cohort: undefined, bytes })
    this.#goOn(viewer)
  }

  /** Sends what waits for a viewer alone as far as there is room: signals once it is back, then transfers. */
  #goOn(viewer: Viewer): void {
    while (viewer.hasSignalsWaiting && !viewer.isAway) {
      const bytes = viewer.signals?.peek()?.bytes
      if (bytes === undefined || !viewer.wouldTake(bytes.length)) break
      viewer.signals?.shift()
      this.#beforeWrite(viewer, bytes.length, 1)
      viewer.connection.delivery.corkTurn()
      viewer.connection.delivery.write(bytes)
    }
    if (!viewer.hasTransfers) return
    this.#feeding.add(viewer)
    this.#feedSoon()
  }

  #feedSoon(): void {
    if (this.#isFeedingDue) return
    this.#isFeedingDue = true
    setImmediate(() => this.#feed())
  }

  #feed(): void {
    this.#isFeedingDue = false
    let left = transfersPerTurn
    for (const viewer of this.#feeding) {
      if (left === 0) break
      left--
      this.#feeding.delete(viewer)
      const { delivery } = viewer.connection
      viewer.transfers?.feed({
        hasRoomFor: bytes => delivery.hasRoomFor(bytes),
        send: (frame, mayCompress) => this.#send(viewer, frame, mayCompress),
        done: transfer => {
          this.#inputs.report({ kind: 'viewer-transferred', viewer: viewer.id, transfer })
        },
      })
      // What it holds may be too little for a probe, and too much for what comes next: it is asked to confirm it.
      if (viewer.hasTransfers) delivery.ping()
    }
    this.#cork.flush()
    if (this.#feeding.size > 0) this.#feedSoon()
  }

  #drained(viewer: Viewer): void {
    const cohorts = viewer.drained()
    if (cohorts.length === 0) return
    this.#inputs.report({ kind: 'viewer-drained', viewer: viewer.id, cohorts })
  }

  #judge(awakeMs: number): void {
    for (const delivery of this.#confirmation.probing) delivery.judge(awakeMs)
    const wallMs = this.#clock.wallMs()
    for (let left = Math.ceil(this.#viewers.size / sweptParts); left > 0; left--) {
      const { value: viewer, done } = this.#toSweep.next()
      if (done === true) this.#toSweep = this.#viewers.values()
      else viewer.connection.sweep(awakeMs, wallMs)
    }
  }

  #closed(viewer: Viewer, why: string): void {
    this.#closes.add(why)
    this.#viewers.delete(viewer.id)
    this.#feeding.delete(viewer)
    this.#confirmation.probing.delete(viewer.connection.delivery)
    this.#signalsDropped += viewer.signals?.dropped ?? 0
    for (const id of viewer.absences) this.#absent.delete(id, viewer)
    for (const [id] of [...viewer.seats]) this.#fanOut.leave(id, viewer)
    viewer.connection.delivery.end()
    // One that never showed a good token was never reported.
    if (viewer.connection.grants === undefined) return
    this.#inputs.report({ kind: 'viewer-closed', viewer: viewer.id })
  }
}
