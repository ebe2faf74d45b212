/*
 * Writes become records here: one after the other, each handler on the state in place, each record
 * sealed onto the one before. Nothing leaves until the log has all of it.
 */

import { type DocumentDefinition, initialState, validateMessage } from '@fanfold/definition'
import {
  isJsonObject,
  type JsonObject,
  jsonBytes,
  type PatchOperation,
  type RecordedDefinition,
} from '@fanfold/document'
import { assert, encodeUtf8 } from '@fanfold/kernel'
import {
  type DocumentKey,
  documentName,
  type ErrorCode,
  encodeRecord,
  type LogRecord,
  limits,
  type Position,
  partTags,
  type RecordKind,
  type RequestId,
  saltBytes,
  type WriteAnswer,
  type WriterInput,
} from '@fanfold/protocol'
import type { AuthorityContext } from './authority-context.ts'
import type { CommittedDocument } from './committed-document.ts'
import { encodeOrigin, type Origin } from './origin.ts'
import { record } from './recorder.ts'

/** Writes that go to the log as one append, and what to do when it is durable or refused. */
export type Batch = {
  readonly epoch: number
  readonly records: readonly LogRecord[]
  /** After the last record. */
  readonly end: Position
  readonly lastTimeMs: number
  readonly state: JsonObject | undefined
  readonly definition: RecordedDefinition | undefined
  readonly stateBytes: number
  readonly isDeleted: boolean
  /** Undo each change, the last one first. */
  readonly undos: readonly (() => void)[]
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

/** Bytes of a record beside its public payload, at most: header, heads of parts, origin. */
const recordOverheadMax = 1_024

/** Where a document stands when a batch begins. */
export type BatchStart = {
  readonly doc: DocumentKey
  readonly context: AuthorityContext
  readonly committed: CommittedDocument
  /** The epoch that this node has claimed, 0 for none. */
  readonly claimed: number
  /** The highest epoch that the log has seen. */
  readonly logEpoch: number
}

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
  #stateBytes: number
  #isDeleted: boolean

  constructor(start: BatchStart) {
    this.#start = start
    this.#epoch = start.claimed === 0 ? start.logEpoch + 1 : start.claimed
    const { position, lastTimeMs, state, stateBytes, isDeleted } = start.committed
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
      definition: this.#start.committed.definition,
      stateBytes: this.#stateBytes,
      isDeleted: this.#isDeleted,
      undos: this.#undos,
      answers: this.#answers,
      immediate: this.#immediate,
      committed: this.#committed,
    }
  }

  #earlierAnswer(input: WriterInput): { answer: WriteAnswer; isDurable: boolean } | undefined {
    if (input.id === undefined) return undefined
    const inBatch = this.#ids.get(idOf(input.subject, input.id))
    if (inBatch !== undefined) return { answer: inBatch, isDurable: false }
    const at = this.#start.committed.window.get(input.subject, input.id)
    if (at === undefined) return undefined
    return { answer: { kind: 'committed', epoch: at.epoch, seq: at.seq }, isDurable: true }
  }

  #perform(input: WriterInput): Problem | undefined {
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

  #sendMessage(input: WriterInput, message: string, value: unknown): Problem | undefined {
    const { doc, context } = this.#start
    const definition = context.definitionOf(documentName(doc).type)
    if (definition === undefined) return noDefinition(doc)
    const valid = validateMessage(definition, message, value)
    if (!valid.ok) return valid
    if (this.#state === undefined) {
      if (!input.mayCreate) return noDocument(doc)
      const problem = this.#create(input) ?? this.#handle(input, definition, message, valid.value)
      // A document begins with the first write that is accepted: this one was not.
      if (problem !== undefined) this.#uncreate()
      return problem
    }
    return this.#handle(input, definition, message, valid.value)
  }

  #handle(
    input: WriterInput,
    definition: DocumentDefinition,
    message: string,
    value: unknown,
  ): Problem | undefined {
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
    const payload = encodeUtf8(JSON.stringify(recorded.patch satisfies readonly PatchOperation[]))
    if (payload.length > limits.recordBytesMax.value - recordOverheadMax) {
      recorded.undo()
      const message = `a change of at most ${limits.recordBytesMax.value - recordOverheadMax} bytes, got ${payload.length}`
      return { code: 'FANFOLD_TOO_LARGE', message }
    }
    this.#undos.push(recorded.undo)
    this.#stateBytes += recorded.bytesDelta
    // A message that changes nothing makes a record only to be remembered by its id.
    if (recorded.patch.length > 0 || input.id !== undefined) {
      this.#append('delta', input, payload, { by: input.subject, id: input.id, message })
    }
    return this.#commit(input)
  }

  #create(input: WriterInput): Problem | undefined {
    const { doc, context } = this.#start
    const definition = context.definitionOf(documentName(doc).type)
    if (definition === undefined) return noDefinition(doc)
    const initial = initialState(definition)
    if (!initial.ok) return initial
    const payload = encodeUtf8(JSON.stringify(initial.state))
    if (payload.length > limits.recordBytesMax.value - recordOverheadMax) {
      const message = `an initial state of at most ${limits.recordBytesMax.value - recordOverheadMax} bytes, got ${payload.length}`
      return { code: 'FANFOLD_TOO_LARGE', message }
    }
    assert(isJsonObject(initial.state), 'an initial state is an object')
    this.#state = initial.state
    this.#stateBytes = jsonBytes(initial.state)
    const id = input.action.type === 'create' ? input.id : undefined
    this.#append('create', input, payload, { by: input.subject, id, message: undefined })
    return undefined
  }

  #uncreate(): void {
    if (this.#state === undefined) return
    assert(this.#records.length === 1, 'a create is the first record of its log')
    this.#records.pop()
    this.#state = undefined
    this.#stateBytes = 0
    this.#bytes = 0
    this.#position = this.#start.committed.position
    this.#lastTimeMs = this.#start.committed.lastTimeMs
  }

  #delete(input: WriterInput): undefined {
    this.#state = undefined
    this.#stateBytes = 0
    this.#isDeleted = true
    const origin = { by: input.subject, id: input.id, message: undefined }
    this.#append('delete', input, new Uint8Array(0), origin)
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

  #append(kind: RecordKind, input: WriterInput, payload: Uint8Array, origin: Origin): void {
    if (this.#records.length === 0 && this.#start.claimed === 0 && this.#position.seq > 0) {
      // The first commit of a new epoch says so in the log, in the same append.
      this.#seal('claim', input, undefined, { by: '', id: undefined, message: undefined })
    }
    this.#seal(kind, input, payload, origin)
  }

  #seal(
    kind: RecordKind,
    input: WriterInput,
    payload: Uint8Array | undefined,
    origin: Origin,
  ): void {
    const { context, doc } = this.#start
    const salts = context.randomBytes(2 * saltBytes)
    const timeMs = this.#timeOf(input)
    const authority = {
      tag: partTags.authority,
      salt: salts.subarray(0, saltBytes),
      payload: encodeOrigin(origin),
    }
    const bytes = encodeRecord({
      kind,
      key: doc,
      epoch: this.#epoch,
      seq: this.#position.seq + 1,
      timeMs,
      trace: input.trace,
      parts:
        payload === undefined
          ? [authority]
          : [{ tag: partTags.public, salt: salts.subarray(saltBytes), payload }, authority],
    })
    const sealed = context.chain.seal(bytes, this.#position.hash)
    this.#records.push(sealed)
    this.#bytes += bytes.length
    this.#lastTimeMs = timeMs
    this.#position = { epoch: this.#epoch, seq: sealed.seq, hash: sealed.chainHash }
  }

  /** Commit times never go back within a document, whatever the wall's clock does. */
  #timeOf(input: WriterInput): number {
    return Math.max(this.#lastTimeMs, input.timeMs)
  }
}

type Problem = { readonly code: ErrorCode; readonly message: string }

const idOf = (subject: string, id: string): string => `${subject.length}:${subject}${id}`

const noDocument = (doc: DocumentKey): Problem => ({
  code: 'FANFOLD_NO_DOCUMENT',
  message: `${doc} does not exist, and the token does not allow creating it`,
})

const noDefinition = (doc: DocumentKey): Problem => ({
  code: 'FANFOLD_NO_DEFINITION',
  message: `no definition for documents of type ${documentName(doc).type}`,
})
