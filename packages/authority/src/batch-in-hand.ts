import { assert, equalBytes } from '@fanfold/kernel'
import type { Position, WriterInput } from '@fanfold/protocol'
import type { AuthorityEffect } from './authority-effect.ts'
import { type Batch, undo } from './batch.ts'
import type { CrowdJudged } from './crowd-port.ts'
import { reject } from './document-answers.ts'
import { type BatchOptions, nextBatch } from './next-batch.ts'
import type { WriteProblem } from './write-problem.ts'

/** One for all documents in whose hands nothing is. */
const none: readonly WriterInput[] = []

/** The batch of a document that is on its way to the log, and the writers who wait for it. */
export class BatchInHand {
  #batch: Batch | undefined
  /** Writes that left the queue and are not answered yet. */
  #inputs: readonly WriterInput[] = none
  /** Why nothing is to wait behind the batch: the log does not say what became of it. */
  #stall: WriteProblem | undefined
  readonly #tellCrowd: (judged: CrowdJudged, isJudged: boolean) => void

  /** @param tellCrowd what becomes of what a crowd says: it is judged, or nothing came of it for now */
  constructor(tellCrowd: (judged: CrowdJudged, isJudged: boolean) => void) {
    this.#tellCrowd = tellCrowd
  }

  /** True while a batch is on its way. */
  get isUnderWay(): boolean {
    return this.#batch !== undefined
  }

  /** True for a place within the batch: the log may have it, and a child have read it there, before it says so. */
  has({ epoch, seq, hash }: Position): boolean {
    const record = this.#batch?.records.find(one => one.epoch === epoch && one.seq === seq)
    return record !== undefined && equalBytes(record.chainHash, hash)
  }

  /** Why nothing is to wait behind the batch, if that is so. */
  get stall(): WriteProblem | undefined {
    return this.#stall
  }

  /** Makes a batch of what waits. One without records is answered at once, and is not on its way. */
  make(options: Omit<BatchOptions, 'taken'>, effects: AuthorityEffect[]): Batch | undefined {
    assert(this.#batch === undefined, 'one batch at a time')
    // A handler may throw an assertion: who was taken by then is to be answered all the same.
    const taken: WriterInput[] = []
    this.#inputs = taken
    const batch = nextBatch({ ...options, taken }, effects)
    this.#inputs = batch.answers.map(({ input }) => input)
    if (batch.records.length === 0) {
      this.answer(batch, effects)
      return undefined
    }
    this.#batch = batch
    return batch
  }

  /** The log does not answer for now; the writers of the batch go on waiting. */
  waits(problem: WriteProblem): void {
    assert(this.#batch !== undefined, 'what waits is an append')
    this.#stall = problem
  }

  /** The log has it, up to `seq`. */
  appended(seq: number): Batch {
    const batch = this.#take()
    assert(seq === batch.end.seq, `the batch ends at ${batch.end.seq}, appended ${seq}`)
    return batch
  }

  /** Nothing of it is in the log: the state is as before. */
  undone(): Batch {
    const batch = this.#take()
    undo(batch)
    if (batch.crowd !== undefined) this.#tellCrowd(batch.crowd, false)
    return batch
  }

  /** The writers of a batch hear what became of their writes. */
  answer(batch: Batch, effects: AuthorityEffect[]): void {
    for (const { input, answer } of batch.answers) {
      effects.push({ kind: 'write-answered', request: input.request, answer })
    }
    this.#inputs = none
    if (batch.crowd !== undefined) this.#tellCrowd(batch.crowd, true)
  }

  /** Whoever waits for it hears that nothing came of it, and it is on its way no more. */
  reject({ code, message }: WriteProblem, effects: AuthorityEffect[]): void {
    const crowd = this.#batch?.crowd
    if (crowd !== undefined) this.#tellCrowd(crowd, false)
    this.#batch = undefined
    this.#stall = undefined
    for (const input of this.#inputs) reject(input, code, message, effects)
    this.#inputs = none
  }

  #take(): Batch {
    const batch = this.#batch
    assert(batch !== undefined, 'the log answers to a batch')
    this.#batch = undefined
    this.#stall = undefined
    return batch
  }
}
