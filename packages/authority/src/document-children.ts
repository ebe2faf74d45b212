import { encodeSnapshot, hashState, type Snapshot } from '@fanfold/document'
import type { Instant } from '@fanfold/kernel'
import { type DocumentKey, type ErrorCode, type LogRecord, partTags } from '@fanfold/protocol'
import {
  Downstream,
  type JoinRequest,
  noHash,
  RecentRecords,
  RecordRing,
  type StateHash,
} from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import type { CommittedDocument } from './committed-document.ts'
import type { DocumentSnapshots } from './document-snapshots.ts'
import type { LogTail } from './log-tail.ts'

/** The children of one document at its authority, and what they are served from. */
export class DocumentChildren {
  readonly #doc: DocumentKey
  readonly #channel: number
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  readonly #snapshots: DocumentSnapshots
  readonly #isStateDurable: () => boolean
  // A document at rest without children has neither: most documents are, most of the time.
  #ring: RecordRing | undefined
  #downstream: Downstream | undefined
  #recent: RecentRecords | undefined
  /** Made at the durable position; undefined until one was needed. */
  #snapshot: Snapshot | undefined
  /** What children were told of the state last. */
  #lastHash: StateHash | undefined

  /** @param isStateDurable true between batches, when the state is the log's: then snapshots are made */
  constructor(options: {
    readonly doc: DocumentKey
    readonly channel: number
    readonly context: AuthorityContext
    readonly committed: CommittedDocument
    readonly snapshots: DocumentSnapshots
    readonly isStateDurable: () => boolean
  }) {
    this.#doc = options.doc
    this.#channel = options.channel
    this.#context = options.context
    this.#committed = options.committed
    this.#snapshots = options.snapshots
    this.#isStateDurable = options.isStateDurable
  }

  /** What sends them their streams. */
  get downstream(): Downstream {
    this.#downstream ??= new Downstream({
      doc: this.#doc,
      channel: this.#channel,
      ring: this.#recentRecords(),
      chain: this.#context.chain,
      source: this.#snapshotSource(),
      ceiling: () => partTags.authority,
      packer: this.#context.packer,
      staleness: () => this.#context.staleness(),
      placeFor: () => this.#context.place,
    })
    return this.#downstream
  }

  /** True when there are any. */
  get areAny(): boolean {
    return this.#downstream !== undefined && this.#downstream.count > 0
  }

  /** The log has been read to its end, and these were the last of it. */
  opened(tail: LogTail | undefined): void {
    if (tail === undefined) this.#ring?.reset(this.#committed.position)
    else tail.fill(this.#recentRecords(), this.#context.now())
  }

  /** These records are durable, and about to be committed; the next `flush` sends them. */
  publish(records: readonly LogRecord[], now: Instant): void {
    const ring = this.#recentRecords()
    for (const record of records) ring.push(record, now)
    this.#recent ??= new RecentRecords()
    this.#recent.took(records, now)
  }

  /** How much was committed lately. */
  recentAt(now: Instant): ReturnType<RecentRecords['at']> | undefined {
    return this.#recent?.at(now)
  }

  /** Answers a child from what the log has. */
  join(request: JoinRequest, effects: AuthorityEffect[]): void {
    const answer = this.downstream.join(request, this.#committed.position, effects)
    effects.push({ kind: 'fact', fact: { event: 'join-answered', doc: this.#doc, answer } })
  }

  /** Sends what they can take; true when there is more for the next turn. */
  flush(effects: AuthorityEffect[]): boolean {
    const downstream = this.#downstream
    if (downstream === undefined) return false
    const isMore = downstream.flush(effects)
    if (downstream.isHashDue && this.#isStateDurable()) downstream.tellHash(this.#hash(), effects)
    const [doc, bytes] = [this.#doc, downstream.takeSnapshotBytesSent()]
    if (bytes > 0) effects.push({ kind: 'fact', fact: { event: 'snapshot-sent', doc, bytes } })
    return isMore
  }

  /** Lets go of what has become old, and of what is kept for nobody; true while there are children. */
  lookAfter(now: Instant): boolean {
    this.#ring?.dropOld(now)
    this.#downstream?.letGo()
    return this.areAny
  }

  /** Frees what can be had again. */
  rest(): void {
    this.#ring?.reset(this.#committed.position)
    this.#snapshot = undefined
    this.#lastHash = undefined
    if (this.areAny) return
    this.#downstream = undefined
    this.#ring = undefined
  }

  /** The document is not served any more. */
  end(code: ErrorCode, message: string, effects: AuthorityEffect[]): void {
    this.#snapshot = undefined
    this.#downstream?.end(code, message, effects)
  }

  /** The hashes of the state, which is the log's. */
  #hash(): StateHash {
    const { position: at, state, stateBytes, definition } = this.#committed
    if (this.#lastHash?.at.seq === at.seq) return this.#lastHash
    const { sha256, limits } = this.#context
    const isSmall = state !== undefined && stateBytes <= limits.stateHashBytesMax
    if (!isSmall || !this.#context.mayHash()) return noHash
    const hashes = hashState({ state, definition, sha256 }) ?? []
    this.#lastHash = { at, ceiling: partTags.authority, hashes }
    return this.#lastHash
  }

  /** The ring, which goes on from the last durable record. */
  #recentRecords(): RecordRing {
    this.#ring ??= new RecordRing(this.#context.limits.ring, this.#committed.position)
    return this.#ring
  }

  #snapshotSource(): {
    snapshot(): Snapshot | undefined
    readonly lastSnapshot: Snapshot | undefined
  } {
    const last = (): Snapshot | undefined => this.#snapshots.ofLarge?.snapshot ?? this.#snapshot
    return {
      snapshot: () => this.#makeSnapshot(),
      get lastSnapshot() {
        return last()
      },
    }
  }

  #makeSnapshot(): Snapshot | undefined {
    const shadow = this.#snapshots.ofLarge
    if (shadow !== undefined) {
      this.#snapshot = undefined
      return shadow.want()
    }
    if (!this.#isStateDurable()) return undefined
    const { position, state, definition } = this.#committed
    if (this.#snapshot?.manifest.at.seq !== position.seq) {
      const { sha256 } = this.#context
      this.#snapshot = encodeSnapshot({ at: position, state, definition, sha256 })
    }
    return this.#snapshot
  }
}
