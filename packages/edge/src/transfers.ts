/*
 * Viewers of a large document that are sent its view in pieces. While that goes on they are in no
 * cohort of the rim; afterwards they are led on to where their cohort stands, and enter it.
 */
import type { JsonObject } from '@fanfold/document'
import type { DocumentKey, TransferId, ViewerId } from '@fanfold/protocol'
import { advanceSilently, type CatchUp, frameFrom } from './catch-up.ts'
import type { Cohort } from './cohort.ts'
import type { LargeDocument } from './large-document.ts'
import { LargeSnapshot } from './large-snapshot.ts'
import type { ObserversPort } from './observe-request.ts'
import type { Seat } from './seat.ts'
import type { Showing } from './showing.ts'
import type { MadeView } from './view-framing.ts'

/** What transfers ask of the document that they are of. */
export type TransfersPort = Pick<
  ObserversPort,
  'turn' | 'largeViews' | 'nextTransfer' | 'variantCode'
> & {
  /** Whether what is shown is the last record. */
  isShown(): boolean
  /** What the viewer waits for is made, or is being made anew. */
  seated(viewer: ViewerId, seat: Transferring): void
  /** It cannot be made: by its rules, or now. */
  failed(viewer: ViewerId, isRuleFailed: boolean): void
  /** There is no room for it now. */
  turnedAway(viewer: ViewerId): void
}

/** A viewer that is sent a large view. */
export type Transferring = Extract<Seat, { kind: 'transfer' }>

/**
 * How many frames may follow a large view one by one, where one frame can do for all of them; more are sent as the view
 * was, as fast as the viewer takes them.
 */
const followMax = 8
/** How often a view is asked for when the worker fails. */
const attemptsMax = 2
/** What its frames add to a view is no larger a part of it. */
const framesPart = 1 / 32

/** The transfers of one document. */
export class Transfers {
  readonly #doc: DocumentKey
  readonly #showing: Showing
  readonly #large: LargeDocument
  readonly #port: TransfersPort

  constructor(options: {
    readonly doc: DocumentKey
    readonly showing: Showing
    readonly large: LargeDocument
    readonly port: TransfersPort
  }) {
    this.#doc = options.doc
    this.#showing = options.showing
    this.#large = options.large
    this.#port = options.port
  }

  /**
   * A viewer that has seen what was at `seen` is to be sent the view of a cohort, not an older one;
   * undefined when it cannot be made now.
   */
  begin(viewer: ViewerId, cohort: Cohort, seen: number): Transferring | undefined {
    const { shown: cohorts } = this.#showing
    const snapshot = cohorts.largeSnapshot(cohort, seen) ?? this.#make(cohort, 1)
    if (snapshot !== undefined && !this.#port.largeViews.mayUse(snapshot)) return undefined
    if (snapshot?.frames !== undefined) return this.#send(viewer, snapshot, snapshot.frames)
    snapshot?.wait(viewer)
    return snapshot && awaiting(snapshot)
  }

  /** The viewer is not to be sent it any more. */
  end(viewer: ViewerId, { snapshot, transfer }: Transferring): void {
    snapshot.release(viewer)
    if (transfer !== undefined) this.#port.turn.push({ kind: 'transfer-end', viewer, transfer })
  }

  /** The viewer has been sent all of it, and been led on. */
  done(viewer: ViewerId, { snapshot }: Transferring): void {
    snapshot.release(viewer)
  }

  /** Frames from what was sent to where its cohort stands; undefined when nothing leads there. */
  framesAfter(
    { cohort, snapshot, led, seq }: Transferring,
    options: Omit<CatchUp, 'cohort'> & { readonly state: JsonObject },
  ): readonly Uint8Array[] | undefined {
    const after = snapshot.after?.slice(led)
    const { isDense } = options.cohorts.terms
    if (after !== undefined && (isDense || after.length <= followMax)) return after
    const isLed = !isDense && cohort.failure === undefined
    const frame = isLed ? frameFrom({ ...options, cohort }, seq) : undefined
    return frame === undefined ? after : [frame]
  }

  /** The viewer is sent frames that lead on to where its cohort stands, when they are too many to be sent at once. */
  goOn(
    viewer: ViewerId,
    { snapshot }: Transferring,
    frames: readonly Uint8Array[],
  ): Transferring | undefined {
    if (frames.length <= followMax) return undefined
    return {
      ...awaiting(snapshot),
      transfer: this.#transfer(viewer, snapshot, frames),
      led: snapshot.after?.length ?? 0,
      seq: snapshot.cohort.sent.seq,
    }
  }

  #make(cohort: Cohort, attempt: number): LargeSnapshot | undefined {
    const { at, shown: cohorts } = this.#showing
    const variant = this.#port.variantCode(cohorts.terms.variant)
    if (variant === undefined || !this.#large.isLarge) return undefined
    const [doc, views, bytes] = [this.#doc, this.#port.largeViews, this.#likelyBytes(cohort)]
    if (!views.admit(doc, bytes)) return undefined
    const { isDense } = cohorts.terms
    const isOld = !isDense && cohort.sent.seq < at.seq
    // Viewers of a view that fails have not been shown what they would be told that they have.
    const isApart = isOld && (cohort.pace !== undefined || cohort.failure !== undefined)
    // Nobody is taken back: what is made stands at the last record.
    if (isOld && !isApart) {
      advanceSilently({ cohorts, cohort, at, turn: this.#port.turn })
    }
    const place = isApart ? at : cohort.sent
    const snapshot = new LargeSnapshot({
      doc,
      cohort,
      place,
      shownSeq: at.seq,
      isDense,
      views,
      bytes,
    })
    cohorts.keepLarge(snapshot)
    // What such a cohort is sent next leads on from further back.
    if (isApart) snapshot.end()
    const isWanted = (): boolean => snapshot.waiting.size > 0
    this.#large.view({ variant, ...cohort.wish }, at.seq, isWanted, (view, isFailed) => {
      if (view !== undefined) this.#made(snapshot, view)
      else this.#fail(snapshot, isFailed, attempt)
    })
    return snapshot
  }

  /** What a view of the cohort is likely to hold: as much as the last one, or all of the document. */
  #likelyBytes({ snapshotBytes }: Cohort): number {
    return snapshotBytes ?? Math.ceil(this.#large.bytes * (1 + framesPart))
  }

  #made(snapshot: LargeSnapshot, view: MadeView): void {
    if (snapshot.isGone) return
    // Also of one for which there was no room: another is not asked for in vain.
    snapshot.cohort.snapshotBytes = snapshot.fill(view)
    const { frames } = snapshot
    for (const viewer of [...snapshot.waiting]) {
      if (frames === undefined) this.#port.turnedAway(viewer)
      else this.#port.seated(viewer, this.#send(viewer, snapshot, frames))
    }
  }

  /** The worker has failed: once more, from where the cohort stands now, then who waits is told. */
  #fail(failed: LargeSnapshot, isRuleFailed: boolean, attempt: number): void {
    const { cohort } = failed
    const viewers = [...failed.waiting]
    failed.forget()
    for (const viewer of viewers) failed.release(viewer)
    const isAgain = attempt < attemptsMax && !isRuleFailed && viewers.length > 0
    const snapshot = isAgain && this.#port.isShown() ? this.#make(cohort, attempt + 1) : undefined
    for (const viewer of viewers) {
      snapshot?.wait(viewer)
      if (snapshot === undefined) this.#port.failed(viewer, isRuleFailed)
      else this.#port.seated(viewer, awaiting(snapshot))
    }
  }

  #send(viewer: ViewerId, snapshot: LargeSnapshot, frames: readonly Uint8Array[]): Transferring {
    snapshot.send(viewer)
    return { ...awaiting(snapshot), transfer: this.#transfer(viewer, snapshot, frames) }
  }

  #transfer(
    viewer: ViewerId,
    { cohort }: LargeSnapshot,
    frames: readonly Uint8Array[],
  ): TransferId {
    const transfer = this.#port.nextTransfer()
    if (this.#showing.allowance !== undefined) {
      this.#showing.allowance.spendOne(frames.reduce((sum, frame) => sum + frame.length, 0))
    }
    const mayCompress = cohort.isUnmixed
    this.#port.turn.push({ kind: 'viewer-transfer', viewer, transfer, frames, mayCompress })
    return transfer
  }
}

/** A viewer waits for the view. */
const awaiting = (snapshot: LargeSnapshot): Transferring => {
  const { cohort, place } = snapshot
  return { kind: 'transfer', cohort, snapshot, transfer: undefined, led: 0, seq: place.seq }
}
