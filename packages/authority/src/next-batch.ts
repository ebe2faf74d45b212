import type { WriterInput } from '@fanfold/protocol'
import type { AuthorityEffect } from './authority-effect.ts'
import { type Batch, BatchBuilder, type BatchStart } from './batch.ts'
import type { DocumentWork } from './document-work.ts'

/** What a batch is made of. */
export type BatchOptions = {
  readonly start: Omit<BatchStart, 'loaded' | 'problem'>
  readonly work: DocumentWork
  /** Where the writes that no longer wait are put, one by one. */
  readonly taken: WriterInput[]
}

/**
 * Makes a batch of what waits, which begins with the definition if the log is to be told of it. What
 * needs no append is answered.
 */
export function nextBatch(options: BatchOptions, effects: AuthorityEffect[]): Batch {
  const { start, work, taken } = options
  const { standing, writes } = work
  const { inForce: loaded, problem } = standing
  const builder = new BatchBuilder({ ...start, loaded, problem })
  define(builder, options, effects)
  builder.claim()
  const { crowd } = work
  if (crowd !== undefined) {
    work.crowd = undefined
    if (builder.isCounting) builder.count(crowd)
    else start.context.crowd.postponed(start.doc)
  }
  while (!builder.isFull) {
    const input = writes.shift()
    if (input === undefined) break
    taken.push(input)
    builder.add(input)
  }
  const batch = builder.finish()
  for (const { request, answer } of batch.immediate) {
    effects.push({ kind: 'write-answered', request, answer })
  }
  return batch
}

/** Begins a batch with the definition, if the log is to be told of it. */
function define(
  builder: BatchBuilder,
  { start, work }: BatchOptions,
  effects: AuthorityEffect[],
): void {
  const { standing } = work
  const { due } = standing
  const problem = due && builder.define(due)
  if (due === undefined || problem === undefined) return
  standing.refuse(due, problem)
  const fact = { event: 'definition-refused', doc: start.doc, ...problem } as const
  effects.push({ kind: 'fact', fact })
}
