/*
 * One document's effects, one after the other, and what becomes of their errors.
 */
import { type Chain, type LogEffect, type LogInput, refusedLogEffect } from '@fanfold/document'
import { assert, type Sha256, unreachable } from '@fanfold/kernel'
import type { Position } from '@fanfold/protocol'
import type { DocumentDirectory } from './document-directory.ts'
import { type Refusal, refusalOfReading, refusalOfWriting } from './log-error.ts'
import { LogWriter, suffixOf, type WriterOptions } from './log-writer.ts'
import { openLog, type SetAside } from './open-log.ts'
import { writeSnapshot } from './snapshot-file.ts'
import type { TurnBudget } from './turn-budget.ts'

/** What all documents of a store share. */
export type DocumentLogContext = {
  readonly chain: Chain
  readonly sha256: Sha256
  readonly writing: WriterOptions
  readonly budget: TurnBudget
  readonly answer: (input: LogInput) => void
  readonly setAside: (aside: SetAside) => void
}

/** Files are of one machine: who takes over from its process finds them there. */
const nobodyElse: Refusal = {
  code: 'FANFOLD_LOG_UNREADABLE',
  message: 'logs in files are written by one process, and followed by none',
}

/** An effect that waits its turn behind the others of its document. */
export type QueuedEffect = Exclude<LogEffect, { kind: 'log-read' | 'log-read-close' }>

type EffectOf<Kind extends LogEffect['kind']> = Extract<LogEffect, { kind: Kind }>

/** A document that somebody uses; the store forgets it when it is closed and nothing waits. */
export class DocumentLog {
  readonly directory: DocumentDirectory
  readonly #context: DocumentLogContext
  #waiting: QueuedEffect[] = []
  #writer: LogWriter | undefined
  #appendsInFlight = 0

  constructor(directory: DocumentDirectory, context: DocumentLogContext) {
    this.directory = directory
    this.#context = context
  }

  get hasWork(): boolean {
    return this.#waiting.length > 0
  }

  /** True while the document is open. */
  get isOpen(): boolean {
    return this.#writer !== undefined
  }

  /** After the last record that is durable and counts for good; undefined while not open. */
  get position(): Position | undefined {
    return this.#writer?.position
  }

  /** True while a file is open between two appends. */
  get holdsFile(): boolean {
    return this.#writer?.holdsFile ?? false
  }

  /** Closes the file until the next append. */
  async release(): Promise<void> {
    await this.#writer?.release()
  }

  /** Puts an effect behind those that wait. */
  add(effect: QueuedEffect): void {
    if (effect.kind === 'log-append') {
      requireBatch(effect)
      assert(this.#appendsInFlight === 0, `one append of ${effect.doc} is in flight at a time`)
      this.#appendsInFlight++
    }
    if (effect.kind === 'log-close') {
      assert(this.#appendsInFlight === 0, `no append of ${effect.doc} is in flight at log-close`)
    }
    this.#waiting.push(effect)
  }

  /**
   * Does the first effect that waits, and answers.
   *
   * @throws DiskFailure, AssertionError: the process must end
   */
  async step(): Promise<void> {
    const effect = this.#waiting.shift()
    // An array keeps the room that it once took.
    if (this.#waiting.length === 0) this.#waiting = []
    // What `perform` starts answers later, also where there is nothing to wait for.
    await undefined
    switch (effect?.kind) {
      case undefined:
        return
      case 'log-open':
        return this.#open(effect)
      case 'log-follow':
        this.#context.answer(refusedLogEffect(effect, nobodyElse))
        return
      case 'log-append':
        return this.#append(effect)
      case 'log-keep-snapshot':
        return this.#keepSnapshot(effect)
      case 'log-close':
        await this.release()
        this.#writer = undefined
        return
      default:
        unreachable(effect)
    }
  }

  async #open({ doc }: EffectOf<'log-open'>): Promise<void> {
    assert(this.#writer === undefined, `${doc} is opened once until it is closed`)
    const { directory } = this
    const { chain, sha256, budget, writing, answer, setAside } = this.#context
    const listener = {
      snapshot: (snapshot: EffectOf<'log-keep-snapshot'>['snapshot']) =>
        answer({ kind: 'log-snapshot', doc, snapshot }),
      records: (records: EffectOf<'log-append'>['records']) =>
        answer({ kind: 'log-records', doc, records }),
    }
    try {
      const opened = await openLog({ directory, chain, sha256, budget, listener, setAside })
      this.#writer = new LogWriter(directory, opened, writing)
      answer({ kind: 'log-opened', doc, epoch: opened.epoch })
    } catch (error) {
      answer({ kind: 'log-open-refused', doc, ...refusalOfReading(error) })
    }
  }

  async #append({ doc, epoch, after, records }: EffectOf<'log-append'>): Promise<void> {
    const writer = this.#openWriter(doc)
    let refusal: Refusal | undefined
    try {
      await writer.append({ epoch, after, records })
    } catch (error) {
      refusal = refusalOfWriting(error)
    }
    this.#appendsInFlight--
    if (refusal === undefined)
      this.#context.answer({ kind: 'log-appended', doc, seq: writer.position.seq })
    else this.#context.answer({ kind: 'log-append-refused', doc, ...refusal })
  }

  async #keepSnapshot({ doc, snapshot }: EffectOf<'log-keep-snapshot'>): Promise<void> {
    const { writing, answer } = this.#context
    const { seq } = snapshot.manifest.at
    const last = this.#openWriter(doc).position.seq
    assert(seq > 0 && seq <= last, `a snapshot of ${doc} at 1 to ${last}, got ${seq}`)
    try {
      await writeSnapshot(this.directory, { snapshot, suffix: suffixOf(writing) })
      answer({ kind: 'log-snapshot-kept', doc, seq })
    } catch (error) {
      answer({ kind: 'log-snapshot-refused', doc, ...refusalOfWriting(error) })
    }
  }

  #openWriter(doc: string): LogWriter {
    assert(this.#writer !== undefined, `${doc} was opened before it is written`)
    return this.#writer
  }
}

function requireBatch({ doc, epoch, after, records }: EffectOf<'log-append'>): void {
  assert(records.length > 0, `a batch of ${doc} has at least one record`)
  let seq = after.seq
  for (const record of records) {
    seq++
    // The messages cost more than the checks, thousands of times a second.
    if (record.epoch === epoch && record.seq === seq) continue
    assert(false, `record ${epoch}:${seq} of ${doc}, got ${record.epoch}:${record.seq}`)
  }
}
