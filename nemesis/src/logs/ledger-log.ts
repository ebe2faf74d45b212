/*
 * The final logs of ledgers, and what follows from them: which writes they hold, and what each audience
 * sees at a place. States are led forward by the patches alone, and filtered by what the definition means.
 */
import { createHash } from 'node:crypto'
import {
  applyPatch,
  Chain,
  canonicalJson,
  decodeChange,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '@fanfold/document'
import { sha256 } from '@fanfold/node'
import { type LogRecord, zeroHash } from '@fanfold/protocol'
import type { LoggedWrite, ViewedLog } from '@fanfold/simulator'
import { recordId } from './final-log.ts'

/** Who may see what of a ledger. */
const audiences = ['open', 'premium'] as const

/** The view of a ledger, by its definition. */
const viewOf = (state: JsonObject, audience: string): JsonObject =>
  audience === 'premium' ? state : { ...state, whispers: {} }

const hashOf = (view: JsonObject): string =>
  createHash('sha256').update(canonicalJson(view)).digest('hex').slice(0, 16)

/** What is wrong with a log itself; kept in words up to this many. */
const problemsMax = 20

type Document = { readonly epochs: number[]; readonly hashes: Map<string, string> }

/** The logs of some documents, read once. */
export class LedgerLog implements ViewedLog {
  /** What the log says that no log should. */
  readonly problems: string[] = []
  readonly #documents = new Map<string, Document>()

  /**
   * Reads the log of a document.
   *
   * @param options.records all of it, in order
   * @param options.seqs where views are to be known; those of the head always are
   * @param options.onWrite told of each message in the log
   */
  read(options: {
    readonly records: Iterable<LogRecord>
    readonly doc: string
    readonly seqs: ReadonlySet<number>
    readonly onWrite: (write: LoggedWrite) => void
  }): void {
    const { records, doc, seqs, onWrite } = options
    const document: Document = { epochs: [], hashes: new Map() }
    this.#documents.set(doc, document)
    const chain = new Chain(sha256)
    const marks = new Map<string, number>()
    let state: JsonObject | undefined
    let last: LogRecord | undefined
    for (const record of records) {
      const { epoch, seq } = record
      if (seq !== (last?.seq ?? 0) + 1) this.#add(`${doc}: ${seq} follows ${last?.seq ?? 0}`)
      if (epoch < (last?.epoch ?? 0)) this.#add(`${doc}: epoch ${epoch} at ${seq} is too low`)
      if (!chain.verifies(record, last?.chainHash ?? zeroHash)) {
        this.#add(`${doc}: the chain hash of ${seq} is wrong`)
      }
      last = record
      state = stateAfter(state, record)
      document.epochs[seq] = epoch
      const id = recordId(record)
      if (id !== undefined) {
        onWrite({ doc, id, epoch, seq, value: this.#valueOf(doc, { id, seq, state, marks }) })
      }
      if (seqs.has(seq)) keep(document, seq, state)
    }
    keep(document, last?.seq ?? 0, state)
  }

  headSeq(doc: string): number {
    return Math.max(0, (this.#documents.get(doc)?.epochs.length ?? 0) - 1)
  }

  epochAt(doc: string, seq: number): number | undefined {
    return this.#documents.get(doc)?.epochs[seq]
  }

  hashAt(doc: string, seq: number, audience: string): string | undefined {
    return this.#documents.get(doc)?.hashes.get(`${seq} ${audience}`)
  }

  /** What a message left: the value of its mark, which counts those of its writer. */
  #valueOf(
    doc: string,
    written: {
      readonly id: string
      readonly seq: number
      readonly state: JsonObject | undefined
      readonly marks: Map<string, number>
    },
  ): string {
    const { id, seq, state, marks } = written
    const writer = id.slice(0, id.lastIndexOf('-'))
    for (const member of ['writers', 'whispers']) {
      const mark = memberOf(memberOf(state, member), writer)
      const value = memberOf(mark, 'value')
      if (typeof value !== 'string' || !value.startsWith(`${id}:`)) continue
      const key = `${member}/${writer}`
      const count = (marks.get(key) ?? 0) + 1
      marks.set(key, count)
      const said = memberOf(mark, 'count')
      if (said !== count) this.#add(`${doc}: ${key} counts ${said} at ${seq}, the log ${count}`)
      return value
    }
    return 'nothing'
  }

  #add(problem: string): void {
    if (this.problems.length < problemsMax) this.problems.push(problem)
  }
}

function stateAfter(state: JsonObject | undefined, record: LogRecord): JsonObject | undefined {
  const change = decodeChange(record)
  if (change === undefined) throw new Error(`record ${record.seq} is not of this version`)
  switch (change.kind) {
    case 'none':
      return state
    case 'delete':
      return undefined
    case 'create':
      return applied({}, change.patch, record.seq)
    default:
      return state === undefined ? state : applied(state, change.patch, record.seq)
  }
}

function applied(
  state: JsonObject,
  patch: Parameters<typeof applyPatch>[1],
  seq: number,
): JsonObject {
  const after = applyPatch(state, patch)
  if (!isJsonObject(after)) throw new Error(`the patch of record ${seq} does not apply`)
  return after
}

function keep({ hashes }: Document, seq: number, state: JsonObject | undefined): void {
  if (state === undefined) return
  for (const audience of audiences) {
    hashes.set(`${seq} ${audience}`, hashOf(viewOf(state, audience)))
  }
}

const memberOf = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  isJsonObject(value) ? value[name] : undefined
