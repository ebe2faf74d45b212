/*
 * The rim of one edge towards its viewers: the viewer port on virtual time.
 *
 * As in a real node: a fan-out is one effect, and who is in a cohort is known here; a viewer whose
 * connection holds more than its budget when a cohort's frame goes out does not get it and loses its
 * seat; when its connection has drained, the edge hears which cohorts it lost and where it stood in
 * each; and nothing is read from a viewer that holds more than its budget. Signals wait while a viewer
 * is behind; frames of a transfer go one by one, as there is room in the budget.
 *
 * What goes wrong on the way is for others (see ways.ts). A viewer that the edge has heard nothing of is
 * closed; a viewer does not notice by itself that it hears nothing, as browsers do not.
 */
import { assert, type Duration, milliseconds, type Prng, unreachable } from '@fanfold/kernel'
import {
  type CohortId,
  decodeViewerRequest,
  type Grants,
  type TransferId,
  type ViewerEffect,
  type ViewerId,
  type ViewerInput,
  type ViewerRequest,
} from '@fanfold/protocol'
import { Pipe, type PipeProfile } from './pipe.ts'
import type { Processor } from './processor.ts'
import { RimViewer } from './rim-viewer.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { type Silence, Ways } from './ways.ts'

/** The viewer's end of a connection; each call is an event of its own. */
export type ViewerSocket = {
  opened(): void
  /** Takes the bytes of one text frame, and what the watch said when the frame went out. */
  received(frame: Uint8Array, note: unknown): void
  /** The edge has closed the connection. */
  closed(reason: string): void
  /** The connection is no more, or never came to be, for none of the edge's reasons. */
  lost(reason: string): void
}

/** How long an edge waits for bytes of a viewer before it closes the connection. */
export const viewerSilence: Silence = { max: milliseconds(31_000), ping: milliseconds(15_000) }
/** How long a client waits for a connection. */
const dialMax: Duration = milliseconds(10_000)

/** Who may look at what goes through a rim, before it goes. */
export type RimWatch = {
  viewerOpens(viewer: ViewerId, grants: Grants): void
  viewerAsks(viewer: ViewerId, request: ViewerRequest): void
  viewerCloses(viewer: ViewerId): void
  /** A frame goes out to one viewer, for itself or as one of a cohort; returns a note for its socket. */
  frameGoes(viewer: ViewerId, frame: Uint8Array, cohort: CohortId | undefined): unknown
  /** The edge is about to hear that a viewer is to be led on: it has drained, or has a large view. */
  viewerIsBehind(viewer: ViewerId): void
  /** A frame leads a viewer on that has drained. */
  viewerIsLedOn(frame: Uint8Array): void
  /** A viewer enters the cohort, or leaves it for another, and goes on from where it is. */
  cohortMoves(cohort: CohortId): void
}

/** What a viewer can do with its connection. */
export type ViewerConnection = { send(text: string): void; close(): void }

type Upward =
  | { readonly kind: 'open'; readonly grants: Grants }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'close' }

type Downward =
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly note: unknown }
  | { readonly kind: 'close'; readonly reason: string; readonly isLost: boolean }

type Viewer = RimViewer<Upward, Downward>

/** All viewers of one edge. */
export class ViewerRim {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #budgetBytes: number
  readonly #receive: (input: ViewerInput) => void
  readonly #watch: RimWatch | undefined
  readonly #processor: Processor | undefined
  /** Those that have dialled and were not let in yet. */
  readonly #arriving = new Set<Viewer>()
  readonly #viewers = new Map<ViewerId, Viewer>()
  readonly #cohorts = new Map<CohortId, Set<Viewer>>()
  readonly #ways: Ways
  readonly #name: string
  readonly #silence: Silence
  #isEnded = false
  #nextViewer = 1
  #lags = 0
  #largestFrameBytes = 0
  /** Who was just told of as drained. */
  #led: ViewerId | undefined

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    /** Unsent bytes past which a viewer gets no cohort's frames. */
    readonly budgetBytes: number
    /** Takes what happens, each time in an event of its own. */
    readonly receive: (input: ViewerInput) => void
    readonly watch?: RimWatch
    /** What is amiss on the way; nothing by default. */
    readonly ways?: Ways | undefined
    /** The edge's name there. */
    readonly name?: string | undefined
    readonly silence?: Silence | undefined
    /** What its process does, it does by this; at once when it is not said. */
    readonly processor?: Processor | undefined
  }) {
    this.#processor = options.processor
    this.#ways = options.ways ?? new Ways(options)
    this.#name = options.name ?? 'edge'
    this.#silence = options.silence ?? viewerSilence
    this.#clock = options.clock
    this.#prng = options.prng
    this.#budgetBytes = options.budgetBytes
    this.#receive = options.receive
    this.#watch = options.watch
  }

  /** How often a viewer lost a seat because it lagged. */
  get lags(): number {
    return this.#lags
  }

  /** Viewers that are connected, and cohorts that have one of them. */
  get counts(): { readonly viewers: number; readonly cohorts: number } {
    return { viewers: this.#viewers.size, cohorts: this.#cohorts.size }
  }

  /** Bytes of the largest frame that was sent to somebody. */
  get largestFrameBytes(): number {
    return this.#largestFrameBytes
  }

  /** Bytes that the one viewer holds that holds most. */
  get heldBytesMax(): number {
    let most = 0
    for (const { down } of this.#viewers.values()) most = Math.max(most, down.unsentBytes)
    return most
  }

  /**
   * A viewer connects; it is told when the connection is open.
   *
   * @param name the viewer's, by which what is amiss on its way is known
   */
  connect(
    socket: ViewerSocket,
    profile: PipeProfile,
    grants: Grants,
    name = 'viewer',
  ): ViewerConnection {
    const answer = this.#isEnded ? 'refuse' : this.#ways.answerOf(this.#name)
    if (answer !== 'accept') return this.#turnAway(socket, profile, { name, answer })
    const id = this.#nextViewer++ as ViewerId
    const down = new Pipe<Downward>({
      clock: this.#clock,
      prng: this.#prng.fork(`down ${id}`),
      profile,
      onSent: () => this.#do(() => this.#sent(viewer)),
      onArrival: item => {
        if (item.kind === 'frame') socket.received(item.frame, item.note)
        else if (item.isLost) socket.lost(item.reason)
        else socket.closed(item.reason)
      },
    })
    const viewer: Viewer = new RimViewer<Upward, Downward>(id, down)
    const up = new Pipe<Upward>({
      clock: this.#clock,
      prng: this.#prng.fork(`up ${id}`),
      profile,
      onSent: () => undefined,
      onArrival: item => this.#do(() => this.#read(viewer, item)),
    })
    viewer.connection = this.#ways.open(
      {
        from: name,
        to: this.#name,
        pipe: up,
        silence: this.#silence,
        lose: reason => this.#do(() => this.#lose(viewer, reason)),
      },
      {
        from: this.#name,
        to: name,
        pipe: down,
        silence: undefined,
        lose: reason => {
          if (!viewer.hasLeft) socket.lost(reason)
        },
      },
    )
    this.#arriving.add(viewer)
    let isOpen = false
    const opened = (): void => {
      isOpen = true
      if (!viewer.hasLeft) socket.opened()
    }
    up.send({ kind: 'open', grants }, 0)
    this.#clock.in((2 * profile.delayMin) as Duration, () => {
      if (this.#ways.isFree(name, this.#name)) {
        opened()
        return
      }
      this.#ways.whenFree(name, this.#name, opened)
      this.#clock.in(dialMax, () => {
        if (!isOpen && !viewer.hasLeft) socket.lost('no-answer: no connection in time')
      })
    })
    return {
      send: text => up.send({ kind: 'text', text }, text.length),
      close: () => {
        up.send({ kind: 'close' }, 0)
        down.close()
        viewer.hasLeft = true
        this.#release(viewer)
      },
    }
  }

  /** The process is gone at this moment: viewers hear of it soon, and nobody is let in any more. */
  end(): void {
    this.#isEnded = true
    for (const viewer of [...this.#viewers.values(), ...this.#arriving]) {
      const reason = 'lost: the process is gone'
      viewer.down.send({ kind: 'close', reason, isLost: true }, 0)
      this.#forget(viewer)
    }
  }

  /** Does what the edge wants done. What concerns a viewer that is gone is nothing. */
  perform(effect: ViewerEffect): void {
    switch (effect.kind) {
      case 'viewer-send':
        this.#send(this.#viewers.get(effect.viewer), effect.frame)
        return
      case 'viewer-signal': {
        const viewer = this.#viewers.get(effect.viewer)
        if (viewer !== undefined) this.#signal(viewer, effect.key, effect.frame)
        return
      }
      case 'viewer-close':
        this.#end(effect.viewer, `${effect.code}: ${effect.message}`)
        return
      case 'cohort-enter':
        this.#enter(effect.cohort, effect.viewer, effect.mark)
        return
      case 'cohort-exit':
        this.#exit(effect.cohort, effect.viewer)
        return
      case 'cohort-move':
        this.#move(effect)
        return
      case 'cohort-send':
        this.#sendToCohort(effect)
        return
      case 'cohort-signal':
        this.#signalToCohort(effect.cohort, effect.key, effect.frame)
        return
      case 'viewer-transfer':
        this.#transfer(effect)
        return
      case 'transfer-end':
        this.#viewers.get(effect.viewer)?.transfers.delete(effect.transfer)
        return
      default:
        unreachable(effect)
    }
  }

  #turnAway(
    socket: ViewerSocket,
    { delayMin }: PipeProfile,
    { name, answer }: { readonly name: string; readonly answer: 'refuse' | 'none' },
  ): ViewerConnection {
    let hasLeft = false
    const lost = (reason: string): void => {
      if (hasLeft) return
      hasLeft = true
      socket.lost(reason)
    }
    if (answer === 'refuse') {
      this.#clock.in((2 * delayMin) as Duration, () => {
        const refuse = (): void => lost('refused: nobody listens')
        if (this.#ways.isFree(name, this.#name)) refuse()
        else this.#ways.whenFree(name, this.#name, refuse)
      })
    }
    this.#clock.in(dialMax, () => lost('no-answer: no connection in time'))
    return {
      send: () => undefined,
      close: () => {
        hasLeft = true
      },
    }
  }

  /** What the process does with what has happened, it does when it comes to it. */
  #do(task: () => void): void {
    const processor = this.#processor
    if (processor?.isDelaying === true && !this.#isEnded) processor.do(task)
    else task()
  }

  #soon(task: () => void): void {
    this.#clock.in(0 as Duration, () => this.#do(task))
  }

  #read(viewer: Viewer, item: Upward): void {
    if (viewer.isOver) return
    if (this.#isEnded) {
      this.#lose(viewer, 'lost: the process is gone')
      return
    }
    if (item.kind === 'open') {
      this.#arriving.delete(viewer)
      this.#viewers.set(viewer.id, viewer)
      this.#watch?.viewerOpens(viewer.id, item.grants)
      this.#receive({ kind: 'viewer-opened', viewer: viewer.id, grants: item.grants })
      return
    }
    if (!this.#viewers.has(viewer.id)) return
    if (item.kind === 'close') {
      this.#forget(viewer)
      this.#receive({ kind: 'viewer-closed', viewer: viewer.id })
    } else if (viewer.down.unsentBytes > this.#budgetBytes || viewer.held.length > 0) {
      viewer.held.push(item)
    } else {
      const request = decodeViewerRequest(item.text)
      assert(request.type !== 'authenticate', 'simulated viewers come with their grants')
      this.#watch?.viewerAsks(viewer.id, request)
      this.#receive({ kind: 'viewer-requested', viewer: viewer.id, request })
    }
  }

  #sent(viewer: Viewer): void {
    if (!this.#viewers.has(viewer.id)) return
    if (viewer.down.unsentBytes > 0) {
      this.#goOn(viewer)
      return
    }
    if (viewer.lost.size > 0) {
      const cohorts = [...viewer.lost].map(([cohort, mark]) => ({ cohort, mark }))
      viewer.lost.clear()
      for (const { cohort, mark } of cohorts) viewer.drained.set(cohort, mark)
      this.#led = viewer.id
      this.#watch?.viewerIsBehind(viewer.id)
      this.#receive({ kind: 'viewer-drained', viewer: viewer.id, cohorts })
      this.#led = undefined
    }
    if (viewer.held.length > 0) {
      for (const item of viewer.held.splice(0)) this.#read(viewer, item)
    }
    this.#goOn(viewer)
  }

  /** Sends what waits for a viewer that is up to date, and of its transfers what there is room for. */
  #goOn(viewer: Viewer): void {
    if (viewer.isUpToDate && viewer.down.unsentBytes <= this.#budgetBytes) {
      for (const frame of viewer.signals.takeAll()) this.#send(viewer, frame)
    }
    // Who lags drains first.
    if (viewer.lost.size > 0) return
    if (viewer.transfers.size === 0) return
    for (const [id, transfer] of [...viewer.transfers]) {
      for (;;) {
        const frame = transfer.frames[transfer.sent]
        if (frame === undefined) break
        const { unsentBytes } = viewer.down
        if (unsentBytes > 0 && unsentBytes + frame.length > this.#budgetBytes) return
        transfer.sent++
        this.#send(viewer, frame)
        if (transfer.sent === transfer.frames.length) this.#transferred(viewer, id)
      }
    }
  }

  #transfer({ viewer: id, transfer, frames }: Effect<'viewer-transfer'>): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    assert(frames.length > 0, `transfer ${transfer} has frames`)
    viewer.transfers.set(transfer, { frames, sent: 0 })
    this.#soon(() => {
      if (this.#viewers.has(id)) this.#goOn(viewer)
    })
  }

  #transferred(viewer: Viewer, transfer: TransferId): void {
    this.#soon(() => {
      if (!this.#viewers.has(viewer.id) || !viewer.transfers.delete(transfer)) return
      this.#watch?.viewerIsBehind(viewer.id)
      this.#receive({ kind: 'viewer-transferred', viewer: viewer.id, transfer })
    })
  }

  #send(viewer: Viewer | undefined, frame: Uint8Array, cohort?: CohortId): void {
    if (viewer === undefined) return
    if (this.#led === viewer.id) this.#watch?.viewerIsLedOn(frame)
    if (frame.length > this.#largestFrameBytes) this.#largestFrameBytes = frame.length
    const note = this.#watch?.frameGoes(viewer.id, frame, cohort)
    viewer.down.send({ kind: 'frame', frame, note }, frame.length)
  }

  #signal(viewer: Viewer, key: string, frame: Uint8Array): void {
    if (viewer.isUpToDate && viewer.down.unsentBytes <= this.#budgetBytes) this.#send(viewer, frame)
    else viewer.signals.put(key, frame)
  }

  #signalToCohort(id: CohortId, key: string, frame: Uint8Array): void {
    for (const viewer of this.#viewers.values()) {
      if (viewer.seats.has(id) || viewer.isBehind(id)) this.#signal(viewer, key, frame)
    }
  }

  #end(id: ViewerId, reason: string): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    viewer.down.send({ kind: 'close', reason, isLost: false }, 0)
    this.#forget(viewer)
    this.#soon(() => this.#receive({ kind: 'viewer-closed', viewer: id }))
  }

  /** Nothing was heard from a viewer for too long, or its connection broke. */
  #lose(viewer: Viewer, reason: string): void {
    if (viewer.isOver) return
    viewer.down.send({ kind: 'close', reason, isLost: true }, 0)
    const wasThere = this.#viewers.has(viewer.id)
    this.#forget(viewer)
    if (wasThere) this.#receive({ kind: 'viewer-closed', viewer: viewer.id })
  }

  #enter(id: CohortId, viewerId: ViewerId, mark: number): void {
    const viewer = this.#viewers.get(viewerId)
    if (viewer === undefined) return
    this.#watch?.cohortMoves(id)
    let cohort = this.#cohorts.get(id)
    if (cohort === undefined) {
      cohort = new Set()
      this.#cohorts.set(id, cohort)
    }
    cohort.add(viewer)
    viewer.seats.set(id, mark)
    this.#settle(viewer, id)
  }

  #exit(id: CohortId, viewerId: ViewerId): void {
    const viewer = this.#viewers.get(viewerId)
    if (viewer === undefined) return
    this.#leave(id, viewer)
    this.#settle(viewer, id)
  }

  #move({ viewer: id, from, to, frame, mark }: Effect<'cohort-move'>): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    this.#watch?.cohortMoves(from)
    if (viewer.seats.has(from)) {
      this.#leave(from, viewer)
      if (frame !== undefined) this.#send(viewer, frame)
      this.#enter(to, id, mark)
      return
    }
    const stoodAt = from === to ? viewer.stoodAt(from) : undefined
    viewer.settle(from)
    viewer.lost.set(to, stoodAt)
    // Told before, the edge had nothing to give it then.
    this.#soon(() => this.#sent(viewer))
  }

  /** The edge has said where the viewer is now: signals that waited for that may go. */
  #settle(viewer: Viewer, cohort: CohortId): void {
    viewer.settle(cohort)
    if (viewer.signals.count === 0) return
    this.#soon(() => {
      if (this.#viewers.has(viewer.id)) this.#goOn(viewer)
    })
  }

  #leave(id: CohortId, viewer: Viewer): void {
    viewer.seats.delete(id)
    const cohort = this.#cohorts.get(id)
    if (cohort?.delete(viewer) && cohort.size === 0) this.#cohorts.delete(id)
  }

  #sendToCohort({ cohort: id, frame, mark }: Effect<'cohort-send'>): void {
    for (const viewer of this.#cohorts.get(id) ?? []) {
      if (viewer.down.unsentBytes <= this.#budgetBytes) {
        this.#send(viewer, frame, id)
        viewer.seats.set(id, mark)
        continue
      }
      this.#lags++
      const stoodAt = viewer.seats.get(id)
      this.#leave(id, viewer)
      viewer.lost.set(id, stoodAt)
    }
  }

  #release(viewer: Viewer): void {
    const { hasLeft, isOver, connection } = viewer
    if (hasLeft && isOver && connection !== undefined) this.#ways.close(connection)
  }

  #forget(viewer: Viewer): void {
    this.#arriving.delete(viewer)
    viewer.isOver = true
    this.#release(viewer)
    if (this.#viewers.delete(viewer.id)) this.#watch?.viewerCloses(viewer.id)
    for (const id of [...viewer.seats.keys()]) this.#leave(id, viewer)
    viewer.clear()
  }
}

type Effect<Kind extends ViewerEffect['kind']> = Extract<ViewerEffect, { kind: Kind }>
