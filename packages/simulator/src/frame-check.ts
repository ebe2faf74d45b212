/*
 * Looks at every frame that an edge sends a viewer, before it goes: it holds no marker that the viewer
 * may not see where the frame begins or ends, and a cohort is told nothing when nothing changes for it.
 *
 * Who is to have a large view enters a cohort when it is made, behind what the cohort was told for it,
 * if it is still there: so where documents are large, a cohort may be told nothing while some viewer of
 * the document was not answered yet.
 *
 * Which view a viewer has asked for is known here as the edge knows it, and goes along with each
 * frame, so that what arrives can be held against just that view.
 */
import type { PatchOperation } from '@fanfold/document'
import { assert, type Duration, encodeUtf8 } from '@fanfold/kernel'
import {
  type CohortId,
  type DocumentKey,
  type Grants,
  isGranted,
  type ViewerFrame,
  type ViewerId,
  type ViewerRequest,
} from '@fanfold/protocol'
import { isCrowdFrame } from './crowd/crowd-check.ts'
import type { CrowdEar } from './crowd/crowd-ear.ts'
import { hiddenMarkers } from './marker.ts'
import { viewStateRefusals } from './observed.ts'
import type { Place } from './observed-document.ts'
import type { Problems } from './problems.ts'
import { type ReceivedFrame, readFrame } from './received-frame.ts'
import { isEqualView, type Looker, type Sight } from './sight.ts'
import { Tally } from './tally.ts'
import type { ViewOracle } from './view-oracle.ts'
import type { RimWatch } from './viewer-socket.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What goes along with a frame: who it was made for, by the token in force, and for which view state. */
export type FrameNote = { readonly viewState: unknown; readonly looker: Looker }

/** A view that was asked for, and the one before that was not answered either. */
type Request = { readonly viewState: unknown; readonly before: Request | undefined }

/** The view that a viewer has, the one it had before, and the one that it has asked for since. */
type Asked = {
  viewState: unknown
  /** Whether it is led on now and then: what changes and changes back may be told. */
  isPaced: boolean
  before: unknown
  next: Request | undefined
  /** Whether it has asked for something, or is behind, and was told nothing since. */
  isDue: boolean
  /** Whether it came with a position, and was answered nothing yet. */
  isResuming: boolean
  /** The view that is on its way in pieces. */
  pieces?: { readonly at: Place; readonly viewState: unknown } | undefined
  /** Who it was when it was shown something last. */
  shownAs?: Looker | undefined
  /** Whether it was led, in this turn and as who it was, to where it becomes somebody else. */
  isLed?: boolean | undefined
}
type Watched = { looker: Looker; readonly asked: Map<string, Asked> }

const overRules = 'delta of several records over a change of rules'

const nothingAsked: Asked = {
  viewState: undefined,
  isPaced: false,
  before: undefined,
  next: undefined,
  isDue: false,
  isResuming: false,
}

/** The frames of one edge. */
export class FrameCheck implements RimWatch {
  readonly #edge: string
  readonly #ceiling: number
  readonly #clock: VirtualClock
  readonly #oracle: ViewOracle
  readonly #problems: Problems
  readonly #isEntryLate: boolean
  readonly #tally: Tally
  readonly #ear: CrowdEar | undefined
  readonly #viewers = new Map<ViewerId, Watched>()
  /** The process is gone: what was to follow in the same turn does not. */
  #isOver = false
  /** Cohorts that were told nothing in this turn, which only a move of theirs is a reason for. */
  readonly #quiet = new Map<CohortId, string>()

  constructor(options: {
    readonly edge: string
    /** The trust ceiling that the edge is behind. */
    readonly ceiling: number
    readonly clock: VirtualClock
    readonly oracle: ViewOracle
    readonly problems: Problems
    /** Whether some documents are large. */
    readonly isEntryLate?: boolean
    readonly tally?: Tally
    /** Who listens to what viewers say. */
    readonly ear?: CrowdEar | undefined
  }) {
    this.#tally = options.tally ?? new Tally()
    this.#ear = options.ear
    this.#isEntryLate = options.isEntryLate ?? false
    this.#edge = options.edge
    this.#ceiling = options.ceiling
    this.#clock = options.clock
    this.#oracle = options.oracle
    this.#problems = options.problems
  }

  viewerOpens(viewer: ViewerId, grants: Grants): void {
    this.#viewers.set(viewer, { looker: { grants, ceiling: this.#ceiling }, asked: new Map() })
  }

  viewerRenews(viewer: ViewerId, grants: Grants, isBehind: boolean): void {
    const watched = this.#viewers.get(viewer)
    if (watched === undefined) return
    this.#tally.add('token renewed')
    if (isBehind) this.#tally.add('token renewed by one that lags')
    for (const asked of watched.asked.values()) {
      // Who came with a position and had missed nothing was shown nothing, and is somebody all the same.
      asked.shownAs ??= watched.looker
      if (asked.pieces !== undefined) this.#tally.add('token renewed amid a large view')
      // It may be led to another cohort, later.
      asked.isDue = true
    }
    watched.looker = { ...watched.looker, grants }
  }

  viewerAsks(viewer: ViewerId, request: ViewerRequest): void {
    this.#ear?.asks(request)
    const asked = this.#viewers.get(viewer)?.asked
    if (request.type === 'observe') {
      const { viewState, maxRate, from } = request
      const isResuming = from !== undefined
      const isPaced = maxRate !== undefined
      asked?.set(request.doc, { ...nothingAsked, viewState, isPaced, isDue: true, isResuming })
    } else if (request.type === 'viewState') {
      const own = asked?.get(request.doc)
      if (own === undefined) return
      own.next = { viewState: request.viewState, before: own.next }
      own.isDue = true
    } else if (request.type === 'leave') {
      const own = asked?.get(request.doc)
      if (own !== undefined) own.isDue = false
    }
  }

  viewerIsBehind(viewer: ViewerId): void {
    for (const asked of this.#viewers.get(viewer)?.asked.values() ?? []) asked.isDue = true
  }

  viewerCloses(viewer: ViewerId): void {
    this.#viewers.delete(viewer)
  }

  frameGoes(viewer: ViewerId, bytes: Uint8Array, cohort: CohortId | undefined): FrameNote {
    const watched = this.#viewers.get(viewer)
    assert(watched !== undefined, `viewer ${viewer} of ${this.#edge} is connected`)
    const received = readFrame(bytes)
    const { frame } = received
    const asked = watched.asked.get(frame.doc ?? '') ?? { ...nothingAsked }
    // It is about what the viewer has said, and about no view.
    if (isCrowdFrame(frame)) return { viewState: asked.viewState, looker: watched.looker }
    const isRest = frame.type === 'snapshot-piece' || frame.type === 'snapshot-end'
    // What goes to a cohort is of the view that the viewer had, until it is told something itself.
    if (cohort === undefined && asked.next !== undefined && !isRest) {
      if (frame.type === 'refused' && viewStateRefusals.has(frame.code)) {
        // It is refused at once, also where what was asked for before is still to be shown.
        asked.next = asked.next.before
      } else {
        asked.before = asked.viewState
        asked.viewState = asked.next.viewState
        asked.next = undefined
      }
    }
    if (cohort !== undefined && asked.isPaced && frame.type === 'delta') {
      this.#tally.add(frame.seq > frame.from + 1 ? 'paced delta over several' : 'paced delta')
    }
    if (frame.type === 'delta' && frame.seq > frame.from + 1) {
      const doc = frame.doc as DocumentKey
      const place = this.#oracle.placeOf(doc, frame)
      const before = this.#oracle.placeBefore(doc, place, frame.from)
      if (this.#oracle.isRedefined(doc, before, place)) this.#tally.add(overRules)
    }
    if (asked.isResuming && frame.type !== 'status') {
      asked.isResuming = false
      this.#tally.add(`viewer resumed by ${frame.type}`)
    }
    if (frame.type === 'snapshot-begin') {
      asked.pieces = { at: frame, viewState: asked.viewState }
    }
    const { markers, positionMarkers } = received
    if (markers.size + positionMarkers.size > 0) this.#checkMarkers(watched, asked, received)
    if (cohort === undefined) asked.isLed = false
    else if (this.#isLedOn(watched, asked, frame)) {
      return { viewState: asked.viewState, looker: asked.shownAs ?? watched.looker }
    }
    const { looker } = watched
    this.#checkGrant(looker, frame)
    this.#noteAudience(looker, asked, frame)
    if (isRest) {
      const viewState = asked.pieces?.viewState
      if (frame.type === 'snapshot-end') asked.pieces = undefined
      return { viewState, looker }
    }
    if (cohort !== undefined && frame.type === 'delta' && !asked.isPaced) {
      this.#checkQuiet(watched, asked, frame, cohort)
    }
    if (!isForNow(frame)) asked.isDue = false
    return { viewState: asked.viewState, looker }
  }

  viewerIsLedOn(frame: Uint8Array): void {
    this.#tally.add(`lag caught up by ${readFrame(frame).frame.type}`)
  }

  cohortMoves(cohort: CohortId): void {
    this.#quiet.delete(cohort)
  }

  processEnds(): void {
    this.#ear?.ends()
    this.#isOver = true
  }

  #isSomebodyDue(doc: DocumentKey): boolean {
    for (const { asked } of this.#viewers.values()) if (asked.get(doc)?.isDue === true) return true
    return false
  }

  /** Of what a token does not allow nothing is told but that, and that it is left. */
  #checkGrant({ grants }: Looker, frame: ViewerFrame): void {
    if (frame.doc === undefined || isGranted(grants, 'observe', frame.doc as DocumentKey)) return
    if (frame.type === 'refused' && frame.code === 'FANFOLD_FORBIDDEN') {
      this.#tally.add('document forbidden by a token')
    } else if (frame.type !== 'refused' && frame.type !== 'left') {
      const who = `${grants.subject}, whose token does not allow it`
      this.#problems.add(`${this.#edge}: ${describe(frame)} to ${who}`)
    }
  }

  /**
   * Whether a frame says nothing but that the cohort which a viewer is about to leave has come to where
   * the difference of the two views is made. That has to follow in the same turn.
   */
  #isLedOn({ looker }: Watched, asked: Asked, frame: ViewerFrame): boolean {
    const { shownAs, viewState } = asked
    if (frame.type !== 'delta' || frame.patch.length > 0) return false
    if (shownAs === undefined || shownAs === looker) return false
    const doc = frame.doc as DocumentKey
    const place = this.#oracle.placeOf(doc, frame)
    const [before, now] = [shownAs, looker].map(one =>
      this.#oracle.look(doc, place, one, viewState),
    )
    if (before?.kind !== 'seen' || now?.kind !== 'seen' || isEqualView(before, now)) return false
    asked.isLed = true
    this.#afterTurn(() => {
      if (asked.isLed !== true) return
      this.#problems.add(`${this.#edge}: ${describe(frame)} to ${shownAs.grants.subject} of before`)
    })
    return true
  }

  #noteAudience(looker: Looker, asked: Asked, frame: ViewerFrame): void {
    if (frame.type !== 'snapshot' && frame.type !== 'delta' && frame.type !== 'snapshot-end') return
    const { shownAs, viewState } = asked
    asked.shownAs = looker
    if (shownAs === undefined || shownAs === looker || frame.type === 'snapshot-end') return
    const doc = frame.doc as DocumentKey
    const place = this.#oracle.placeOf(doc, frame)
    const before = this.#oracle.look(doc, place, shownAs, viewState)
    const now = this.#oracle.look(doc, place, looker, viewState)
    if (before.kind !== 'seen' || now.kind !== 'seen' || isEqualView(before, now)) return
    this.#tally.add(`audience changed by ${frame.type}`)
  }

  #checkMarkers({ looker }: Watched, asked: Asked, received: ReceivedFrame): void {
    const { frame, markers, positionMarkers } = received
    const sights = this.#sightsOf(looker, asked, frame)
    const taken = this.#takenFrom(looker, asked, frame)
    let values: ReadonlySet<string> | undefined
    const isTakenAway = (marker: string): boolean => {
      if (!isSeenIn(taken, marker) && !this.#isSeenBetween(looker, asked, frame, marker))
        return false
      values ??= valueMarkersOf(frame)
      return !values.has(marker)
    }
    const isUnseen = (marker: string): boolean => !isSeenIn(sights, marker) && !isTakenAway(marker)
    let unseen = firstOf(markers, isUnseen)
    if (unseen === undefined && positionMarkers.size > 0) {
      const doc = frame.doc as DocumentKey
      unseen = firstOf(
        positionMarkers,
        marker => this.#oracle.isPlanted(doc, marker) && isUnseen(marker),
      )
    }
    if (unseen === undefined) return
    this.#problems.add(
      `${this.#edge}: ${describe(frame)} to ${looker.grants.subject} has ${unseen}, which is not for it`,
    )
  }

  /** What a viewer may see of what a frame is made of. */
  #sightsOf(looker: Looker, asked: Asked, frame: ViewerFrame): readonly Sight[] {
    const doc = frame.doc as DocumentKey
    switch (frame.type) {
      case 'snapshot':
        return this.#looksNamed(doc, frame, looker, asked.viewState)
      case 'snapshot-piece': {
        if (asked.pieces === undefined) return []
        const { at, viewState } = asked.pieces
        return this.#looksNamed(doc, at, looker, viewState)
      }
      case 'delta':
        return [
          ...this.#looksNamed(doc, frame, looker, asked.viewState),
          // What it had may be named to be taken away, also when it was another view of the place.
          ...this.#looksAt(doc, frame.from, looker, [asked.viewState, asked.before]),
        ]
      default:
        return []
    }
  }

  /** What it had as somebody else, which may be named to be taken away but not be told. */
  #takenFrom(looker: Looker, asked: Asked, frame: ViewerFrame): readonly Sight[] {
    const { shownAs } = asked
    if (frame.type !== 'delta' || shownAs === undefined || shownAs === looker) return []
    const doc = frame.doc as DocumentKey
    return this.#looksAt(doc, frame.from, shownAs, [asked.viewState, asked.before])
  }

  /** What one sees at a place; where an epoch was given twice there are two of that name. */
  #looksNamed(
    doc: DocumentKey,
    where: Place,
    looker: Looker,
    viewState: unknown,
  ): readonly Sight[] {
    return this.#oracle
      .placesNamed(doc, where)
      .map(place => this.#oracle.look(doc, place, looker, viewState))
  }

  /** What one saw at a seq, for each view state; of a log that has lost records at each of its places. */
  #looksAt(
    doc: DocumentKey,
    seq: number,
    looker: Looker,
    viewStates: readonly unknown[],
  ): readonly Sight[] {
    return this.#oracle
      .placesAt(doc, seq)
      .flatMap(place =>
        viewStates.map(viewState => this.#oracle.look(doc, place, looker, viewState)),
      )
  }

  /**
   * Whether it was for the looker to see at a seq that the delta leads past. Who is told of several changes at
   * once is told that a place is empty where something was: nobody knows how far it came. So is who is led on from
   * what the log has lost.
   */
  #isSeenBetween(looker: Looker, asked: Asked, frame: ViewerFrame, marker: string): boolean {
    if (frame.type !== 'delta') return false
    const doc = frame.doc as DocumentKey
    const isSeenAt = (places: readonly number[]): boolean =>
      places.some(place =>
        isSeenIn([this.#oracle.look(doc, place, looker, asked.viewState)], marker),
      )
    for (let seq = frame.from + 1; seq < frame.seq; seq++) {
      if (isSeenAt(this.#oracle.placesAt(doc, seq))) return true
    }
    return isSeenAt(this.#oracle.placesLost(doc))
  }

  #checkQuiet(
    { looker }: Watched,
    { viewState }: Asked,
    frame: Extract<ViewerFrame, { type: 'delta' }>,
    cohort: CohortId,
  ): void {
    if (this.#quiet.has(cohort)) return
    const doc = frame.doc as DocumentKey
    const place = this.#oracle.placeOf(doc, frame)
    // Who is led over what the log has lost is told where it is now, whatever that changes.
    const from = this.#oracle.placeBefore(doc, place, frame.from)
    if (this.#oracle.placesAt(doc, frame.from).some(one => one !== from)) return
    const before = this.#oracle.look(doc, from, looker, viewState)
    const after = this.#oracle.look(doc, place, looker, viewState)
    if (before.kind !== 'seen' || after.kind !== 'seen' || after.isPlain) return
    if (!isEqualView(before, after)) return
    const what = `${this.#edge}: ${describe(frame)} to a cohort changes nothing for it`
    if (frame.patch.length > 0) {
      this.#problems.add(what)
      return
    }
    if (this.#isEntryLate && this.#isSomebodyDue(doc)) return
    this.#quiet.set(cohort, what)
    this.#afterTurn(() => {
      if (this.#quiet.delete(cohort)) this.#problems.add(what)
    })
  }

  /** Runs it when the turn is over, unless the process has ended amid it: that happens behind the turn, too. */
  #afterTurn(run: () => void): void {
    const soon = 0 as Duration
    this.#clock.in(soon, () => {
      this.#clock.in(soon, () => {
        if (!this.#isOver) run()
      })
    })
  }
}

/** A frame that answers nothing: how it stands, or a refusal after which the request still waits. */
const isForNow = (frame: ViewerFrame): boolean =>
  frame.type === 'status' || (frame.type === 'refused' && frame.retryAfter !== undefined)

const isSeenIn = (sights: readonly Sight[], marker: string): boolean =>
  sights.some(sight => sight.kind === 'seen' && sight.markers.has(marker))

/** The markers in what a delta tells, but for the names of places. */
function valueMarkersOf(frame: ViewerFrame): ReadonlySet<string> {
  const patch = frame.type === 'delta' ? (frame.patch as readonly PatchOperation[]) : []
  const values = patch.map(operation => ('value' in operation ? operation.value : undefined))
  return hiddenMarkers(encodeUtf8(JSON.stringify(values)))
}

function firstOf(
  markers: ReadonlySet<string>,
  isIt: (marker: string) => boolean,
): string | undefined {
  for (const marker of markers) if (isIt(marker)) return marker
  return undefined
}

function describe(frame: ViewerFrame): string {
  if (frame.type === 'delta') return `the delta ${frame.from} to ${frame.seq} of ${frame.doc}`
  if (frame.type === 'snapshot') return `the snapshot at ${frame.seq} of ${frame.doc}`
  return `a ${frame.type} of ${frame.doc}`
}
