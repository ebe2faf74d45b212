/*
 * Where observers sit as the rim has it, and how they get from one seat to another: into a cohort,
 * beside a paced one until that is told the next time, or nowhere while a large view is on its way.
 */
import type { JsonObject } from '@fanfold/document'
import type { ViewerId } from '@fanfold/protocol'
import type { RecordRing } from '@fanfold/replication'
import { advanceSilently, drainedFrames, entryFrames, frameFrom, isResumable } from './catch-up.ts'
import type { Cohort } from './cohort.ts'
import { answerFrame, frameBetween, snapshotNow } from './move-frames.ts'
import { type Seat, seatId, type Way } from './seat.ts'
import type { Showing } from './showing.ts'
import type { Transferring, Transfers } from './transfers.ts'
import type { Turn } from './turn.ts'

/** A seat, and whether the viewer was told nothing on the way there; undefined where there is none now. */
export type Taken = { readonly seat: Seat; readonly isSilent: boolean } | undefined

/** The seats of one document. */
export class Seating {
  readonly #ring: RecordRing
  readonly #showing: Showing
  readonly #transfers: Transfers
  readonly #turn: Turn

  constructor(options: {
    readonly ring: RecordRing
    readonly showing: Showing
    readonly transfers: Transfers
    readonly turn: Turn
  }) {
    this.#ring = options.ring
    this.#showing = options.showing
    this.#transfers = options.transfers
    this.#turn = options.turn
  }

  /** A viewer comes, from a position when it holds some of the document. */
  enter(viewer: ViewerId, cohort: Cohort, from: string | undefined, state: JsonObject): Taken {
    const { at, shown: cohorts } = this.#showing
    const options = { cohorts, cohort, ring: this.#ring, at, state, turn: this.#turn }
    const point = from === undefined ? undefined : cohorts.terms.points.open(from)
    if (cohort.pace !== undefined && point !== undefined && isResumable(options, point)) {
      const isThere = cohort.isCurrent(at) && point.seq === cohort.sent.seq
      const seat: Seat = isThere
        ? { kind: 'in', cohort }
        : { kind: 'beside', cohort, seq: point.seq }
      return { seat: this.#sit(viewer, seat), isSilent: true }
    }
    const isOld = cohort.pace !== undefined && (point?.seq ?? 0) > cohort.sent.seq
    if (isOld || !cohort.isCurrent(at)) return this.#enterBeside(viewer, cohort, state)
    const frames = entryFrames({ ...options, point })
    if (frames === 'pieces') return this.#transfer(viewer, cohort, point?.seq ?? 0)
    for (const frame of frames) this.#send(viewer, frame, cohort)
    return { seat: this.#sit(viewer, { kind: 'in', cohort }), isSilent: frames.length === 0 }
  }

  /** A viewer that lagged has drained, and stands at `mark`. */
  drained(viewer: ViewerId, seat: Seat, mark: number | undefined, state: JsonObject): Taken {
    const { cohort } = seat
    const { at, shown: cohorts } = this.#showing
    if (seat.kind === 'beside' || (seat.kind === 'in' && !cohort.isCurrent(at))) {
      const seq = mark === undefined || cohorts.terms.isDense ? undefined : cohort.seqOf(mark)
      // For those who send, it is away from where it was until it is back there, or is gone.
      this.leave(viewer, seat)
      if (seat.kind === 'beside' || seq === undefined) {
        return this.#enterBeside(viewer, cohort, state)
      }
      return told(this.#sit(viewer, { kind: 'beside', cohort, seq }))
    }
    const ring = this.#ring
    const frames = drainedFrames({ cohorts, cohort, mark, ring, at, state, turn: this.#turn })
    if (frames === 'pieces') {
      this.leave(viewer, seat)
      return this.#transfer(viewer, cohort, at.seq)
    }
    for (const frame of frames) this.#send(viewer, frame, cohort)
    return told(this.#sit(viewer, { kind: 'in', cohort }))
  }

  /** A large view has been sent: the viewer is led on to where its cohort stands. */
  transferred(viewer: ViewerId, seat: Transferring, state: JsonObject): Taken {
    const { cohort, seq } = seat
    const { at, shown: cohorts } = this.#showing
    if (cohort.pace !== undefined && (!cohort.isCurrent(at) || seq > cohort.sent.seq)) {
      this.#transfers.done(viewer, seat)
      return told(this.#sit(viewer, { kind: 'beside', cohort, seq }))
    }
    const frames = this.#transfers.framesAfter(seat, {
      cohorts,
      ring: this.#ring,
      at,
      state,
      turn: this.#turn,
    })
    // Where it took so long that nothing leads on from there, it begins anew.
    if (frames === undefined) return this.passAnew(viewer, seat, cohort, state)
    const goingOn = this.#transfers.goOn(viewer, seat, frames)
    if (goingOn !== undefined) return told(goingOn)
    this.#transfers.done(viewer, seat)
    for (const frame of frames) this.#send(viewer, frame, cohort)
    return told(this.#sit(viewer, { kind: 'in', cohort }))
  }

  /** A viewer goes to another cohort under the same definition, with the difference of their views. */
  move(viewer: ViewerId, seat: Seat, to: Cohort, state: JsonObject): Taken {
    const { at, shown: cohorts } = this.#showing
    const { cohort: from } = seat
    const isAlike = from.pace === undefined && to.pace === undefined
    const isKnown = seat.kind === 'in' && from.isCurrent(at) && to.isCurrent(at)
    if (isKnown && (isAlike || from.seq === to.seq)) {
      const turn = this.#turn
      return this.pass(viewer, seat, to, frameBetween({ cohorts, from, to, at, state, turn }))
    }
    return this.passAnew(viewer, seat, to, state)
  }

  /** A viewer gets the view of a cohort, whatever it holds. */
  passAnew(viewer: ViewerId, seat: Seat, to: Cohort, state: JsonObject): Taken {
    const { at, shown: cohorts } = this.#showing
    const isBeside = to.pace !== undefined && !(to.isCurrent(at) && to.sent.seq === at.seq)
    const turn = this.#turn
    if (!isBeside) return this.pass(viewer, seat, to, snapshotNow({ cohorts, to, at, state, turn }))
    const way = cohorts.snapshotBeside(to, at, state)
    return this.pass(viewer, seat, to, way, { kind: 'beside', cohort: to, seq: at.seq })
  }

  /** A viewer that asked for the view it has is answered. */
  answer(viewer: ViewerId, seat: Seat, state: JsonObject): Taken {
    const { cohort } = seat
    if (seat.kind === 'transfer') return told(seat)
    if (seat.kind === 'beside') return this.passAnew(viewer, seat, cohort, state)
    const { at, shown: cohorts } = this.#showing
    const isBehind = cohorts.terms.isDense && !cohort.isCurrent(at)
    if (isBehind) return this.passAnew(viewer, seat, cohort, state)
    // As a move, so that a viewer that lags gets no range that it does not have.
    const frame = answerFrame(cohorts, cohort, state)
    return this.pass(viewer, seat, cohort, frame)
  }

  /** A paced cohort was led on to now: one that sat beside it enters. */
  gather(viewer: ViewerId, seat: Extract<Seat, { kind: 'beside' }>, state: JsonObject): Taken {
    const { at, shown: cohorts } = this.#showing
    const { cohort, seq } = seat
    const isLed = seq !== undefined && cohort.failure === undefined && !cohorts.terms.isDense
    if (!isLed) return this.pass(viewer, seat, cohort, cohorts.snapshotOf(cohort, state))
    const [ring, turn] = [this.#ring, this.#turn]
    if (seq > cohort.sent.seq) advanceSilently({ cohorts, cohort, at, turn })
    if (seq === cohort.sent.seq) return this.#change(viewer, seat, cohort, undefined)
    const frame = frameFrom({ cohorts, cohort, ring, at, state, turn }, seq)
    return this.pass(viewer, seat, cohort, frame ?? cohorts.snapshotOf(cohort, state))
  }

  /** A viewer gets to a cohort, or beside it, by this way. */
  pass(
    viewer: ViewerId,
    seat: Seat,
    to: Cohort,
    way: Way,
    target: Seat = { kind: 'in', cohort: to },
  ): Taken {
    if (way !== 'pieces') return this.#change(viewer, seat, to, way, target)
    this.leave(viewer, seat)
    return this.#transfer(viewer, to, this.#showing.at.seq)
  }

  /** The viewer sits nowhere any more. */
  leave(viewer: ViewerId, seat: Seat): void {
    const cohort = seatId(seat)
    if (cohort !== undefined) this.#turn.push({ kind: 'cohort-exit', cohort, viewer })
    else if (seat.kind === 'transfer') this.#transfers.end(viewer, seat)
  }

  #change(
    viewer: ViewerId,
    seat: Seat,
    to: Cohort,
    frame: Uint8Array | undefined,
    target: Seat = { kind: 'in', cohort: to },
  ): Taken {
    const [from, id] = [seatId(seat), seatId(target)]
    if (from === undefined || id === undefined) {
      this.leave(viewer, seat)
      if (frame !== undefined) this.#send(viewer, frame, to)
      return told(this.#sit(viewer, target))
    }
    const mark = to.mark
    if (frame !== undefined) this.#showing.allowance?.spendOne(frame.length)
    this.#turn.push({ kind: 'cohort-move', viewer, from, to: id, frame, mark })
    return told(target)
  }

  /** Between two deltas of a paced cohort, a viewer gets a snapshot of now, and the next delta from there. */
  #enterBeside(viewer: ViewerId, cohort: Cohort, state: JsonObject): Taken {
    const { at, shown: cohorts } = this.#showing
    const way = cohorts.snapshotBeside(cohort, at, state)
    if (way === 'pieces') return this.#transfer(viewer, cohort, at.seq)
    if (way !== undefined) this.#send(viewer, way, cohort)
    return told(this.#sit(viewer, { kind: 'beside', cohort, seq: at.seq }))
  }

  #transfer(viewer: ViewerId, cohort: Cohort, seen: number): Taken {
    return told(this.#transfers.begin(viewer, cohort, seen))
  }

  #sit(viewer: ViewerId, seat: Seat): Seat {
    const cohort = seatId(seat)
    if (cohort === undefined) return seat
    this.#turn.push({ kind: 'cohort-enter', cohort, viewer, mark: seat.cohort.mark })
    return seat
  }

  #send(viewer: ViewerId, frame: Uint8Array, { isUnmixed }: Cohort): void {
    this.#showing.allowance?.spendOne(frame.length)
    this.#turn.push({ kind: 'viewer-send', viewer, frame, mayCompress: isUnmixed })
  }
}

const told = (seat: Seat | undefined): Taken => seat && { seat, isSilent: false }
