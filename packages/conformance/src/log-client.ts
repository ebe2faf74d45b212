import type { LogInput, LogReadId, LogStore, LogStoreFactory, Snapshot } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import type { BuiltLog } from './build-log.ts'
import { Inbox } from './inbox.ts'

/** What an open of a document gave. */
export type OpenedDocument = {
  readonly snapshot: Snapshot | undefined
  readonly records: readonly LogRecord[]
  readonly answer: Extract<LogInput, { kind: 'log-opened' | 'log-open-refused' }>
}

/** What comes of following a document. */
export type FollowAnswer = Extract<LogInput, { kind: 'log-followed' | 'log-open-refused' }>

type AnswerTo = {
  append: Extract<LogInput, { kind: 'log-appended' | 'log-append-refused' }>
  snapshot: Extract<LogInput, { kind: 'log-snapshot-kept' | 'log-snapshot-refused' }>
  read: Extract<LogInput, { kind: 'log-read' | 'log-read-refused' }>
}

/** What a reading is asked for. */
export type ReadRequest = {
  readonly doc: DocumentKey
  /** Number of the reading. */
  readonly read: number
  readonly after: number
  /** 1 MiB when not said. */
  readonly bytesMax?: number | undefined
}

/** A log store in a test's hands: effects go in, their answers are awaited. */
export class LogClient {
  readonly store: LogStore
  readonly #inbox: Inbox<LogInput>

  /** @param advance lets virtual time pass, for stores that live in it */
  constructor(open: LogStoreFactory, advance?: () => void) {
    this.#inbox = new Inbox(advance)
    this.store = open(input => this.#inbox.take(input))
  }

  /** All that the store has reported, in order. */
  get inputs(): LogInput[] {
    return this.#inbox.inputs
  }

  /** Opens a document. */
  async open(doc: DocumentKey): Promise<OpenedDocument> {
    const from = this.inputs.length
    this.store.perform({ kind: 'log-open', doc })
    const answer = await this.#inbox.find(from, input =>
      input.doc === doc && (input.kind === 'log-opened' || input.kind === 'log-open-refused')
        ? input
        : undefined,
    )
    const told = this.inputs.slice(from).filter(input => input.doc === doc)
    return {
      snapshot: told.flatMap(input => (input.kind === 'log-snapshot' ? [input.snapshot] : []))[0],
      records: told.flatMap(input => (input.kind === 'log-records' ? input.records : [])),
      answer,
    }
  }

  /** Follows a document that another store writes; what it is told at first. */
  async follow(doc: DocumentKey): Promise<FollowAnswer> {
    const from = this.inputs.length
    this.store.perform({ kind: 'log-follow', doc })
    return await this.#inbox.find(from, input =>
      input.doc === doc && (input.kind === 'log-followed' || input.kind === 'log-open-refused')
        ? input
        : undefined,
    )
  }

  /** The records of a document that were told, from some input on. */
  recordsOf(doc: DocumentKey, from = 0): LogRecord[] {
    return this.inputs
      .slice(from)
      .flatMap(input => (input.kind === 'log-records' && input.doc === doc ? input.records : []))
  }

  /** Waits until the record of this seq was told. */
  async untilTold(doc: DocumentKey, seq: number): Promise<void> {
    await this.#inbox.find(0, input =>
      input.kind === 'log-records' && input.doc === doc && input.records.at(-1)?.seq === seq
        ? input
        : undefined,
    )
  }

  /** Waits until the document is refused. */
  async untilRefused(doc: DocumentKey): Promise<Extract<FollowAnswer, { code: unknown }>> {
    return await this.#inbox.find(0, input =>
      input.kind === 'log-open-refused' && input.doc === doc ? input : undefined,
    )
  }

  /** Appends a stretch. */
  async append({ doc, epoch, after, records }: BuiltLog): Promise<AnswerTo['append']> {
    const from = this.inputs.length
    this.store.perform({ kind: 'log-append', doc, epoch, after, records })
    return await this.#inbox.find(from, input =>
      input.doc === doc && (input.kind === 'log-appended' || input.kind === 'log-append-refused')
        ? input
        : undefined,
    )
  }

  /** Keeps a snapshot. */
  async keepSnapshot(doc: DocumentKey, snapshot: Snapshot): Promise<AnswerTo['snapshot']> {
    const from = this.inputs.length
    this.store.perform({ kind: 'log-keep-snapshot', doc, snapshot })
    return await this.#inbox.find(from, input =>
      input.doc === doc &&
      (input.kind === 'log-snapshot-kept' || input.kind === 'log-snapshot-refused')
        ? input
        : undefined,
    )
  }

  /** Reads on in a log. */
  async read({ doc, read, after, bytesMax = 1_048_576 }: ReadRequest): Promise<AnswerTo['read']> {
    const from = this.inputs.length
    const id = read as LogReadId
    this.store.perform({ kind: 'log-read', doc, read: id, after, bytesMax })
    return await this.#inbox.find(from, input =>
      (input.kind === 'log-read' || input.kind === 'log-read-refused') && input.read === id
        ? input
        : undefined,
    )
  }

  /** All records that a reading gives, batch by batch, up to the end. */
  async readAll(request: ReadRequest): Promise<LogRecord[][]> {
    const batches: LogRecord[][] = []
    for (let { after } = request; ; ) {
      const answer = await this.read({ ...request, after })
      assert(answer.kind === 'log-read', `the log is read after ${after}, got ${answer.kind}`)
      if (answer.records.length === 0) return batches
      batches.push([...answer.records])
      after = answer.records.at(-1)?.seq ?? after
    }
  }

  /** Nobody reads on. */
  endRead(doc: DocumentKey, read: number): void {
    this.store.perform({ kind: 'log-read-close', doc, read: read as LogReadId })
  }

  /** Closes a document; nothing answers. */
  release(doc: DocumentKey): void {
    this.store.perform({ kind: 'log-close', doc })
  }
}

/** Opens a document and appends the start of a log. */
export async function write(client: LogClient, log: BuiltLog): Promise<BuiltLog> {
  await client.open(log.doc)
  await client.append(log)
  return log
}
