/*
 * What the logs say, kept beside the world: the truth that everything else is compared with.
 *
 * It takes records in the event in which they become durable, so whoever is ahead of it has seen what
 * was not durable. The states are led forward by the patches alone, by none of the code that made them.
 */
import {
  applyPatch,
  Chain,
  canonicalJson,
  decodeChange,
  decodeSnapshot,
  isSameDefinition,
  type JsonObject,
  type RecordedDefinition,
  type Snapshot,
} from '@fanfold/document'
import { decodeUtf8, equalBytes, type Sha256 } from '@fanfold/kernel'
import {
  type DocumentKey,
  type LogRecord,
  type Position,
  partTags,
  zeroHash,
} from '@fanfold/protocol'
import { describeDifference } from './describe-difference.ts'
import type { Claimant, DiskWatch } from './log-disk.ts'
import type { Problems } from './problems.ts'

type Entry = {
  readonly epoch: number
  readonly hash: Uint8Array
  /** The state as JSON; undefined while there is none. */
  readonly json: string | undefined
  /** Whether the document was deleted by then. */
  readonly isDeleted: boolean
  /** What the log says of the definition, this record included. */
  readonly definition: RecordedDefinition | undefined
}

class DocumentHistory {
  /** What each record led to; the one of seq 1 first. */
  readonly entries: Entry[] = []
  /** Places of the records that a writer's message made, by writer and id. */
  readonly origins = new Map<string, { epoch: number; seq: number }[]>()
  /** Who has claimed each epoch. */
  readonly claims = new Map<number, Claimant>()
  epochMax = 0
  state: JsonObject | undefined
  definition: RecordedDefinition | undefined
  isDeleted = false

  /** Goes on to after the record; false when it does not apply. */
  take(record: LogRecord): boolean {
    const change = decodeChange(record)
    if (change === undefined) return false
    if (change.kind === 'none') return true
    // It is gone for good: nothing happens to it any more.
    if (this.isDeleted) return false
    switch (change.kind) {
      case 'delete':
        this.isDeleted = this.state !== undefined
        this.state = undefined
        return this.isDeleted
      case 'definition':
        this.definition = change.definition
        if (this.state === undefined) return change.patch.length === 0
        break
      case 'create':
        this.state = {}
    }
    const before = this.state
    const after = before && applyPatch(before, change.patch)
    if (after !== undefined) this.state = after
    return after !== undefined
  }
}

/** The durable history of every document of a world. */
export class History implements DiskWatch {
  readonly #chain: Chain
  readonly #problems: Problems
  readonly #documents = new Map<DocumentKey, DocumentHistory>()
  #records = 0
  #takeovers = 0

  constructor(sha256: Sha256, problems: Problems) {
    this.#chain = new Chain(sha256)
    this.#problems = problems
  }

  /** How often a document was claimed by another node than before. */
  get takeovers(): number {
    return this.#takeovers
  }

  /** Records of all documents. */
  get records(): number {
    return this.#records
  }

  /** Seq of the document's last durable record, 0 for none. */
  headSeq(doc: DocumentKey): number {
    return this.#documents.get(doc)?.entries.length ?? 0
  }

  /** Epoch of the document's last durable record, 0 for none. */
  headEpoch(doc: DocumentKey): number {
    return this.#documents.get(doc)?.entries.at(-1)?.epoch ?? 0
  }

  /** The epoch of a durable record; undefined where there is none. */
  epochAt(doc: DocumentKey, seq: number): number | undefined {
    return this.#entry(doc, seq)?.epoch
  }

  /** Why something at this place is not what the log has there; undefined when it is. */
  differsAt(doc: DocumentKey, position: Position): string | undefined {
    const entry = this.#entry(doc, position.seq)
    if (entry === undefined) return `the log ends at ${this.headSeq(doc)}`
    if (entry.epoch !== position.epoch) return `the log has epoch ${entry.epoch} there`
    return equalBytes(entry.hash, position.hash) ? undefined : 'the log has another hash there'
  }

  /** The chain hash after `seq`; before the first record zeros, undefined beyond the last. */
  hashAt(doc: DocumentKey, seq: number): Uint8Array | undefined {
    return seq === 0 ? zeroHash : this.#entry(doc, seq)?.hash
  }

  /** Whether the document was deleted by this record or one before it. */
  isDeletedAt(doc: DocumentKey, seq: number): boolean {
    return this.#entry(doc, seq)?.isDeleted === true
  }

  /** The state at `seq` as JSON; undefined while there is none. */
  jsonAt(doc: DocumentKey, seq: number): string | undefined {
    return this.#entry(doc, seq)?.json
  }

  /** The state at `seq`, made anew. */
  stateAt(doc: DocumentKey, seq: number): JsonObject | undefined {
    const json = this.#entry(doc, seq)?.json
    return json === undefined ? undefined : JSON.parse(json)
  }

  /** What the log says of the definition up to `seq`, all parts together. */
  definitionAt(doc: DocumentKey, seq: number): RecordedDefinition | undefined {
    return this.#entry(doc, seq)?.definition
  }

  /** Why a state is not what the log's records make at `seq`; undefined when it is. */
  stateDiffersAt(doc: DocumentKey, seq: number, state: JsonObject | undefined): string | undefined {
    const entry = this.#entry(doc, seq)
    if (entry === undefined) return `the log ends at ${this.headSeq(doc)}`
    // Members mostly come in the same order, and this text is much cheaper than the canonical one.
    if (jsonOf(state) === entry.json) return undefined
    const actual = canonicalOf(state)
    const expected = canonicalOf(entry.json === undefined ? undefined : JSON.parse(entry.json))
    return actual === expected ? undefined : `state ${describeDifference(actual, expected)}`
  }

  /** Where the records stand that a writer's message made. */
  placesOf(doc: DocumentKey, by: string, id: string): readonly { epoch: number; seq: number }[] {
    return this.#documents.get(doc)?.origins.get(originKey(by, id)) ?? []
  }

  /** The state at the head, or the last one of a document that was deleted. */
  lastState(doc: DocumentKey): JsonObject | undefined {
    const document = this.#documents.get(doc)
    if (document?.isDeleted !== true) return document?.state
    const { json } = document.entries.findLast(entry => !entry.isDeleted) ?? {}
    return json === undefined ? undefined : JSON.parse(json)
  }

  epochIsClaimed(doc: DocumentKey, epoch: number, by: Claimant): void {
    const { claims, epochMax } = this.#document(doc)
    const before = claims.get(epochMax)?.node
    if (epoch > epochMax && before !== undefined && before !== by.node) this.#takeovers++
    if ((claims.get(epoch) ?? by) !== by) {
      this.#problems.add(`${doc}: epoch ${epoch} is claimed by two`)
    }
    if (epoch < epochMax) {
      this.#problems.add(`${doc}: epoch ${epoch} is claimed after epoch ${epochMax}`)
    }
    claims.set(epoch, by)
    this.#document(doc).epochMax = Math.max(epochMax, epoch)
  }

  recordsAreDurable(doc: DocumentKey, records: readonly LogRecord[]): void {
    const document = this.#document(doc)
    for (const record of records) this.#take(doc, document, record)
  }

  snapshotIsKept(doc: DocumentKey, snapshot: Snapshot): void {
    const { at } = snapshot.manifest
    const { state, definition } = decodeSnapshot(snapshot)
    // Nothing counts any more for a document that was deleted.
    const said = this.isDeletedAt(doc, at.seq) ? undefined : this.definitionAt(doc, at.seq)
    const isSaid =
      said === undefined || definition === undefined
        ? said === definition
        : isSameDefinition(said, definition) && said.viewKey === definition.viewKey
    const difference =
      this.differsAt(doc, at) ??
      this.stateDiffersAt(doc, at.seq, state) ??
      (isSaid ? undefined : 'its definition is another than the log says')
    if (difference === undefined) return
    this.#problems.add(`${doc}: the authority's snapshot at ${at.seq}: ${difference}`)
  }

  #take(doc: DocumentKey, document: DocumentHistory, record: LogRecord): void {
    this.#records++
    const { entries } = document
    const before = entries.at(-1)
    if (record.seq !== entries.length + 1) {
      this.#problems.add(`${doc}: record ${record.seq} follows record ${entries.length}`)
    }
    if (before !== undefined && record.epoch < before.epoch) {
      this.#problems.add(`${doc}: epoch ${record.epoch} follows epoch ${before.epoch}`)
    }
    if (!this.#chain.verifies(record, before?.hash ?? zeroHash)) {
      this.#problems.add(`${doc}: the chain hash of record ${record.seq} is wrong`)
    }
    if (!document.take(record)) {
      this.#problems.add(`${doc}: record ${record.seq} does not apply`)
    }
    const { state, definition, isDeleted } = document
    const { epoch, chainHash: hash } = record
    entries.push({ epoch, hash, json: jsonOf(state), isDeleted, definition })
    const origin = originOf(record)
    if (origin === undefined) return
    const places = document.origins.get(origin) ?? []
    places.push({ epoch: record.epoch, seq: record.seq })
    document.origins.set(origin, places)
  }

  #document(doc: DocumentKey): DocumentHistory {
    const document = this.#documents.get(doc) ?? new DocumentHistory()
    this.#documents.set(doc, document)
    return document
  }

  #entry(doc: DocumentKey, seq: number): Entry | undefined {
    return this.#documents.get(doc)?.entries[seq - 1]
  }
}

const jsonOf = (state: JsonObject | undefined): string | undefined =>
  state === undefined ? undefined : JSON.stringify(state)

const canonicalOf = (state: JsonObject | undefined): string =>
  state === undefined ? 'no state' : canonicalJson(state)

/** Who sent the message that made a record, if it had an id: texts behind their length in one byte. */
function originOf(record: LogRecord): string | undefined {
  const payload = record.payload(partTags.authority)
  if (payload === undefined) return undefined
  const textAt = (at: number): Uint8Array => payload.subarray(at + 1, at + 1 + (payload[at] ?? 0))
  const subject = textAt(0)
  const id = textAt(1 + subject.length)
  return id.length === 0 ? undefined : originKey(decodeUtf8(subject) ?? '', decodeUtf8(id) ?? '')
}

const originKey = (by: string, id: string): string => JSON.stringify([by, id])
