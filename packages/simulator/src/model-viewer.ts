import { assert, type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import { type DocumentKey, type Grants, isGranted, type ViewerFrame } from '@fanfold/protocol'
import { type CrowdCheck, isCrowdFrame } from './crowd/crowd-check.ts'
import type { DrawnSaying } from './crowd/drawn-saying.ts'
import type { Door } from './door.ts'
import type { FrameNote } from './frame-check.ts'
import { type Observed, unasked, viewStateJson, viewStateRefusals } from './observed.ts'
import { type Judge, ObservedDocument, type Place, type Step } from './observed-document.ts'
import { OwedViews } from './owed-views.ts'
import type { PipeProfile } from './pipe.ts'
import type { Problems } from './problems.ts'
import { decodeFrame } from './received-frame.ts'
import type { SeenView } from './seen-view.ts'
import type { Looker } from './sight.ts'
import { Tally } from './tally.ts'
import type { Trace } from './trace.ts'
import { ViewAssembly } from './view-assembly.ts'
import type { ViewOracle } from './view-oracle.ts'
import { ViewerLine } from './viewer-line.ts'
import { ViewerTokens } from './viewer-tokens.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { WorldWatch } from './world-watch.ts'

/** When a viewer that was refused looks whether it would be let in by now. */
const askAgainAfter: Duration = milliseconds(250)

/**
 * A client of an edge by the rules that clients have: it resumes with its position, applies what fits,
 * and observes anew what does not. Without faults nothing may fail to fit, so that is a problem here. A
 * connection that it loses it has again (see viewer-line.ts). Each frame is held against what one sees
 * by the token that was in force at the edge when it went out.
 */
export class ModelViewer {
  readonly name: string
  readonly #clock: VirtualClock
  readonly #trace: Trace
  readonly #problems: Problems
  readonly #oracle: ViewOracle
  readonly #maxRate: number | undefined
  readonly #owed: OwedViews
  readonly #watch: WorldWatch | undefined
  readonly #tally: Tally
  readonly #observed = new Map<DocumentKey, Observed>()
  readonly #line: ViewerLine
  readonly #crowd: CrowdCheck | undefined
  /** Ids of what it has said on this connection, of which it was not told what became of it. */
  readonly #untold = new Set<string>()
  #refusals = 0
  #viewsInPieces = 0

  constructor(options: {
    readonly name: string
    readonly clock: VirtualClock
    readonly trace: Trace
    readonly problems: Problems
    readonly oracle: ViewOracle
    readonly docs: readonly DocumentKey[]
    /** Who it is, one after the other. */
    readonly tokens: readonly Grants[]
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
    /** Who is told what it says, and what it is told of that. */
    readonly crowd?: CrowdCheck | undefined
  }) {
    this.#tally = options.tally ?? new Tally()
    this.#watch = options.watch
    this.#owed = new OwedViews(options.oracle, options.mayBeLarge)
    this.#maxRate = options.maxRate
    this.#crowd = options.crowd
    this.name = options.name
    this.#clock = options.clock
    this.#trace = options.trace
    this.#problems = options.problems
    this.#oracle = options.oracle
    this.#line = new ViewerLine({
      ...options,
      tokens: new ViewerTokens(options.tokens),
      tally: this.#tally,
      watch: options.watch,
      events: {
        opened: () => this.#opened(),
        received: (bytes, note) => this.#received(bytes, note),
        ended: () => this.#ended(),
        closed: reason => this.#problems.add(`${this.name} was closed: ${reason}`),
      },
    })
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
    if (!this.#line.isOpen) return `${this.name} is not connected`
    for (const observed of this.#observed.values()) {
      const missing = this.#owed.missing(observed, this.#line.looker)
      if (missing === undefined) continue
      const { document, phase } = observed
      return `${this.name} is ${phase} at ${document.shownSeq} of ${document.doc}: ${missing}`
    }
    const [untold] = this.#untold
    return untold && `${this.name} was not told what became of ${untold}`
  }

  /** Whether it observes a document, and is one of those that watch it. */
  observes(doc: DocumentKey): boolean {
    return this.#line.isOpen && this.#observed.get(doc)?.phase === 'observing'
  }

  /** Connects to an edge in place of the one before, and observes what it wants. */
  connect(door: Door): void {
    this.#line.connect(door)
  }

  /** Closes its connection, if it has one, and does not come back by itself. */
  disconnect(): void {
    this.#line.disconnect()
  }

  /** Whether it has another token. */
  get canRenew(): boolean {
    return this.#line.tokensLeft > 0
  }

  /** Is somebody else from now on, or may observe something else, if it has another token. */
  renew(): void {
    this.#line.renew()
  }

  #ended(): void {
    this.#untold.clear()
    for (const observed of this.#observed.values()) {
      observed.phase = 'idle'
      observed.isToAskAgain = false
      observed.asksBeside = 0
    }
  }

  /** Leaves a document, or observes it again. */
  want(doc: DocumentKey, isWanted: boolean): void {
    const observed = this.#get(doc)
    observed.isWanted = isWanted
    if (!this.#line.isOpen) return
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

  /** Says something of one of the documents that it is shown, if there is one. */
  say({ pick, reducer, name, operand, hasId }: DrawnSaying): void {
    const docs = [...this.#observed.keys()].filter(doc => this.#isShown(doc))
    const doc = docs[pick % docs.length]
    if (doc === undefined) return
    this.#crowd?.said({ viewer: this.name, doc, reducer, name, operand, hasId })
    if (hasId) this.#untold.add(name)
    const value = reducer === 'said' ? { name } : { name, kind: operand }
    this.#send({ type: 'add', doc, reducer, value, ...(hasId ? { id: name } : {}) })
  }

  /** Whether it observes a document, and was answered. */
  #isShown(doc: DocumentKey): boolean {
    return this.observes(doc) && this.#get(doc).answered !== undefined
  }

  #get(doc: DocumentKey): Observed {
    const observed = this.#observed.get(doc)
    assert(observed !== undefined, `${this.name} knows ${doc}`)
    return observed
  }

  #opened(): void {
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
    this.#line.send(request)
  }

  #received(bytes: Uint8Array, note: FrameNote): void {
    this.#trace.add(this.#clock.now, this.name, 'frame', bytes)
    this.#watch?.({ kind: 'viewer-frame', at: this.#clock.now, viewer: this.name, frame: bytes })
    const frame = decodeFrame(bytes)
    // What follows is that the connection ends, for which there are rules.
    if (frame.type === 'refused' && frame.code === 'FANFOLD_UNAUTHORIZED') return
    if (isCrowdFrame(frame)) {
      this.#crowd?.tells(this.name, frame)
      this.#untold.delete(String(frame.id))
      return
    }
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
      // It has asked once more before it heard that its new token does not allow it.
      const { looker } = note
      if (frame.type === 'refused' && !isGranted(looker.grants, 'observe', doc)) return
      // Or while the request before it was answered.
      if (frame.type === 'refused' && observed.asksBeside > 0) {
        observed.asksBeside--
        this.#tally.add('viewer refused once more')
        return
      }
      this.#problems.add(`${this.name} got a ${frame.type} of ${doc}, which it does not observe`)
      return
    }
    if (!frame.type.startsWith('snapshot-')) observed.answered = viewStateJson(note.viewState)
    const { looker } = note
    const judge: Judge = (where, view) => this.#judge(doc, where, note, view)
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
          if (observed.phase === 'observing') this.#gone(observed, 'left', looker)
          return
        }
        observed.phase = 'idle'
        if (observed.isWanted) this.#observe(observed)
        return
      case 'refused':
        this.#refused(observed, frame, looker)
        return
      case 'moved':
        this.#problems.add(`${this.name} was sent away from ${frame.doc}`)
    }
  }

  /** Why a view is not what one sees there; where an epoch was given twice there are two of that name. */
  #judge(
    doc: DocumentKey,
    where: Place,
    { looker, viewState }: FrameNote,
    view: SeenView,
  ): string | undefined {
    const [newest = 0, ...others] = this.#oracle.placesNamed(doc, where)
    const differsAt = (place: number): string | undefined =>
      this.#oracle.differsAt({ doc, place }, looker, viewState, view)
    const difference = differsAt(newest)
    return others.some(place => differsAt(place) === undefined) ? undefined : difference
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

  #refused(observed: Observed, { code, retryAfter }: Refused, looker: Looker): void {
    this.#refusals++
    // For now only: the edge keeps the request and sends the snapshot when it can. One that has no room
    // may have let it go.
    if (retryAfter !== undefined) {
      if (code === 'FANFOLD_OVERLOADED') {
        this.#tally.add('viewer had no room')
        this.#observeLater(observed, retryAfter)
      }
      return
    }
    // One that is leaving is still to be told that it has left.
    if (observed.phase === 'leaving') return
    if (code === 'FANFOLD_DELETED') {
      this.#gone(observed, 'refused', looker)
      return
    }
    if (viewStateRefusals.has(code)) {
      // Whether it still observes depends on what the edge had before: it begins anew.
      observed.viewState = undefined
      this.#leave(observed)
      return
    }
    observed.phase = 'refused'
    if (!this.#owed.wasRefusable(observed, looker, code)) {
      this.#problems.add(`${this.name} was refused ${observed.document.doc}: ${code}`)
    }
    this.#askAgainLater(observed, this.#line.connections)
  }

  /** There is no such document any more: it is told so once, and what it was shown is of no use. */
  #gone(observed: Observed, how: 'left' | 'refused', looker: Looker): void {
    const { document } = observed
    observed.phase = 'ended'
    observed.isToAskAgain = false
    observed.assembly = undefined
    this.#tally.add(`viewer ${how} as deleted`)
    if (this.#owed.isDeleted(observed, looker)) return
    this.#problems.add(`${this.name} was told that ${document.doc} was deleted, which it is not`)
  }

  #observeLater(observed: Observed, afterMs: number): void {
    const connection = this.#line.connections
    observed.isToAskAgain = true
    this.#clock.in(milliseconds(afterMs), () => {
      // It has asked since: what comes of that may be on its way.
      if (connection !== this.#line.connections || !observed.isToAskAgain) return
      observed.isToAskAgain = false
      if (observed.phase !== 'observing' || !observed.isWanted) return
      observed.asksBeside++
      this.#observe(observed)
    })
  }

  #askAgainLater(observed: Observed, connection: number): void {
    this.#clock.in(askAgainAfter, () => {
      if (connection !== this.#line.connections || observed.phase !== 'refused') return
      const isRefusable = this.#owed.isRefusable(observed, this.#line.looker)
      if (isRefusable) this.#askAgainLater(observed, connection)
      else this.#observe(observed)
    })
  }
}

type Refused = Extract<ViewerFrame, { type: 'refused' }>
