import {
  type AnsweredLogEffect,
  type LogInput,
  type LogRefusal,
  refusedLogEffect,
} from '@fanfold/document'
import { AssertionError } from '@fanfold/kernel'
import { RedisFailure } from './redis-failure.ts'
import { MistakenReply } from './reply.ts'

/** What an effect is refused with. */
export type Refusal = { readonly code: LogRefusal; readonly message: string }

/** An outcome of the log that the authority is told: it becomes the refusal of the effect at hand. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogRefusal

  constructor(code: LogRefusal, message: string) {
    super(message)
    this.code = code
  }
}

/** Nobody can know any more whether a batch is in the log: the process ends, the log is read by another. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome'
  readonly code = 'FANFOLD_LOG_OUTCOME_UNKNOWN'
}

/** Refuses a log whose keys do not hold what they must. */
export function damaged(what: string): never {
  throw new LogError('FANFOLD_LOG_DAMAGED', damage(what))
}

/**
 * What something is refused with that failed.
 *
 * @throws what is no outcome but the end of the process
 */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof LogError) return { code: error.code, message: error.message }
  if (error instanceof MistakenReply) {
    return {
      code: 'FANFOLD_LOG_DAMAGED',
      message: damage(`the Redis of the log: ${error.message}`),
    }
  }
  if (!(error instanceof RedisFailure) || error instanceof AssertionError) throw error
  const { kind, message } = error
  switch (kind) {
    case 'not-sent':
    case 'no-answer':
    case 'not-now':
      return { code: 'FANFOLD_LOG_UNREACHABLE', message: `the Redis of the log: ${message}` }
    case 'no-room':
      return { code: 'FANFOLD_LOG_FULL', message: `the Redis of the log: ${message}` }
    case 'wrong-type':
      return { code: 'FANFOLD_LOG_DAMAGED', message: `a key of the log: ${message}` }
    case 'refused':
      return { code: 'FANFOLD_LOG_UNREADABLE', message: `the Redis of the log: ${message}` }
  }
}

/** Makes the answer to an effect of what failed. @throws what is no outcome but the end of the process */
export const refused =
  (effect: AnsweredLogEffect) =>
  (error: unknown): LogInput =>
    refusedLogEffect(effect, refusalOf(error))

const damage = (what: string): string =>
  `${what}; nothing was changed: restore the keys of the document from a backup`
