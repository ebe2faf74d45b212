import { sha256 } from '@fanfold/conformance'
import { Chain, type Snapshot } from '@fanfold/document'
import type { LinkEffect, LinkFrame, LogRecord } from '@fanfold/protocol'
import type { JoinRequest } from '../src/child-stream.ts'
import { Downstream, type Staleness } from '../src/downstream.ts'
import { PiecePacker } from '../src/piece-packer.ts'
import { RecordRing, type RingLimits } from '../src/record-ring.ts'
import {
  defaultTransferLimits,
  LinkAllowance,
  type TransferLimits,
  TurnAllowance,
} from '../src/transfer-allowance.ts'
import {
  after,
  at,
  doc,
  framesOf,
  headOf,
  link,
  recordsOf,
  ringLimits,
  snapshotAt,
} from './build-stream.ts'
import { ToyCodec } from './toy-codec.ts'

const { workBytesPerTurnMax } = defaultTransferLimits
/** A turn's work is all that bounds a link. */
const unbounded: TransferLimits = {
  workBytesPerTurnMax,
  bytesOnLinkMax: workBytesPerTurnMax,
  bytesUnderWayFirst: Number.POSITIVE_INFINITY,
  bytesUnderWayMax: Number.POSITIVE_INFINITY,
}

export const log = recordsOf(41)
export const child = link(1)
export const bytesEach = log[1]?.bytes.length ?? 0

/** A parent whose ring holds records, and whose snapshots the test makes. */
export class Rig {
  readonly ring: RecordRing
  readonly downstream: Downstream
  snapshotBytes = 0
  /** Highest tag of what the parent holds. */
  ceiling = 255
  /** Snapshots made so far. */
  made = 0
  hasSnapshot = true
  last: Snapshot | undefined
  staleness: Staleness = { stale: false, ageMs: 0 }
  readonly codec = new ToyCodec()
  readonly turn = new TurnAllowance(workBytesPerTurnMax)
  readonly #effects: LinkEffect[] = []

  constructor(count: number, options: Partial<RingLimits> = {}, list = log) {
    this.ring = new RecordRing(ringLimits(options))
    for (const record of list.slice(0, count)) this.ring.push(record, at(0))
    const take = (): Snapshot | undefined => this.#make()
    const last = (): Snapshot | undefined => this.last
    this.downstream = new Downstream({
      doc,
      channel: 7,
      ring: this.ring,
      chain: new Chain(sha256),
      ceiling: () => this.ceiling,
      packer: new PiecePacker(this.codec),
      staleness: () => this.staleness,
      source: {
        snapshot: take,
        get lastSnapshot() {
          return last()
        },
      },
    })
  }

  #make(): Snapshot | undefined {
    if (!this.hasSnapshot) return undefined
    if (this.last?.manifest.at.seq !== this.ring.lastSeq) {
      this.made++
      this.last = snapshotAt(headOf(this.ring), this.snapshotBytes)
    }
    return this.last
  }

  push(...records: readonly (LogRecord | undefined)[]): void {
    for (const record of records) if (record !== undefined) this.ring.push(record, at(0))
  }

  join(request: Partial<JoinRequest> = {}): string {
    const all: JoinRequest = {
      link: child,
      ceiling: 239,
      have: undefined,
      credit: 1_000_000,
      take: 'any',
      isMovable: false,
      codecs: 0,
      isCongested: false,
      allowance: new LinkAllowance(this.turn, unbounded),
      ...request,
    }
    return this.downstream.join(all, headOf(this.ring), this.#effects)
  }

  /** One turn. */
  flush(): boolean {
    this.turn.refill()
    return this.downstream.flush(this.#effects)
  }

  /** What was sent since the last time, as effects. */
  effects(): LinkEffect[] {
    return this.#effects.splice(0)
  }

  /** What was sent to a child since the last time. */
  sent(to = child): LinkFrame[] {
    return framesOf(this.effects(), to)
  }

  resend(...indexes: number[]): void {
    this.downstream.resend(child, indexes, this.#effects)
  }

  restart(): void {
    this.downstream.restart(headOf(this.ring), this.#effects)
  }

  end(): void {
    this.downstream.end('FANFOLD_DELETED', 'gone', this.#effects)
  }

  /** The node is stale, or no longer is, and tells its children. */
  tellStaleness(staleness: Staleness): void {
    this.staleness = staleness
    this.downstream.tellStaleness(this.#effects)
  }

  signalHead(): void {
    this.downstream.signalHead(this.#effects)
  }
}

export const kindsOf = (frames: readonly LinkFrame[]): string[] => frames.map(({ kind }) => kind)

/** A rig with a child that has got everything. */
export const settled = (count = 10, options: Partial<RingLimits> = {}): Rig => {
  const rig = new Rig(count, options)
  rig.join({ have: after(log[count - 1]) })
  rig.flush()
  rig.effects()
  return rig
}
