import { assert, type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import type { DocumentKey, Grants, ViewerFrame } from '@fanfold/protocol'
import type { Door } from './door.ts'
import type { FrameNote } from './frame-check.ts'
import { type Observed, unasked, viewStateJson, viewStateRefusals } from './observed.ts'
import { type Judge, ObservedDocument, type Step } from './observed-document.ts'
import { OwedViews } from './owed-views.ts'
import type { PipeProfile } from './pipe.ts'
import type { Problems } from './problems.ts'
import { decodeFrame } from './received-frame.ts'
import { ReconnectWaits } from './reconnect-waits.ts'
import type { Looker } from './sight.ts'
import { Tally } from './tally.ts'
import type { Trace } from './trace.ts'
import { ViewAssembly } from './view-assembly.ts'
import type { ViewOracle } from './view-oracle.ts'
import type { ViewerConnection } from './viewer-socket.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { WorldWatch } from './world-watch.ts'

/** When a viewer that was refused looks whether it would be let in by now. */
const askAgainAfter: Duration = milliseconds(250)

/**
 * A client of an edge by the rules that clients have: it resumes with its position, applies what fits,
 * and observes anew what does not. Without faults nothing may fail to fit, so that is a problem here. A
 * connection that it loses it has again, at another edge if the first one does not let it in.
 */
export class ModelViewer {
  readonly name: string
  readonly #clock: VirtualClock
  readonly #trace: Trace
  readonly #problems: Problems
  readonly #oracle: ViewOracle
  readonly #profile: PipeProfile
  readonly #grants: Grants
  readonly #maxRate: number | undefined
  readonly #owed: OwedViews
  readonly #watch: WorldWatch | undefined
  readonly #doors: readonly Door[]
  readonly #waits: ReconnectWaits
  readonly #tally: Tally
  readonly #observed = new Map<DocumentKey, Observed>()
  #looker: Looker
  #connection: ViewerConnection | undefined
  #isOpen = false
  #hasLeft = true
  #connections = 0
  #refusals = 0
  #viewsInPieces = 0

  constructor(options: {
    readonly name: string
    readonly clock: VirtualClock
    readonly trace: Trace
    readonly problems: Problems
    readonly oracle: ViewOracle
    readonly docs: readonly DocumentKey[]
    /** Who it is: the subject and the claims of its token. */
    readonly subject: string
    readonly claims: Grants['claims']
    /** How its connections behave; the speed is what it takes in. */
    readonly profile: PipeProfile
    /** Deltas that it wants in a second at most. */
    readonly maxRate?: number | undefined
    /** Whether a document may be so large that its views are made by workers. */
    readonly mayBeLarge: boolean
    readonly watch?: WorldWatch | undefined
    /** Where it connects in turn when a connection is lost, one at least. */
    readonly doors: readonly Door[]
    /** For its waits. */
    readonly prng: Prng
    readonly tally?: Tally | undefined
  }) {
    this.#tally = options.tally ?? new Tally()
    this.#watch = options.watch
    this.#doors = options.doors
    this.#waits = new ReconnectWaits(options.prng)
    this.#owed = new OwedViews(options.oracle, options.mayBeLarge)
    this.#maxRate = options.maxRate
    this.name = options.name
    this.#clock = options.clock
    this.#trace = options.trace
    this.#problems = options.problems
    this.#oracle = options.oracle
    this.#profile = options.profile
    const { subject, claims } = options
    this.#grants = { ...grants, subject, claims }
    this.#looker = { grants: this.#grants, ceiling: 0 }
    for (const doc of options.docs) {
      const document = new ObservedDocument(doc)
      this.#observed.set(doc, { document, ...unasked })
    }
  }

  /** The documents as it has them. */
  get documents(): readonly ObservedDocument[] {
    return [...this.#observed.values()].map(({ document }) => document)
  }

  /** Requests that were refused. */
  get refusals(): number {
    return this.#refusals
  }

  /** Views that came in pieces. */
  get viewsInPieces(): number {
    return this.#viewsInPieces
  }

  /** Why it is not done; undefined when all it wants is shown as the log's head makes it. */
  get lagging(): string | undefined {
    if (!this.#isOpen) return `${this.name} is not connected`
    for (const observed of this.#observed.values()) {
      const missing = this.#owed.missing(observed, this.#looker)
      if (missing === undefined) continue
      const { document, phase } = observed
      return `${this.name} is ${phase} at ${document.shownSeq} of ${document.doc}: ${missing}`
    }
    return undefined
  }

  /** Connects to an edge in place of the one before, and observes what it wants. */
  connect(door: Door): void {
    const { name, rim, ceiling } = door
    this.disconnect()
    this.#hasLeft = false
    this.#watch?.({ kind: 'viewer-connects', at: this.#clock.now, viewer: this.name, edge: name })
    const number = ++this.#connections
    const isCurrent = (): boolean => number === this.#connections && this.#connection !== undefined
    this.#looker = { grants: this.#grants, ceiling }
    this.#connection = rim.connect(
      {
        opened: () => {
          if (isCurrent()) this.#opened()
        },
        received: (frame, note) => {
          // The rims of a world have its own watches.
          if (isCurrent()) this.#received(frame, note as FrameNote)
        },
        closed: reason => {
          if (!isCurrent()) return
          this.#problems.add(`${this.name} was closed: ${reason}`)
          this.#disconnect()
        },
        lost: () => {
          if (isCurrent()) this.#lost(door, number)
        },
      },
      this.#profile,
      this.#grants,
      this.name,
    )
  }

  #lost(door: Door, number: number): void {
    this.#disconnect()
    const doors = this.#doors
    const next = doors[(doors.indexOf(door) + 1) % doors.length] ?? door
    this.#clock.in(this.#waits.lost(this.#clock.now, doors.length), () => {
      // It may have been sent elsewhere meanwhile, or away.
      if (number === this.#connections && !this.#hasLeft) this.connect(next)
    })
  }

  /** Closes its connection, if it has one, and does not come back by itself. */
  disconnect(): void {
    this.#hasLeft = true
    this.#disconnect()
  }

  #disconnect(): void {
    if (this.#connection !== undefined) {
      const { now: at } = this.#clock
      this.#watch?.({ kind: 'viewer-connects', at, viewer: this.name, edge: undefined })
    }
    this.#connection?.close()
    this.#connection = undefined
    this.#isOpen = false
    for (const observed of this.#observed.values()) {
      observed.phase = 'idle'
      observed.isToAskAgain = false
    }
  }

  /** Leaves a document, or observes it again. */
  want(doc: DocumentKey, isWanted: boolean): void {
    const observed = this.#get(doc)
    observed.isWanted = isWanted
    if (!this.#isOpen) return
    if (isWanted && observed.phase === 'idle') this.#observe(observed)
    if (!isWanted && observed.phase === 'observing') this.#leave(observed)
    const isOver = observed.phase === 'refused' || observed.phase === 'ended'
    if (!isWanted && isOver) observed.phase = 'idle'
  }

  /** Looks at another part of a document from now on. */
  look(doc: DocumentKey, viewState: unknown): void {
    const observed = this.#get(doc)
    observed.viewState = viewState
    if (observed.phase === 'observing') this.#send({ type: 'viewState', doc, viewState })
  }

  #get(doc: DocumentKey): Observed {
    const observed = this.#observed.get(doc)
    assert(observed !== undefined, `${this.name} knows ${doc}`)
    return observed
  }

  #opened(): void {
    this.#isOpen = true
    this.#waits.opened(this.#clock.now)
    for (const observed of this.#observed.values()) {
      if (observed.isWanted) this.#observe(observed)
    }
  }

  #observe(observed: Observed): void {
    observed.phase = 'observing'
    observed.isToAskAgain = false
    observed.isStale = false
    observed.answered = undefined
    observed.assembly = undefined
    const { document, viewState } = observed
    const { doc } = document
    const from = document.resume()
    this.#send({ type: 'observe', doc, viewState, from, maxRate: this.#maxRate })
  }

  #leave(observed: Observed): void {
    observed.phase = 'leaving'
    this.#send({ type: 'leave', doc: observed.document.doc })
  }

  #send(request: object): void {
    assert(this.#connection !== undefined, `${this.name} asks while it is connected`)
    this.#watch?.({ kind: 'viewer-asks', at: this.#clock.now, viewer: this.name, request })
    this.#connection.send(JSON.stringify(request))
  }

  #received(bytes: Uint8Array, note: FrameNote): void {
    this.#trace.add(this.#clock.now, this.name, 'frame', bytes)
    this.#watch?.({ kind: 'viewer-frame', at: this.#clock.now, viewer: this.name, frame: bytes })
    const frame = decodeFrame(bytes)
    const observed = this.#observed.get(frame.doc as DocumentKey)
    if (observed === undefined) {
      this.#problems.add(`${this.name} got a frame of ${frame.doc}: ${JSON.stringify(frame)}`)
      return
    }
    const { document } = observed
    const { doc } = document
    // A request for another view crossed the end of what it was about.
    if (frame.type === 'refused' && frame.code === 'FANFOLD_NOT_OBSERVED') return
    if (observed.phase !== 'observing' && observed.phase !== 'leaving') {
      // A signal that waited for the viewer to take it in may come after the end.
      if (frame.type === 'status') return
      this.#problems.add(`${this.name} got a ${frame.type} of ${doc}, which it does not observe`)
      return
    }
    if (!frame.type.startsWith('snapshot-')) observed.answered = viewStateJson(note.viewState)
    const looker = this.#looker
    const judge: Judge = (seq, view) =>
      this.#oracle.differsAt({ doc, seq }, looker, note.viewState, view)
    switch (frame.type) {
      case 'snapshot':
        // The edge has kept the request that was to be made again.
        observed.isToAskAgain = false
        this.#stepped(observed, document.takeSnapshot(frame, judge))
        return
      case 'delta':
        // Amid the pieces of a view it goes on from the one before.
        this.#stepped(observed, document.takeDelta(frame, judge))
        return
      case 'snapshot-begin':
        observed.assembly = new ViewAssembly(frame)
        return
      case 'snapshot-piece': {
        const { assembly } = observed
        const wrong = assembly === undefined ? 'a piece of no view' : assembly.take(frame)
        if (wrong !== undefined) this.#problems.add(`${this.name}, ${doc}: ${wrong}`)
        return
      }
      case 'snapshot-end':
        this.#assembled(observed, frame.position, note, judge)
        return
      case 'status':
        // With a code it is the document's own trouble.
        observed.isStale = frame.status === 'stale' && frame.code === undefined
        return
      case 'left':
        if (frame.reason === 'deleted') {
          // To one that is leaving it is still to be said that it has left.
          if (observed.phase === 'observing') this.#ended(observed, 'left')
          return
        }
        observed.phase = 'idle'
        if (observed.isWanted) this.#observe(observed)
        return
      case 'refused':
        this.#refused(observed, frame)
        return
      case 'moved':
        this.#problems.add(`${this.name} was sent away from ${frame.doc}`)
    }
  }

  #assembled(observed: Observed, position: string, note: FrameNote, judge: Judge): void {
    const { assembly, document } = observed
    const view = assembly?.end() ?? 'the end of no view'
    observed.assembly = undefined
    if (assembly === undefined || typeof view === 'string') {
      this.#problems.add(`${this.name}, ${document.doc}: ${view}`)
      return
    }
    observed.isToAskAgain = false
    observed.answered = viewStateJson(note.viewState)
    this.#viewsInPieces++
    const { doc, epoch, seq } = assembly.begin
    const frame = { type: 'snapshot', doc, epoch, seq, position, view } as const
    this.#stepped(observed, document.takeSnapshot(frame, judge))
  }

  #stepped(observed: Observed, step: Step): void {
    if (step.kind === 'taken') return
    this.#problems.add(`${this.name}, ${observed.document.doc}: ${step.message}`)
    if (step.kind === 'wrong' || observed.phase !== 'observing') return
    observed.document.restart()
    this.#leave(observed)
  }

  #refused(observed: Observed, { code, retryAfter }: Refused): void {
    this.#refusals++
    // For now only: the edge keeps the request and sends the snapshot when it can. One that has no room
    // may have let it go.
    if (retryAfter !== undefined) {
      if (code === 'FANFOLD_OVERLOADED') this.#observeLater(observed, retryAfter)
      return
    }
    // One that is leaving is still to be told that it has left.
    if (observed.phase === 'leaving') return
    if (code === 'FANFOLD_DELETED') {
      this.#ended(observed, 'refused')
      return
    }
    if (viewStateRefusals.has(code)) {
      // Whether it still observes depends on what the edge had before: it begins anew.
      observed.viewState = undefined
      this.#leave(observed)
      return
    }
    observed.phase = 'refused'
    if (!this.#owed.wasRefusable(observed, this.#looker, code)) {
      this.#problems.add(`${this.name} was refused ${observed.document.doc}: ${code}`)
    }
    this.#askAgainLater(observed, this.#connections)
  }

  /** There is no such document any more: it is told so once, and what it was shown is of no use. */
  #ended(observed: Observed, how: 'left' | 'refused'): void {
    const { document } = observed
    observed.phase = 'ended'
    observed.isToAskAgain = false
    observed.assembly = undefined
    this.#tally.add(`viewer ${how} as deleted`)
    if (this.#owed.isDeleted(observed, this.#looker)) return
    this.#problems.add(`${this.name} was told that ${document.doc} was deleted, which it is not`)
  }

  #observeLater(observed: Observed, afterMs: number): void {
    const connection = this.#connections
    observed.isToAskAgain = true
    this.#clock.in(milliseconds(afterMs), () => {
      // It has asked since: what comes of that may be on its way.
      if (connection !== this.#connections || !observed.isToAskAgain) return
      observed.isToAskAgain = false
      if (observed.phase === 'observing' && observed.isWanted) this.#observe(observed)
    })
  }

  #askAgainLater(observed: Observed, connection: number): void {
    this.#clock.in(askAgainAfter, () => {
      if (connection !== this.#connections || observed.phase !== 'refused') return
      const isRefusable = this.#owed.isRefusable(observed, this.#looker)
      if (isRefusable) this.#askAgainLater(observed, connection)
      else this.#observe(observed)
    })
  }
}

type Refused = Extract<ViewerFrame, { type: 'refused' }>

const grants: Omit<Grants, 'subject' | 'claims'> = {
  tenant: undefined,
  documents: ['**'],
  allow: ['observe'],
  expiresAtMs: undefined,
}
