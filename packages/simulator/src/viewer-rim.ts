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
import { type Duration, milliseconds, Prng, unreachable } from '@fanfold/kernel'
import {
  decodeViewerRequest,
  type Grants,
  type ViewerEffect,
  type ViewerId,
  type ViewerInput,
} from '@fanfold/protocol'
import { Pipe, type PipeProfile } from './pipe.ts'
import type { Processor } from './processor.ts'
import { RimDelivery } from './rim-delivery.ts'
import { RimSeats } from './rim-seats.ts'
import { RimTokens } from './rim-tokens.ts'
import { RimViewer } from './rim-viewer.ts'
import { ViewerDials } from './viewer-dials.ts'
import type { Downward, RimWatch, Upward, ViewerConnection, ViewerSocket } from './viewer-socket.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { type Silence, Ways } from './ways.ts'

/** How long an edge waits for bytes of a viewer before it closes the connection. */
export const viewerSilence: Silence = { max: milliseconds(31_000), ping: milliseconds(15_000) }

type Viewer = RimViewer<Upward, Downward>

/** All viewers of one edge. */
export class ViewerRim {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #receive: (input: ViewerInput) => void
  readonly #watch: RimWatch | undefined
  readonly #processor: Processor | undefined
  /** Those that have dialled and were not let in yet. */
  readonly #arriving = new Set<Viewer>()
  readonly #viewers = new Map<ViewerId, Viewer>()
  readonly #seats: RimSeats
  readonly #ways: Ways
  readonly #dials: ViewerDials
  readonly #delivery: RimDelivery
  readonly #tokens: RimTokens
  readonly #name: string
  readonly #silence: Silence
  #isEnded = false
  #isDraining = false
  #nextViewer = 1

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
    /** Chance of how long it takes to look at a token. */
    readonly tokens?: Prng | undefined
    /** What its process does, it does by this; at once when it is not said. */
    readonly processor?: Processor | undefined
    /** What it takes for the time, ms since 1970; the world's own time by default. */
    readonly wallMs?: (() => number) | undefined
  }) {
    this.#processor = options.processor
    this.#ways = options.ways ?? new Ways(options)
    this.#name = options.name ?? 'edge'
    this.#silence = options.silence ?? viewerSilence
    this.#clock = options.clock
    this.#dials = new ViewerDials(options.clock, this.#ways, this.#name)
    this.#prng = options.prng
    this.#receive = options.receive
    this.#watch = options.watch
    const { budgetBytes, receive, watch } = options
    const soon = (task: () => void): void => this.#soon(task)
    this.#delivery = new RimDelivery({ budgetBytes, receive, watch, soon })
    this.#seats = new RimSeats({
      viewers: this.#viewers,
      delivery: this.#delivery,
      watch,
      drained: viewer => this.#soon(() => this.#sent(viewer)),
    })
    this.#tokens = new RimTokens({
      clock: options.clock,
      prng: options.tokens ?? new Prng('tokens'),
      wallMs: options.wallMs ?? (() => options.clock.wallMs),
      perform: task => this.#do(task),
      renewed: (viewer, grants) => this.#renew(viewer, grants),
      close: viewer => this.#close(viewer),
    })
  }

  /** How often a viewer lost a seat because it lagged. */
  get lags(): number {
    return this.#seats.lags
  }

  /** Viewers that are connected, and cohorts that have one of them. */
  get counts(): { readonly viewers: number; readonly cohorts: number } {
    return { viewers: this.#viewers.size, cohorts: this.#seats.cohorts }
  }

  /** Bytes of the largest frame that was sent to somebody. */
  get largestFrameBytes(): number {
    return this.#delivery.largestFrameBytes
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
    const isOpen = !this.#isEnded && !this.#isDraining
    const answer = isOpen ? this.#ways.answerOf(this.#name) : 'refuse'
    if (answer !== 'accept') {
      const lost = (reason: string): void => socket.lost(reason)
      return this.#dials.turnAway({ name, delayMin: profile.delayMin, lost }, answer)
    }
    const id = this.#nextViewer++ as ViewerId
    const down = new Pipe<Downward>({
      clock: this.#clock,
      prng: this.#prng.fork(`down ${id}`),
      profile,
      onSent: () => this.#do(() => this.#sent(viewer)),
      onArrival: item => {
        if (item.kind === 'frame') socket.received(item.frame, item.note)
        else socket[item.how](item.reason)
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
    up.send({ kind: 'open', grants }, 0)
    this.#dials.accept({
      name,
      delayMin: profile.delayMin,
      opened: () => {
        if (!viewer.hasLeft) socket.opened()
      },
      lost: reason => {
        if (!viewer.hasLeft) socket.lost(reason)
      },
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

  /** The edge is about to go: viewers hear of it behind what they are sent already, and nobody is let in. */
  drain(): void {
    this.#isDraining = true
    this.#do(() => {
      for (const viewer of [...this.#viewers.values(), ...this.#arriving]) {
        this.#lose(viewer, 'draining: the edge is about to go')
      }
    })
  }

  /** The process is gone at this moment: viewers hear of it soon, and nobody is let in any more. */
  end(): void {
    this.#isEnded = true
    this.#watch?.processEnds()
    for (const viewer of [...this.#viewers.values(), ...this.#arriving]) {
      const reason = 'lost: the process is gone'
      viewer.down.send({ kind: 'close', reason, how: 'lost' }, 0)
      this.#forget(viewer)
    }
  }

  /** Does what the edge wants done. What concerns a viewer that is gone is nothing. */
  perform(effect: ViewerEffect): void {
    switch (effect.kind) {
      case 'viewer-send': {
        const viewer = this.#viewers.get(effect.viewer)
        if (viewer !== undefined) this.#delivery.send(viewer, effect.frame)
        return
      }
      case 'viewer-signal': {
        const viewer = this.#viewers.get(effect.viewer)
        if (viewer !== undefined) this.#delivery.signal(viewer, effect.key, effect.frame)
        return
      }
      case 'signal-end':
        this.#viewers.get(effect.viewer)?.signals.delete(effect.key)
        return
      case 'viewer-close':
        this.#end(effect.viewer, `${effect.code}: ${effect.message}`)
        return
      case 'cohort-enter':
        this.#seats.enter(effect.cohort, effect.viewer, effect.mark)
        return
      case 'cohort-exit':
        this.#seats.exit(effect.cohort, effect.viewer)
        return
      case 'cohort-move':
        this.#seats.move(effect)
        return
      case 'cohort-send':
        this.#seats.send(effect)
        return
      case 'cohort-signal':
        this.#seats.signal(effect)
        return
      case 'viewer-transfer': {
        const viewer = this.#viewers.get(effect.viewer)
        if (viewer !== undefined) this.#delivery.transfer(viewer, effect.transfer, effect.frames)
        return
      }
      case 'transfer-end':
        this.#viewers.get(effect.viewer)?.transfers.delete(effect.transfer)
        return
      default:
        unreachable(effect)
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
      if (!this.#tokens.admit(viewer, item.grants)) return
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
    } else if (viewer.isVerifying || this.#delivery.isFull(viewer) || viewer.held.length > 0) {
      viewer.held.push(item)
    } else {
      const request = decodeViewerRequest(item.text)
      if (request.type === 'authenticate') {
        this.#tokens.verify(viewer, request.token)
        return
      }
      this.#watch?.viewerAsks(viewer.id, request)
      this.#receive({ kind: 'viewer-requested', viewer: viewer.id, request })
    }
  }

  #renew(viewer: Viewer, grants: Grants): void {
    this.#watch?.viewerRenews(viewer.id, grants, !viewer.isUpToDate)
    this.#receive({ kind: 'viewer-renewed', viewer: viewer.id, grants })
    this.#readHeld(viewer)
  }

  #sent(viewer: Viewer): void {
    if (viewer.isOver) return
    if (viewer.down.unsentBytes === 0) {
      this.#delivery.lead(viewer)
      this.#readHeld(viewer)
    }
    this.#delivery.goOn(viewer)
  }

  #readHeld(viewer: Viewer): void {
    if (viewer.isVerifying || viewer.held.length === 0) return
    for (const item of viewer.held.splice(0)) this.#read(viewer, item)
  }

  #end(id: ViewerId, reason: string): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    viewer.down.send({ kind: 'close', reason, how: 'closed' }, 0)
    this.#forget(viewer)
    this.#soon(() => this.#receive({ kind: 'viewer-closed', viewer: id }))
  }

  /** Nothing was heard from a viewer for too long, or its connection broke. */
  #lose(viewer: Viewer, reason: string): void {
    if (viewer.isOver) return
    viewer.down.send({ kind: 'close', reason, how: 'lost' }, 0)
    this.#close(viewer)
  }

  /** The viewer hears of it: for the edge it is gone now. */
  #close(viewer: Viewer): void {
    const wasThere = this.#viewers.has(viewer.id)
    this.#forget(viewer)
    if (wasThere) this.#receive({ kind: 'viewer-closed', viewer: viewer.id })
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
    this.#seats.leaveAll(viewer)
    viewer.clear()
  }
}
