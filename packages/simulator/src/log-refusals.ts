/*
 * Times at which the log of the authority refuses for now: want of room, a disk that fails to read, a log that is out of reach. Each
 * is a fact of the world, and the authority may tell of each once.
 */
import type { LogInput } from '@fanfold/document'
import type { NodeFact } from './node-maker.ts'

const events: Readonly<Record<string, string>> = {
  FANFOLD_LOG_FULL: 'no room',
  FANFOLD_LOG_UNREADABLE: 'disk unreadable',
  FANFOLD_LOG_UNREACHABLE: 'log away',
}

/** What is told of an answer of the log, if it refuses for now. */
export function refusalFact(input: LogInput): NodeFact | undefined {
  const event = 'code' in input ? events[input.code] : undefined
  return event === undefined ? undefined : { event, reason: input.kind }
}

/** Refusals that the authority has not told of. */
export class LogRefusals {
  readonly #untold = new Map(Object.values(events).map(event => [event, 0]))

  /** Counts what is a refusal. */
  note({ event }: NodeFact): void {
    const count = this.#untold.get(event)
    if (count !== undefined) this.#untold.set(event, count + 1)
  }

  /** Whether what an authority tells comes of one of them, which is told of then. */
  explain({ event, code = 'FANFOLD_LOG_FULL' }: NodeFact): boolean {
    if (event === 'document-quarantined' || event === 'definition-refused') return false
    const refusal = events[code] ?? ''
    const count = this.#untold.get(refusal) ?? 0
    if (count === 0) return false
    this.#untold.set(refusal, count - 1)
    return true
  }
}
