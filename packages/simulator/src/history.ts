/*
 * What the logs say, kept beside the world: the truth that everything else is compared with.
 *
 * It takes records in the event in which they become durable, so whoever is ahead of it has seen what
 * was not durable. The states are led forward by the patches alone, by none of the code that made them.
 *
 * A log may lose its end, and go on otherwise. What it had then is still known here, for it was shown. So each record
 * has a place: its seq, and another number where the log had another record of that seq before.
 */
import {
  Chain,
  canonicalJson,
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
import { DocumentHistory, type Entry, jsonOf } from './document-history.ts'
import type { Claimant, DiskWatch } from './log-disk.ts'
import type { Problems } from './problems.ts'

/** Which record is meant, by those who do not know its hash. */
export type Where = { readonly epoch: number; readonly seq: number }

/** Who is told of each record that becomes durable, and of the state that it leads to. */
export type RecordWatch = (
  doc: DocumentKey,
  record: LogRecord,
  state: JsonObject | undefined,
) => void

/** The durable history of every document of a world. */
export class History implements DiskWatch {
  readonly #chain: Chain
  readonly #problems: Problems
  readonly #documents = new Map<DocumentKey, DocumentHistory>()
  #records = 0
  #takeovers = 0
  readonly #watch: RecordWatch | undefined

  constructor(sha256: Sha256, problems: Problems, watch?: RecordWatch) {
    this.#watch = watch
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

  /** Whether a record of this epoch and seq is in the log, or was before the log lost it. */
  had(doc: DocumentKey, where: Where): boolean {
    return this.placeOf(doc, where) !== 0
  }

  /** Whether the log has lost this record, or one of the same name. */
  hasLost(doc: DocumentKey, { epoch, seq }: Where): boolean {
    const document = this.#documents.get(doc)
    return document?.named(epoch, seq).some(({ place }) => document.lost.has(place)) === true
  }

  /** Documents whose logs have lost something, and nothing was written since. */
  get behind(): readonly DocumentKey[] {
    return [...this.#documents].flatMap(([doc, { isBehind }]) => (isBehind ? [doc] : []))
  }

  /** The place of a record; 0 for one that was never durable. */
  placeOf(doc: DocumentKey, where: Where): number {
    return this.placesNamed(doc, where)[0] ?? 0
  }

  /**
   * The places of all records of this epoch and seq, the newest first. There are several where a log has lost an
   * epoch with its records, and another node has claimed it without having heard of it.
   */
  placesNamed(doc: DocumentKey, { epoch, seq }: Where): readonly number[] {
    return (this.#documents.get(doc)?.named(epoch, seq) ?? []).map(({ place }) => place)
  }

  /** The place of a position; 0 for one that never was in the log. */
  placeAt(doc: DocumentKey, position: Position): number {
    return this.#exact(doc, position)?.place ?? 0
  }

  /** The places that a seq ever had, the newest first: one, unless the log has lost records. */
  placesAt(doc: DocumentKey, seq: number): readonly number[] {
    const document = this.#documents.get(doc)
    if (document === undefined) return []
    return document.allAt(seq).map(({ place }) => place)
  }

  /** All places from a seq on, the newest first; from the first one on where the log has lost records. */
  placesSince(doc: DocumentKey, seq: number): readonly number[] {
    const document = this.#documents.get(doc)
    if (document === undefined) return []
    const { entries, lost } = document
    const from = lost.size > 0 ? 0 : Math.max(0, seq - 1)
    return [...lost.values(), ...entries.slice(from)].map(({ place }) => place).reverse()
  }

  /** The places of what the log has lost. */
  placesLost(doc: DocumentKey): readonly number[] {
    return [...(this.#documents.get(doc)?.lost.keys() ?? [])]
  }

  /** The place of the document's last durable record, 0 for none. */
  headPlace(doc: DocumentKey): number {
    return this.#documents.get(doc)?.entries.at(-1)?.place ?? 0
  }

  /** Where the place of a seq before is that a place follows; 0 where it does not. */
  placeBefore(doc: DocumentKey, place: number, seq: number): number {
    let entry = this.#entry(doc, place)
    while (entry !== undefined && entry.seq > seq) entry = entry.before
    return entry?.seq === seq ? entry.place : 0
  }

  /** Why something at this position is not what the log has there, or had; undefined when it is. */
  differsAt(doc: DocumentKey, position: Position): string | undefined {
    const entry = this.#exact(doc, position)
    if (entry !== undefined) return undefined
    const there = this.#documents.get(doc)?.entries[position.seq - 1]
    if (there === undefined) return `the log ends at ${this.headSeq(doc)}`
    if (there.epoch !== position.epoch) return `the log has epoch ${there.epoch} there`
    return 'the log has another hash there'
  }

  /** The chain hash before a record; undefined where there is no such record. */
  hashBefore(doc: DocumentKey, position: Position): Uint8Array | undefined {
    const entry = this.#exact(doc, position)
    return entry === undefined ? undefined : (entry.before?.hash ?? zeroHash)
  }

  /** Whether the document was deleted by this record or one before it. */
  isDeletedAt(doc: DocumentKey, place: number): boolean {
    return this.#entry(doc, place)?.isDeleted === true
  }

  /** The state at a place as JSON; undefined while there is none. */
  jsonAt(doc: DocumentKey, place: number): string | undefined {
    return this.#entry(doc, place)?.json
  }

  /** The state at a place, made anew. */
  stateAt(doc: DocumentKey, place: number): JsonObject | undefined {
    const json = this.#entry(doc, place)?.json
    return json === undefined ? undefined : JSON.parse(json)
  }

  /** What the log says of the definition up to a place, all parts together. */
  definitionAt(doc: DocumentKey, place: number): RecordedDefinition | undefined {
    return this.#entry(doc, place)?.definition
  }

  /** Why a state is not what the log's records make at a place; undefined when it is. */
  stateDiffersAt(
    doc: DocumentKey,
    place: number,
    state: JsonObject | undefined,
  ): string | undefined {
    const entry = this.#entry(doc, place)
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
    const { claims, lostClaims, epochMax } = this.#document(doc)
    const before = claims.get(epochMax)?.node
    if (epoch > epochMax && before !== undefined && before !== by.node) this.#takeovers++
    if ((claims.get(epoch) ?? by) !== by) {
      this.#problems.add(`${doc}: epoch ${epoch} is claimed by two`)
    }
    if (epoch < epochMax) {
      this.#problems.add(`${doc}: epoch ${epoch} is claimed after epoch ${epochMax}`)
    }
    if (lostClaims.get(epoch)?.has(by) === true) {
      this.#problems.add(
        `${doc}: epoch ${epoch} is claimed again by one that knows that it was lost`,
      )
    }
    claims.set(epoch, by)
    this.#document(doc).epochMax = Math.max(epochMax, epoch)
  }

  recordsAreDurable(doc: DocumentKey, records: readonly LogRecord[]): void {
    const document = this.#document(doc)
    for (const record of records) this.#take(doc, document, record)
  }

  endIsLost(doc: DocumentKey, { seq, epoch }: Where): void {
    this.#document(doc).loseFrom(seq, epoch)
  }

  snapshotIsKept(doc: DocumentKey, snapshot: Snapshot): void {
    const { at } = snapshot.manifest
    const { state, definition } = decodeSnapshot(snapshot)
    const place = this.placeAt(doc, at)
    // Nothing counts any more for a document that was deleted.
    const said = this.isDeletedAt(doc, place) ? undefined : this.definitionAt(doc, place)
    const isSaid =
      said === undefined || definition === undefined
        ? said === definition
        : isSameDefinition(said, definition) && said.viewKey === definition.viewKey
    const difference =
      this.differsAt(doc, at) ??
      this.stateDiffersAt(doc, place, state) ??
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
    if (before !== undefined && record.timeMs < before.timeMs) {
      this.#problems.add(`${doc}: record ${record.seq} is older than the one before it`)
    }
    if (!this.#chain.verifies(record, before?.hash ?? zeroHash)) {
      this.#problems.add(`${doc}: the chain hash of record ${record.seq} is wrong`)
    }
    if (!document.take(record)) {
      this.#problems.add(`${doc}: record ${record.seq} does not apply`)
    }
    this.#checkNew(doc, document, record)
    document.push(record)
    this.#watch?.(doc, record, document.state)
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

  /** What was lost may be followed by anything, but not by another record under the epoch that was there before. */
  #checkNew(
    doc: DocumentKey,
    { lost, lostClaims }: DocumentHistory,
    { epoch, seq, chainHash }: LogRecord,
  ): void {
    if (lostClaims.has(epoch)) return
    for (const one of lost.values()) {
      if (one.epoch !== epoch || one.seq !== seq || equalBytes(one.hash, chainHash)) continue
      this.#problems.add(`${doc}: ${epoch}:${seq} stands for two records, of which one was lost`)
    }
  }

  #entry(doc: DocumentKey, place: number): Entry | undefined {
    return this.#documents.get(doc)?.at(place)
  }

  /** The record of a position, in the log or lost by it. */
  #exact(doc: DocumentKey, { epoch, seq, hash }: Position): Entry | undefined {
    const document = this.#documents.get(doc)
    const entry = document?.entries[seq - 1]
    const isIt = (one: Entry): boolean => one.epoch === epoch && equalBytes(one.hash, hash)
    if (entry !== undefined && isIt(entry)) return entry
    return document === undefined || document.lost.size === 0
      ? undefined
      : document.allAt(seq).find(isIt)
  }
}

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
