import { Replica } from '@fanfold/document'
import type { EffectSink, Instant, Prng, Sha256 } from '@fanfold/kernel'
import { type DocumentKey, type LinkEffect, type LinkFrame, zeroPosition } from '@fanfold/protocol'
import type { PiecePacker } from './piece-packer.ts'
import { RecordRing, type RingLimits } from './record-ring.ts'
import { Upstream } from './upstream.ts'
import type { UpstreamEvent } from './upstream-event.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** Bounds of a document that is followed. */
export type FollowerLimits = {
  readonly ring: RingLimits
  readonly upstream: UpstreamLimits
  /** Records that wait to be applied; beyond it, each turn applies some. */
  readonly pendingBytesMax: number
}

/** Records applied in one turn when too much waits. */
const settleRecordsPerTurn = 256

/**
 * One document as a node below the authority has it: the stream from the parent, the replica that it
 * keeps, and the ring that children and viewers are served from.
 */
export class Follower {
  readonly upstream: Upstream
  readonly replica: Replica
  readonly ring: RecordRing
  readonly #pendingBytesMax: number

  constructor(options: {
    readonly doc: DocumentKey
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: FollowerLimits
    /** Unpacks pieces, and remembers how they came; one for a whole node. */
    readonly packer: PiecePacker
    /** Whether to do without snapshots; not when not said. */
    readonly isSnapshotDisabled?: boolean | undefined
  }) {
    const { sha256, limits } = options
    this.upstream = new Upstream({ ...options, limits: limits.upstream })
    this.replica = new Replica(sha256)
    this.ring = new RecordRing(limits.ring)
    this.#pendingBytesMax = limits.pendingBytesMax
  }

  /** True once there is something to serve, however old. */
  get hasState(): boolean {
    return this.replica.position.seq > 0
  }

  /** Takes a frame from the parent; the replica and the ring are up to date when it returns. */
  receive(frame: LinkFrame, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    return this.#keep(this.upstream.receive(frame, now, effects), now)
  }

  /** Does what is due at the stream. */
  tick(now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    return this.#keep(this.upstream.tick(now, effects), now)
  }

  /** True when more waits to be applied than may: `settle` in the next turn, off the forwarding path. */
  get mustSettle(): boolean {
    return !this.replica.isBroken && this.replica.pendingBytes > this.#pendingBytesMax
  }

  /** Applies some of what waits. A replica that turns out broken is fetched again. */
  settle(now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    this.replica.settle(settleRecordsPerTurn)
    return this.replica.isBroken ? this.upstream.restart('broken', now, effects) : []
  }

  #keep(events: UpstreamEvent[], now: Instant): UpstreamEvent[] {
    for (const event of events) {
      if (event.kind === 'records') {
        for (const record of event.records) {
          this.replica.append(record)
          this.ring.push(record, now)
        }
      } else if (event.kind === 'reset') {
        this.replica.reset(event.snapshot)
        this.ring.reset(event.snapshot.manifest.at)
      } else if (event.kind === 'ceiling') {
        this.replica.clear()
        this.ring.reset(zeroPosition)
      }
    }
    return events
  }
}
