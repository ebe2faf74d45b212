/*
 * Writes become records here: one after the other, each handler on the state in place, each record
 * sealed onto the one before. Nothing leaves until the log has all of it.
 */

import { initialState, validateMessage } from '@fanfold/definition'
import {
  isJsonObject,
  type JsonObject,
  jsonBytes,
  type Labels,
  type RecordedDefinition,
} from '@fanfold/document'
import { assert, toHex } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeRecord,
  type LogRecord,
  type Position,
  partTags,
  type RecordKind,
  type RecordPart,
  type RequestId,
  saltBytes,
  type WriteAnswer,
  type WriterInput,
} from '@fanfold/protocol'
import { encodeEntry, type LedgerEntry } from '@fanfold/reduction'
import type { AuthorityContext } from './authority-context.ts'
import type { CommittedDocument } from './committed-document.ts'
import { type CrowdNews, changeByCrowd, type FailedSum } from './crowd-change.ts'
import type { CrowdJudged, CrowdSaid } from './crowd-port.ts'
import type { DocumentEpochs } from './document-epochs.ts'
import type { LoadedDefinition } from './loaded-definition.ts'
import { newSessions } from './new-sessions.ts'
import { encodeOrigin, type Origin } from './origin.ts'
import { createParts, definitionParts, deltaParts, type Payload } from './record-parts.ts'
import { record } from './recorder.ts'
import { noDefinition, noDocument, type WriteProblem } from './write-problem.ts'

/** Writes that go to the log as one append, and what to do when it is durable or refused. */
export type Batch = {
  readonly epoch: number
  readonly records: readonly LogRecord[]
  /** After the last record. */
  readonly end: Position
  readonly lastTimeMs: number
  readonly state: JsonObject | undefined
  readonly definition: RecordedDefinition | undefined
  readonly labels: Labels
  /** By whose handlers it was made; `definition` is what the log says of it. */
  readonly loaded: LoadedDefinition | undefined
  readonly stateBytes: number
  readonly isDeleted: boolean
  /** Undo each change, the last one first. */
  readonly undos: readonly (() => void)[]
  /** What a crowd says, and what becomes of it; undefined where it says nothing. */
  readonly crowd: CrowdJudged | undefined
  /** To be given when the batch is durable. */
  readonly answers: readonly { readonly input: WriterInput; readonly answer: WriteAnswer }[]
  /** To be given at once: what the writer did was refused, or was done long ago. */
  readonly immediate: readonly { readonly request: RequestId; readonly answer: WriteAnswer }[]
  readonly committed: readonly {
    readonly subject: string
    readonly id: string
    readonly at: { readonly epoch: number; readonly seq: number; readonly timeMs: number }
  }[]
}

/** Leaves the state as it was before the batch. */
export function undo({ undos }: Batch): void {
  for (let index = undos.length - 1; index >= 0; index--) undos[index]?.()
}

/** Random bytes of a document's view key. */
const viewKeyBytes = 16

const byAuthority: Origin = { by: '', id: undefined, message: undefined }

/** Where a document stands when a batch begins. */
export type BatchStart = {
  readonly doc: DocumentKey
  readonly context: AuthorityContext
  readonly committed: CommittedDocument
  readonly epochs: Pick<DocumentEpochs, 'claimed' | 'highest' | 'isClaimDue'>
  /** The definition in force, or why there is none. */
  readonly loaded: LoadedDefinition | undefined
  readonly problem?: WriteProblem | undefined
}

/** When something happens to a document, and in which trace. */
type Occasion = { readonly timeMs: number; readonly trace: Uint8Array | undefined }

/** Builds one batch. */
export class BatchBuilder {
  readonly #start: BatchStart
  readonly #epoch: number
  readonly #records: LogRecord[] = []
  readonly #undos: (() => void)[] = []
  readonly #answers: { input: WriterInput; answer: WriteAnswer }[] = []
  readonly #immediate: { request: RequestId; answer: WriteAnswer }[] = []
  readonly #committed: Batch['committed'][number][] = []
  /** Ids of this batch, so that the second of two equal ones finds the first. */
  readonly #ids = new Map<string, WriteAnswer>()
  #writes = 0
  #bytes = 0
  #position: Position
  #lastTimeMs: number
  #state: JsonObject | undefined
  #definition: RecordedDefinition | undefined
  #labels: Labels
  #loaded: LoadedDefinition | undefined
  #stateBytes: number
  #isDeleted: boolean
  #crowd: CrowdJudged | undefined

  constructor(start: BatchStart) {
    this.#start = start
    const { claimed, highest } = start.epochs
    this.#epoch = claimed === 0 ? highest + 1 : claimed
    const { position, lastTimeMs, state, stateBytes, isDeleted } = start.committed
    this.#definition = start.committed.definition
    this.#labels = start.committed.labels
    this.#loaded = start.loaded
    this.#position = position
    this.#lastTimeMs = lastTimeMs
    this.#state = state
    this.#stateBytes = stateBytes
    this.#isDeleted = isDeleted
  }

  /** True when the next write belongs to the next batch. */
  get isFull(): boolean {
    const { writesPerBatchMax, batchBytesMax } = this.#start.context.limits
    return this.#writes >= writesPerBatchMax || this.#bytes >= batchBytesMax
  }

  /**
   * Says in the log that the document stands under `loaded` from here on, before anything is written
   * by it; or says why that cannot be, and the document goes on under the definition before.
   */
  define(loaded: LoadedDefinition): WriteProblem | undefined {
    assert(this.#records.length === 0, 'a definition comes before what is written by it')
    // No writer's clock is at hand; the log's time does not go back.
    const occasion = { timeMs: this.#lastTimeMs, trace: undefined }
    const problem = this.#define(loaded, occasion)
    if (problem === undefined) this.#loaded = loaded
    return problem
  }

  /** Claims an epoch that is due, if what came before has not. */
  claim(): void {
    const isDue = this.#start.epochs.isClaimDue && this.#position.seq > 0
    if (!isDue || this.#records.length > 0) return
    this.#seal('claim', { timeMs: this.#lastTimeMs, trace: undefined }, [], byAuthority)
  }

  /** True where a crowd is counted: the document exists, and what its sums mean is known. */
  get isCounting(): boolean {
    return this.#state !== undefined && this.#loaded !== undefined
  }

  /** Counts what a crowd says, all of it or nothing, and does what is to be done for its sessions. */
  count(said: CrowdSaid): void {
    const { ledger } = this.#start.committed
    const ranges = said.aggregate?.ranges ?? []
    const entry: LedgerEntry = {
      opened: newSessions(ledger.roomFor(said.asked), ledger, this.#start.context.randomBytes),
      sealed: said.sealed.filter(session => ledger.isOpen(session)),
      counted: ledger.takes(ranges) ? ranges : [],
    }
    const isInLog = entry.opened.length + entry.sealed.length + entry.counted.length > 0
    const content = entry.counted.length > 0 ? said.aggregate?.content : undefined
    const payloads: Payload[] = isInLog ? [[partTags.crowd, encodeEntry(entry)]] : []
    const failed = this.#countIn(payloads, { content, viewers: said.viewers })
    const presence = this.#loaded?.definition.presence
    this.#crowd = { said, entry: isInLog ? entry : undefined, failed, presence }
  }

  /** Does what one writer wants, or notes why not. */
  add(input: WriterInput): void {
    this.#writes++
    const earlier = this.#earlierAnswer(input)
    if (earlier !== undefined) {
      if (earlier.isDurable)
        this.#immediate.push({ request: input.request, answer: earlier.answer })
      else this.#answers.push({ input, answer: earlier.answer })
      return
    }
    const problem = this.#perform(input)
    if (problem === undefined) return
    const answer: WriteAnswer = { kind: 'rejected', ...problem }
    this.#immediate.push({ request: input.request, answer })
  }

  finish(): Batch {
    return {
      epoch: this.#epoch,
      records: this.#records,
      end: this.#position,
      lastTimeMs: this.#lastTimeMs,
      state: this.#state,
      definition: this.#definition,
      labels: this.#labels,
      loaded: this.#loaded,
      stateBytes: this.#stateBytes,
      isDeleted: this.#isDeleted,
      undos: this.#undos,
      crowd: this.#crowd,
      answers: this.#answers,
      immediate: this.#immediate,
      committed: this.#committed,
    }
  }

  #countIn(entry: readonly Payload[], news: CrowdNews): readonly FailedSum[] {
    const { context } = this.#start
    const occasion = { timeMs: context.wallClockMs(), trace: undefined }
    if (news.content === undefined && news.viewers === undefined) {
      if (entry.length > 0) this.#append('session', occasion, entry, byAuthority)
      return []
    }
    const [state, loaded, labels] = [this.#state, this.#loaded, this.#labels]
    assert(state !== undefined && loaded !== undefined, 'a crowd is counted where there is a state')
    const stateBytesLeft = context.limits.stateBytesMax - this.#stateBytes
    const timeMs = this.#timeOf(occasion)
    const place = { state, labels, loaded, stateBytesLeft, entry, timeMs }
    const change = changeByCrowd(news, place)
    this.#undos.push(change.undo)
    this.#stateBytes += change.bytesDelta
    const isSaid = entry.length > 0 || !change.isNone
    if (isSaid) this.#append('delta', occasion, change.payloads, byAuthority)
    return change.failed
  }

  #earlierAnswer(input: WriterInput): { answer: WriteAnswer; isDurable: boolean } | undefined {
    if (input.id === undefined) return undefined
    const inBatch = this.#ids.get(idOf(input.subject, input.id))
    if (inBatch !== undefined) return { answer: inBatch, isDurable: false }
    const at = this.#start.committed.window.get(input.subject, input.id)
    if (at === undefined) return undefined
    return { answer: { kind: 'committed', epoch: at.epoch, seq: at.seq }, isDurable: true }
  }

  #perform(input: WriterInput): WriteProblem | undefined {
    const { doc } = this.#start
    const { action } = input
    if (this.#isDeleted) return { code: 'FANFOLD_DELETED', message: `${doc} was deleted` }
    switch (action.type) {
      case 'create':
        if (this.#state !== undefined) return { code: 'FANFOLD_EXISTS', message: `${doc} exists` }
        return this.#create(input) ?? this.#commit(input)
      case 'delete':
        if (this.#state === undefined) return noDocument(doc)
        return this.#delete(input)
      case 'send':
        return this.#sendMessage(input, action.message, action.value)
    }
  }

  #sendMessage(input: WriterInput, message: string, value: unknown): WriteProblem | undefined {
    const { doc, problem } = this.#start
    if (this.#loaded === undefined) return problem ?? noDefinition(doc)
    const { definition } = this.#loaded
    const valid = validateMessage(definition, message, value)
    if (!valid.ok) return valid
    if (this.#state === undefined) {
      if (!input.mayCreate) return noDocument(doc)
      const undo = this.#mark()
      const problem = this.#create(input) ?? this.#handle(input, definition, message, valid.value)
      // A document begins with the first write that is accepted: this one was not.
      if (problem !== undefined) undo()
      return problem
    }
    return this.#handle(input, definition, message, valid.value)
  }

  #handle(
    input: WriterInput,
    definition: LoadedDefinition['definition'],
    message: string,
    value: unknown,
  ): WriteProblem | undefined {
    const { doc, context } = this.#start
    const state = this.#state
    assert(state !== undefined, `${doc} exists once it was created`)
    const handler = definition.messages[message]?.handler
    assert(handler !== undefined, `a message that is valid has a handler: ${message}`)
    const timeMs = this.#timeOf(input)
    const by = { subject: input.subject, claims: input.claims, timeMs }
    const recorded = record(state, draft => handler(draft, value, by), {
      stateBytesLeft: context.limits.stateBytesMax - this.#stateBytes,
    })
    if (!recorded.ok) return recorded.problem
    const parts = deltaParts(recorded.patch, state, this.#labels)
    if (!parts.ok) {
      recorded.undo()
      return { code: parts.code, message: parts.message }
    }
    this.#undos.push(recorded.undo)
    this.#stateBytes += recorded.bytesDelta
    // A message that changes nothing makes a record only to be remembered by its id.
    if (recorded.patch.length > 0 || input.id !== undefined) {
      this.#append('delta', input, parts.payloads, { by: input.subject, id: input.id, message })
    }
    return this.#commit(input)
  }

  #create(input: WriterInput): WriteProblem | undefined {
    const { doc, problem } = this.#start
    const loaded = this.#loaded
    if (loaded === undefined) return problem ?? noDefinition(doc)
    const initial = initialState(loaded.definition)
    if (!initial.ok) return initial
    assert(isJsonObject(initial.state), 'an initial state is an object')
    const parts = createParts(initial.state, loaded.labels)
    if (!parts.ok) return { code: parts.code, message: parts.message }
    if (!loaded.isSaidBy(this.#definition)) {
      const problem = this.#define(loaded, input)
      if (problem !== undefined) return problem
    }
    this.#state = initial.state
    this.#stateBytes = jsonBytes(initial.state)
    const id = input.action.type === 'create' ? input.id : undefined
    this.#append('create', input, parts.payloads, { by: input.subject, id, message: undefined })
    return undefined
  }

  /** The view key of a document is made once, with the first word of a definition. */
  #define(loaded: LoadedDefinition, occasion: Occasion): WriteProblem | undefined {
    const viewKey =
      this.#definition?.viewKey ?? toHex(this.#start.context.randomBytes(viewKeyBytes))
    const definition = loaded.recordedWith(viewKey)
    const moves = loaded.labels.relabel(this.#state ?? {}, this.#labels)
    const parts = definitionParts(definition, moves)
    if (!parts.ok) return { code: parts.code, message: parts.message }
    this.#append('definition', occasion, parts.payloads, byAuthority)
    this.#definition = definition
    this.#labels = loaded.labels
    return undefined
  }

  /** How to take back what a write puts into the log of a document that does not exist yet. */
  #mark(): () => void {
    const count = this.#records.length
    const bytes = this.#bytes
    const position = this.#position
    const lastTimeMs = this.#lastTimeMs
    const definition = this.#definition
    const labels = this.#labels
    return () => {
      this.#records.length = count
      this.#bytes = bytes
      this.#position = position
      this.#lastTimeMs = lastTimeMs
      this.#definition = definition
      this.#labels = labels
      this.#state = undefined
      this.#stateBytes = 0
    }
  }

  #delete(input: WriterInput): undefined {
    this.#state = undefined
    this.#stateBytes = 0
    this.#isDeleted = true
    const origin = { by: input.subject, id: input.id, message: undefined }
    this.#append('delete', input, [[partTags.public, new Uint8Array(0)]], origin)
    return this.#commit(input)
  }

  /** The writer is answered with the position of the last record, once that is durable. */
  #commit(input: WriterInput): undefined {
    const { epoch, seq } = this.#position
    const answer: WriteAnswer = { kind: 'committed', epoch, seq }
    this.#answers.push({ input, answer })
    if (input.id !== undefined) {
      this.#ids.set(idOf(input.subject, input.id), answer)
      const at = { epoch, seq, timeMs: this.#lastTimeMs }
      this.#committed.push({ subject: input.subject, id: input.id, at })
    }
    return undefined
  }

  #append(
    kind: RecordKind,
    occasion: Occasion,
    payloads: readonly Payload[],
    origin: Origin,
  ): void {
    // The first commit of a new epoch says so in the log, in the same append.
    const isClaim = this.#records.length === 0 && this.#start.epochs.claimed === 0
    if (isClaim && this.#position.seq > 0) this.#seal('claim', occasion, [], byAuthority)
    this.#seal(kind, occasion, payloads, origin)
  }

  #seal(kind: RecordKind, occasion: Occasion, payloads: readonly Payload[], origin: Origin): void {
    const { context, doc } = this.#start
    const salts = context.randomBytes((payloads.length + 1) * saltBytes)
    const timeMs = this.#timeOf(occasion)
    const parts: RecordPart[] = []
    let saltEnd = saltBytes
    for (const [tag, payload] of payloads) {
      parts.push({ tag, salt: salts.subarray(saltEnd, saltEnd + saltBytes), payload })
      saltEnd += saltBytes
    }
    const salt = salts.subarray(0, saltBytes)
    parts.push({ tag: partTags.authority, salt, payload: encodeOrigin(origin) })
    const bytes = encodeRecord({
      kind,
      key: doc,
      epoch: this.#epoch,
      seq: this.#position.seq + 1,
      timeMs,
      trace: occasion.trace,
      parts,
    })
    const sealed = context.chain.seal(bytes, this.#position.hash)
    this.#records.push(sealed)
    this.#bytes += bytes.length
    this.#lastTimeMs = timeMs
    this.#position = { epoch: this.#epoch, seq: sealed.seq, hash: sealed.chainHash }
  }

  /** Commit times never go back within a document, whatever the wall's clock does. */
  #timeOf({ timeMs }: Occasion): number {
    return Math.max(this.#lastTimeMs, timeMs)
  }
}

const idOf = (subject: string, id: string): string => `${subject.length}:${subject}${id}`
