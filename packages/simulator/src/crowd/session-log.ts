/* How far each session of a document is, by what its records say, and by none of the code that keeps ledgers. */
import type { LedgerEntry } from '@fanfold/reduction'

/** The sessions of one document's log. */
export class SessionLog {
  readonly #counted = new Map<number, number>()
  readonly #sealed = new Set<number>()

  /** What a record says is so from now on; why it may not say so, in words. */
  enter({ opened, sealed, counted }: LedgerEntry): string | undefined {
    let problem: string | undefined
    for (const { session, after, upTo } of counted) {
      const before = this.#counted.get(session)
      if (before !== after || this.#sealed.has(session)) {
        const standing = this.#sealed.has(session) ? 'sealed' : 'counted'
        problem ??= `windows ${after + 1} to ${upTo} of session ${session} count, which is ${standing} up to ${before}`
      }
      this.#counted.set(session, Math.max(before ?? 0, upTo))
    }
    for (const session of sealed) {
      if (!this.#counted.has(session) || this.#sealed.has(session)) {
        problem ??= `session ${session} is sealed, which is not open`
      }
      this.#sealed.add(session)
    }
    for (const session of opened) {
      if (this.#counted.has(session)) problem ??= `session ${session} is begun again`
      this.#counted.set(session, 0)
    }
    return problem
  }
}
