import { after, type Instant, milliseconds } from '@fanfold/kernel'
import type { ErrorCode } from '@fanfold/protocol'
import { isForNow, type WriteProblem } from './write-problem.ts'

/** For so long a document is refused that somebody else has claimed, ms. */
const fencedMs = 5_000

/** Why a document is not served here, and for how long. */
export class DocumentRefusal implements WriteProblem {
  readonly code: ErrorCode
  readonly message: string
  /** Until when, as somebody else has claimed the log; then that is to be opened anew. */
  readonly fencedUntil: Instant | undefined
  readonly #isOvertaken: boolean

  /** @param options.isOvertaken another has written before this one claimed the log, which is to be read anew */
  constructor(
    { code, message }: WriteProblem,
    { now, isOvertaken }: { readonly now: Instant; readonly isOvertaken: boolean },
  ) {
    this.code = code
    this.message = message
    this.#isOvertaken = isOvertaken
    const isFenced = code === 'FANFOLD_FENCED' && !isOvertaken
    this.fencedUntil = isFenced ? after(now, milliseconds(fencedMs)) : undefined
  }

  /** True when the log could not be opened for now: it is to be opened anew for whoever asks next. */
  get isForNow(): boolean {
    return this.#isOvertaken || isForNow(this)
  }

  /** True after an assertion failed inside: the document is not served until the node restarts. */
  get isQuarantined(): boolean {
    return this.code === 'FANFOLD_QUARANTINED'
  }
}
