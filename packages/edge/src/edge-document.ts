/*
 * One document at an edge: what it is, and the viewers that see it.
 *
 * All viewers of a document are one cohort. A frame is encoded once and handed to the rim as one
 * effect; who is in the cohort the rim knows. A viewer enters after it was brought up to date: by the
 * deltas it lacks when the ring holds them, by a snapshot otherwise.
 */
import {
  type EffectSink,
  encodeUtf8,
  equalBytes,
  type Instant,
  milliseconds,
} from '@fanfold/kernel'
import {
  type CohortId,
  type DocumentKey,
  decodeResumePoint,
  encodeDeltaFrame,
  encodeResumePoint,
  encodeSnapshotFrame,
  encodeViewerFrame,
  type LogRecord,
  type Position,
  partTags,
  type ViewerFrame,
  type ViewerId,
} from '@fanfold/protocol'
import { type Follower, isAhead } from '@fanfold/replication'
import type { EdgeEffect } from './edge-effect.ts'

/** A position goes out with a delta at least this often. */
const positionEveryMs = 1_000
const emptyPatch = encodeUtf8('[]')

/** A view as a frame, kept to be sent to many. */
type SnapshotFrame = { readonly at: Position; readonly frame: Uint8Array }

/** One document at an edge. */
export class EdgeDocument {
  readonly doc: DocumentKey
  readonly cohort: CohortId
  readonly follower: Follower
  /** Viewers that wait for the first state, or for one that is as late as what they resume from. */
  readonly #waiting = new Map<ViewerId, string | undefined>()
  /** What those who wait are told; undefined while the parent has not refused. */
  #refusal: Uint8Array | undefined
  readonly #viewers = new Set<ViewerId>()
  #snapshot: SnapshotFrame | undefined
  #positionSentAt: Instant | undefined

  constructor(doc: DocumentKey, cohort: CohortId, follower: Follower) {
    this.doc = doc
    this.cohort = cohort
    this.follower = follower
  }

  /** Viewers that observe the document or wait for it. */
  get viewerCount(): number {
    return this.#viewers.size + this.#waiting.size
  }

  /** Viewers in the cohort, lagging ones included. */
  get cohortSize(): number {
    return this.#viewers.size
  }

  /** True for a viewer that observes the document or waits for it. */
  has(viewer: ViewerId): boolean {
    return this.#viewers.has(viewer) || this.#waiting.has(viewer)
  }

  /** A viewer wants the document, from `from` when it holds some of it. */
  observe(viewer: ViewerId, from: string | undefined, effects: EffectSink<EdgeEffect>): void {
    this.remove(viewer, effects)
    if (!this.#canServe(from)) {
      this.#waiting.set(viewer, from)
      if (this.#refusal !== undefined) {
        effects.push({ kind: 'viewer-send', viewer, frame: this.#refusal })
      }
      return
    }
    this.#viewers.add(viewer)
    this.#bringUpToDate(viewer, from, effects)
    effects.push({ kind: 'cohort-enter', cohort: this.cohort, viewer })
  }

  /** The viewer's socket has drained: it gets what it missed and is live again. */
  catchUp(viewer: ViewerId, effects: EffectSink<EdgeEffect>): void {
    if (!this.#viewers.has(viewer)) return
    // Only a snapshot of now is surely not older than what the viewer took before it lagged.
    if (this.#snapshot?.at.seq !== this.follower.replica.position.seq) this.#snapshot = undefined
    this.#bringUpToDate(viewer, undefined, effects)
    effects.push({ kind: 'cohort-enter', cohort: this.cohort, viewer })
    effects.push({ kind: 'fact', fact: { event: 'viewer-caught-up', doc: this.doc } })
  }

  /** The viewer does not observe any more. */
  remove(viewer: ViewerId, effects: EffectSink<EdgeEffect>): void {
    this.#waiting.delete(viewer)
    if (this.#viewers.delete(viewer)) {
      effects.push({ kind: 'cohort-exit', cohort: this.cohort, viewer })
    }
  }

  /** There is a state to serve: viewers that waited get it. */
  serveWaiting(effects: EffectSink<EdgeEffect>): void {
    this.#refusal = undefined
    for (const [viewer, from] of [...this.#waiting]) this.observe(viewer, from, effects)
  }

  /** Records came in: each becomes one frame for everybody. */
  deliver(records: readonly LogRecord[], now: Instant, effects: EffectSink<EdgeEffect>): void {
    if (this.#viewers.size > 0) this.#sendAll(records, now, effects)
    // What they wait for may have come.
    for (const [viewer, from] of this.#waiting) {
      if (this.#canServe(from)) this.observe(viewer, from, effects)
    }
  }

  #sendAll(records: readonly LogRecord[], now: Instant, effects: EffectSink<EdgeEffect>): void {
    for (const [index, record] of records.entries()) {
      const isLast = index === records.length - 1
      const position = isLast && this.#isPositionDue(now) ? resumePointOf(record) : undefined
      const frame = this.#deltaFrame(record, position)
      effects.push({ kind: 'cohort-send', cohort: this.cohort, frame })
    }
    effects.push({
      kind: 'fact',
      fact: {
        event: 'deltas-delivered',
        deltas: records.length,
        viewers: this.#viewers.size,
        committedAtMs: records[0]?.timeMs ?? 0,
      },
    })
  }

  /** What is held was replaced: everybody gets a snapshot. */
  reset(effects: EffectSink<EdgeEffect>): void {
    this.#snapshot = undefined
    const snapshot = this.#viewers.size === 0 ? undefined : this.#snapshotFrame()
    if (snapshot === undefined) return
    effects.push({ kind: 'cohort-send', cohort: this.cohort, frame: snapshot.frame })
  }

  /** Everybody is told the same small thing. */
  tell(frame: SmallFrame, effects: EffectSink<EdgeEffect>): void {
    if (this.#viewers.size === 0) return
    effects.push({ kind: 'cohort-send', cohort: this.cohort, frame: encodeViewerFrame(frame) })
  }

  /** The parent refuses for now: those who wait are told once, and go on waiting. */
  refuseForNow(frame: SmallFrame, effects: EffectSink<EdgeEffect>): void {
    const isFirst = this.#refusal === undefined
    this.#refusal = encodeViewerFrame(frame)
    if (!isFirst) return
    for (const viewer of this.#waiting.keys()) {
      effects.push({ kind: 'viewer-send', viewer, frame: this.#refusal })
    }
  }

  /** Those who wait for the first state are told the same small thing, and wait no more. */
  dismissWaiting(frame: SmallFrame, effects: EffectSink<EdgeEffect>): void {
    const bytes = encodeViewerFrame(frame)
    for (const viewer of this.#waiting.keys()) {
      effects.push({ kind: 'viewer-send', viewer, frame: bytes })
    }
    this.#waiting.clear()
  }

  /** Everybody is told the same small thing, and then observes no more. */
  dismiss(frame: SmallFrame, effects: EffectSink<EdgeEffect>): void {
    const bytes = encodeViewerFrame(frame)
    for (const viewer of [...this.#waiting.keys(), ...this.#viewers]) {
      effects.push({ kind: 'viewer-send', viewer, frame: bytes })
      this.remove(viewer, effects)
    }
  }

  /**
   * Sends the viewer what takes it from `from`, or from nothing, to now: the tail while the ring
   * holds it; else the newest snapshot that was made, with the deltas after it when those are fewer
   * bytes than another snapshot would be.
   */
  #bringUpToDate(
    viewer: ViewerId,
    from: string | undefined,
    effects: EffectSink<EdgeEffect>,
  ): void {
    let seq = from === undefined ? undefined : this.#resumableSeq(from)
    if (seq === undefined) {
      const snapshot = this.#snapshotFrame()
      // A broken replica: the follower fetches it again, and the reset serves the viewer.
      if (snapshot === undefined) return
      effects.push({ kind: 'viewer-send', viewer, frame: snapshot.frame })
      seq = snapshot.at.seq
    }
    const { ring } = this.follower
    for (let next = seq + 1; next <= ring.lastSeq; next++) {
      const record = ring.get(next)
      if (record === undefined) return
      const position = next === ring.lastSeq ? resumePointOf(record) : undefined
      effects.push({ kind: 'viewer-send', viewer, frame: this.#deltaFrame(record, position) })
    }
  }

  /**
   * False while there is nothing to serve, or nothing that is as late as what the viewer has: no
   * viewer is taken back, so one that comes from an edge further on waits until this one is there.
   */
  #canServe(from: string | undefined): boolean {
    const { hasState, replica } = this.follower
    if (!hasState || replica.isDeleted) return false
    const point = from === undefined ? undefined : decodeResumePoint(from)
    return point === undefined || !isAhead(point, replica.position)
  }

  /** The seq that a viewer's position stands for, when the ring can serve everything after it. */
  #resumableSeq(from: string): number | undefined {
    const point = decodeResumePoint(from)
    if (point === undefined) return undefined
    const hash = this.follower.ring.hashAt(point.seq)
    const isOurs = hash !== undefined && equalBytes(hash.subarray(0, 16), point.hashPrefix)
    return isOurs ? point.seq : undefined
  }

  #snapshotFrame(): SnapshotFrame | undefined {
    const { replica, ring } = this.follower
    const last = this.#snapshot
    if (last !== undefined) {
      const hash = ring.hashAt(last.at.seq)
      const isInRing = hash !== undefined && equalBytes(hash, last.at.hash)
      if (isInRing && ring.bytesAfter(last.at.seq) < last.frame.length) return last
    }
    const state = replica.state()
    if (state === undefined) return undefined
    const at = replica.position
    const frame = encodeSnapshotFrame({
      doc: this.doc,
      epoch: at.epoch,
      seq: at.seq,
      position: encodeResumePoint(at),
      viewJson: JSON.stringify(state),
    })
    this.#snapshot = { at, frame }
    return this.#snapshot
  }

  #deltaFrame(record: LogRecord, position: string | undefined): Uint8Array {
    return encodeDeltaFrame({
      doc: this.doc,
      epoch: record.epoch,
      from: record.seq - 1,
      seq: record.seq,
      timeMs: record.timeMs,
      position,
      // A record that changes no state still moves the seq on.
      patch: record.kind === 'delta' ? (record.payload(partTags.public) ?? emptyPatch) : emptyPatch,
    })
  }

  #isPositionDue(now: Instant): boolean {
    const before = this.#positionSentAt
    if (before !== undefined && now - before < milliseconds(positionEveryMs)) return false
    this.#positionSentAt = now
    return true
  }
}

/** Frames that are the same for everybody and need no payload. */
export type SmallFrame = Exclude<ViewerFrame, { type: 'snapshot' } | { type: 'delta' }>

const resumePointOf = (record: LogRecord): string =>
  encodeResumePoint({ epoch: record.epoch, seq: record.seq, hash: record.chainHash })
