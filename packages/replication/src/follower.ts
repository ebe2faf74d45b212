/*
 * One document as a node below the authority has it: the stream from the parent, the replica that it
 * keeps, and the ring that children and viewers are served from.
 *
 * A large document is never read in nor written out in one turn. Where its state is needed (an edge), a
 * snapshot is read in slices beside what is shown, which it then takes the place of. Where it is not (a
 * proxy), the replica is a snapshot and the records since, and newer snapshots are made by a worker.
 *
 * What waits to be applied is bounded: beyond twice the bound the parent gets no more credit.
 *
 * Where the state is needed, what is large is shown with a snapshot and the records after it: whoever
 * writes views out goes on from those. What came as a log is written out in slices before it is shown.
 *
 * A parent may send a snapshot from before what it has. Of a document that nobody was shown here yet it
 * is held back for a moment, while the records come that follow it: else who asks for a document first
 * is shown what everybody else has seen change, and each tier below takes it for the newest.
 */
import {
  Replica,
  type ReplicaWorkerInput,
  type Snapshot,
  type WarmDocument,
} from '@fanfold/document'
import {
  after,
  between,
  type EffectSink,
  earliest,
  type Instant,
  milliseconds,
  type Prng,
} from '@fanfold/kernel'
import { type DocumentKey, type LinkFrame, type LogRecord, zeroPosition } from '@fanfold/protocol'
import { type FollowerNode, largeStateBytesDefault } from './follower-node.ts'
import { isAhead } from './is-ahead.ts'
import type { FollowingEffect } from './parent-effect.ts'
import { RecordRing } from './record-ring.ts'
import { recordsAfter } from './records-after.ts'
import { snapshotBytes } from './snapshot-assembly.ts'
import { StagedDocument } from './staged-document.ts'
import { Upstream } from './upstream.ts'
import type { UpstreamEvent } from './upstream-event.ts'
import type { VerifiedDocument } from './warm-check.ts'
import { WorkerSnapshots } from './worker-snapshots.ts'

/** What a document that is followed tells. */
export type FollowerEvent =
  | Exclude<UpstreamEvent, { readonly kind: 'reset' | 'replay-began' | 'replayed' }>
  /** The replica and the ring hold something else. */
  | { readonly kind: 'reset' }
  /** A snapshot that was asked for in vain is there. */
  | { readonly kind: 'snapshot-ready' }

/** Applied in one turn when too much waits, or written out: some milliseconds' worth. */
const settlePerTurn = { records: 1_024, bytes: 262_144 } as const
/** More records that wait are too many for the turn in which somebody asks for the state. */
const pendingRecordsMax = 4_096
/** Read in one turn of a large snapshot. */
const readBytesPerTurn = 524_288
/** How long the first snapshot of a document waits for the records that the parent had beyond it. */
const firstShownWithin = milliseconds(500)

/** A document that is followed. */
export class Follower {
  readonly upstream: Upstream
  readonly replica: Replica
  readonly ring: RecordRing
  readonly #doc: DocumentKey
  readonly #node: FollowerNode
  readonly #largeBytes: number
  readonly #worker: WorkerSnapshots
  #staged: StagedDocument | undefined
  /** True while the staged snapshot is read in. */
  #isReading = false
  /** True while what is staged is written out. */
  #isWriting = false
  /** Bytes since the last snapshot when the state was written out in vain: there was none. */
  #weighedAt = 0
  #isCreditHeld = false
  /** What is told when the staged document is shown. */
  #deferred: { readonly event: FollowerEvent; readonly at: Instant }[] = []

  constructor(options: {
    readonly doc: DocumentKey
    readonly prng: Prng
    readonly node: FollowerNode
  }) {
    const { doc, prng, node } = options
    const { sha256, packer } = node.upstream
    this.#doc = doc
    this.#node = node
    this.#largeBytes = node.limits.largeStateBytes ?? largeStateBytesDefault
    this.upstream = new Upstream({ doc, prng, node: node.upstream })
    this.replica = new Replica(sha256)
    this.ring = new RecordRing(node.limits.ring)
    this.#worker = new WorkerSnapshots({ doc, packer, names: node.workerNames })
  }

  /** True once there is something to serve, however old. */
  get hasState(): boolean {
    return this.replica.position.seq > 0
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    const due = earliest(this.upstream.wakeAt, this.#worker.wakeAt)
    return earliest(due, this.#staged?.heldUntil)
  }

  /** Takes a frame from the parent; the replica and the ring are up to date when it returns. */
  receive(frame: LinkFrame, now: Instant, effects: EffectSink<FollowingEffect>): FollowerEvent[] {
    return this.#keep(this.upstream.receive(frame, now, effects), now, effects)
  }

  /** Does what is due at the stream. */
  tick(now: Instant, effects: EffectSink<FollowingEffect>): FollowerEvent[] {
    this.#worker.tick(now, effects)
    const told = this.#keep(this.upstream.tick(now, effects), now, effects)
    return [...told, ...this.#showStaged(now)]
  }

  /** What is held is of no use: everything is fetched again, if it is not yet. */
  restart(
    now: Instant,
    effects: EffectSink<FollowingEffect>,
    reason: 'broken' | 'diverged' = 'broken',
  ): FollowerEvent[] {
    return this.#keep(this.upstream.restart(reason, now, effects), now, effects)
  }

  /** Takes an answer of the worker. */
  receiveWorker(
    input: ReplicaWorkerInput,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): FollowerEvent[] {
    switch (this.#worker.receive(input, this.#latest, now)) {
      case 'ready':
        this.#holdCredit(now, effects)
        return this.#staged === undefined ? [{ kind: 'snapshot-ready' }] : []
      case 'again':
        this.#node.due(this.#doc)
        return []
      case 'broken':
        return this.restart(now, effects)
      case 'nothing':
        return []
    }
  }

  /** Nobody below wants the document any more. */
  leave(effects: EffectSink<FollowingEffect>): void {
    this.upstream.leave(effects)
    this.#worker.close(effects)
  }

  /** The newest snapshot at hand, however old. */
  get lastSnapshot(): Snapshot | undefined {
    return this.replica.lastSnapshot
  }

  /** One at the current position; of a large document perhaps none yet: `snapshot-ready` is told then. */
  snapshot(): Snapshot | undefined {
    const last = this.replica.lastSnapshot
    if (last !== undefined && last.manifest.at.seq === this.replica.position.seq) return last
    if (!this.#isWorkers(this.replica)) return this.replica.snapshot()
    this.#worker.want()
    this.#node.due(this.#doc)
    return undefined
  }

  /** True when there is something to do that is kept off the forwarding path: `settle` in a turn of its own. */
  get mustSettle(): boolean {
    const latest = this.#latest
    if (this.#isReading || this.#isWriting) return true
    if (this.#worker.isStepDue && this.#isWorkers(latest)) return true
    // Who is told of records may apply them at once: nothing waits, and nobody would say so.
    if (this.#isCreditHeld && !this.#isFull) return true
    if (latest.isBroken) return false
    if (this.#isGrown(latest)) return true
    const isMuch = latest.pendingBytes > this.#pendingBytesMax
    if (this.#isWorkers(latest)) return isMuch && !this.#worker.isBusy
    // A proxy reads no record but for a snapshot, or when so much waits that it must.
    return isMuch || (this.#node.isStateNeeded && latest.pendingCount > pendingRecordsMax)
  }

  /** Does some of what is to do. A replica that turns out broken is fetched again. */
  settle(now: Instant, effects: EffectSink<FollowingEffect>): FollowerEvent[] {
    const latest = this.#latest
    const wasReading = this.#isReading
    if (wasReading) {
      this.#isReading = !latest.readIn(readBytesPerTurn)
    } else if (this.#isWriting) {
      this.#isWriting = this.#staged?.writeOut(settlePerTurn) === false
    } else if (this.#isWorkers(latest)) {
      if (latest.pendingBytes > this.#pendingBytesMax) this.#worker.want()
      this.#worker.step(latest, effects)
    } else {
      latest.settle(settlePerTurn.records, settlePerTurn.bytes)
      this.#weigh(latest)
    }
    this.#holdCredit(now, effects)
    if (latest.isBroken) return this.#broken(wasReading ? 'snapshot' : 'broken', now, effects)
    return this.#showStaged(now)
  }

  /** Before it is attached: begins with what was kept; then the stream resumes from there. */
  warm({ staged, ceiling }: VerifiedDocument, now: Instant): void {
    const bytes = bytesOf(staged.replica.lastSnapshot)
    if (this.#node.isStateNeeded && bytes > this.#largeBytes) {
      this.#stage(staged)
      this.#isReading = true
      this.#node.due(this.#doc)
    } else {
      staged.moveTo(this.replica, this.ring, now)
    }
    this.upstream.resumeFrom(this.#latest.position, ceiling)
  }

  /** What is worth being kept over a restart: a snapshot and the records after it; undefined for nothing. */
  keepable(): WarmDocument | undefined {
    if (!this.hasState || this.replica.isBroken) return undefined
    const { ceiling } = this.upstream
    const { lastSnapshot: last } = this.replica
    const records = last && recordsAfter(this.replica, this.ring, last.manifest.at.seq)
    if (records !== undefined && last !== undefined) return { snapshot: last, records, ceiling }
    if (this.#isWorkers(this.replica)) return undefined
    const snapshot = this.replica.snapshot()
    return snapshot && { snapshot, records: [], ceiling }
  }

  /** What the next records go to. */
  get #latest(): Replica {
    return this.#staged?.replica ?? this.replica
  }

  /** What waits of a large document is as much as the snapshot that makes it needless, or more. */
  get #pendingBytesMax(): number {
    const { pendingBytesMax } = this.#node.limits
    const latest = this.#latest
    return this.#isWorkers(latest)
      ? Math.max(pendingBytesMax, bytesOf(latest.lastSnapshot))
      : pendingBytesMax
  }

  /** True for a replica whose snapshots are made by the worker. */
  #isWorkers(replica: Replica): boolean {
    return !this.#node.isStateNeeded && bytesOf(replica.lastSnapshot) > this.#largeBytes
  }

  #keep(
    events: readonly UpstreamEvent[],
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): FollowerEvent[] {
    if (events.length === 0) return []
    const told: FollowerEvent[] = []
    for (const event of events) told.push(...this.#keepOne(event, now, effects))
    this.#holdCredit(now, effects)
    return told
  }

  #keepOne(
    event: UpstreamEvent,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): FollowerEvent[] {
    switch (event.kind) {
      case 'records': {
        const isShown = this.#staged === undefined
        for (const record of event.records) this.#append(record, now)
        return isShown ? [event] : this.#showStaged(now)
      }
      case 'reset':
        this.#worker.close(effects)
        return this.#take(event.snapshot, event.isApart, now)
          ? [{ kind: 'reset' }]
          : this.#showStaged(now)
      case 'replay-began':
        this.#worker.close(effects)
        this.#stage(StagedDocument.ofLog(this.#node.upstream.sha256, this.#node.limits.ring))
        return []
      case 'replayed':
        if (this.#staged !== undefined) this.#staged.isWhole = true
        return this.#showStaged(now)
      case 'ceiling':
        this.#worker.close(effects)
        this.#stage(undefined)
        this.replica.clear()
        this.ring.reset(zeroPosition)
        return [event]
      case 'joined':
      case 'caught-up':
        if (this.#staged === undefined) return [event]
        if (event.kind === 'joined') this.#deferred = []
        this.#deferred.push({ event, at: now })
        return this.#showStaged(now)
      case 'resync':
        this.#deferred = []
        return [event]
      default:
        return [event]
    }
  }

  #append(record: LogRecord, now: Instant): void {
    if (this.#staged !== undefined) {
      this.#staged.append(record, now)
      return
    }
    this.replica.append(record)
    this.ring.push(record, now)
  }

  /** Takes a snapshot; false when it is staged first. */
  #take(snapshot: Snapshot, isApart: boolean, now: Instant): boolean {
    const { at } = snapshot.manifest
    const isRead = this.#node.isStateNeeded && bytesOf(snapshot) > this.#largeBytes
    const isHeld = !this.hasState && this.upstream.isCatchingUp
    if (isRead || isApart || isHeld || isAhead(this.replica.position, at)) {
      const { sha256 } = this.#node.upstream
      const limits = this.#node.limits.ring
      const heldUntil = isHeld ? after(now, firstShownWithin) : undefined
      this.#stage(StagedDocument.ofSnapshot(snapshot, { sha256, limits, isApart, heldUntil }))
      this.#isReading = isRead
      return false
    }
    this.#stage(undefined)
    this.replica.reset(snapshot)
    this.ring.reset(at)
    return true
  }

  #stage(staged: StagedDocument | undefined): void {
    this.#staged = staged
    this.#isReading = false
    this.#isWriting = false
    this.#deferred = []
  }

  /** What is staged takes the place of what is shown when it can. */
  #showStaged(now: Instant): FollowerEvent[] {
    const staged = this.#staged
    if (staged === undefined || staged.isHeldBack(this.upstream.isCatchingUp, now)) return []
    if (this.#isReading || this.#isWriting) return []
    if (!staged.isNoOlderThan(this.replica)) return []
    if (this.#node.isStateNeeded && staged.lacksSnapshot(this.#largeBytes)) {
      this.#isWriting = true
      this.#node.due(this.#doc)
      return []
    }
    const deferred = this.#deferred
    this.#stage(undefined)
    staged.moveTo(this.replica, this.ring, now)
    return [{ kind: 'reset' }, ...deferred.map(({ event, at }) => delayed(event, at, now))]
  }

  /** True for a state that may have grown large since it was written out last. */
  #isGrown(replica: Replica): boolean {
    const bytes = replica.bytesSinceSnapshot
    if (bytes < this.#weighedAt) this.#weighedAt = 0
    const isDue = bytes - this.#weighedAt > this.#largeBytes / 2
    return isDue && !this.#node.isStateNeeded && !this.#isWorkers(replica)
  }

  /** Writes a state out that may have grown, while a turn is enough for it: a large one is the worker's. */
  #weigh(replica: Replica): void {
    if (!this.#isGrown(replica) || replica.pendingBytes > settlePerTurn.bytes) return
    const isLarge = bytesOf(replica.snapshot()) > this.#largeBytes
    this.#weighedAt = replica.bytesSinceSnapshot
    if (isLarge) replica.fold()
  }

  #broken(
    reason: 'snapshot' | 'broken',
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): FollowerEvent[] {
    this.#stage(undefined)
    return this.#keep(this.upstream.restart(reason, now, effects), now, effects)
  }

  /** True while nothing more is to come. */
  get #isFull(): boolean {
    return this.#isReading || this.#latest.pendingBytes > 2 * this.#pendingBytesMax
  }

  #holdCredit(now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#isCreditHeld = this.#isFull
    this.upstream.holdCredit(this.#isCreditHeld, now, effects)
  }
}

/** The event as it is told later: catching up has taken longer. */
function delayed(event: FollowerEvent, at: Instant, now: Instant): FollowerEvent {
  if (event.kind !== 'caught-up') return event
  return { ...event, tookMs: event.tookMs + between(at, now) / 1_000 }
}

const bytesOf = (snapshot: Snapshot | undefined): number =>
  snapshot === undefined ? 0 : snapshotBytes(snapshot.manifest)
