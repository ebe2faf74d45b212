/*
 * Which write became which seq, and when it was due. A viewer in another process may see a write before its
 * acknowledgement is here: what was seen of a seq waits until the ledger knows whose it is, or that too
 * many others have come since, as it was somebody else's then.
 *
 * A delta may lead over several records: as they were committed together, as the viewer or a node was late, or as it may
 * not see some of them. Only the last of them is known to be one that viewers see. All of them count, as else those that
 * waited the longest would not; how many writes were never the last one is counted, so that it can be told.
 */

/** Writes that are remembered: whoever sees one later than this has been away for long. */
const writesMax = 65_536
/** Seqs that were seen and are nobody's yet. */
const unknownMax = 256

/** One write that is committed. */
export type CommittedWrite = {
  readonly seq: number
  /** From when its latency counts, ms of the machine's clock. */
  readonly startMs: number
}

/** Matches what viewers see with what was written. */
export class WriteLedger {
  readonly #writes = new Map<number, { readonly startMs: number; isLast: boolean }>()
  /** When viewers saw what is not known yet. */
  readonly #unknown = new Map<number, { readonly seenAtMs: number[]; isLast: boolean }>()
  readonly #took: (latencyMs: number) => void
  #highest = 0
  #lastCount = 0

  /** @param took told of each write that a viewer saw, how long that took */
  constructor(took: (latencyMs: number) => void) {
    this.#took = took
  }

  /** Writes that were the last record of a delta for some viewer. */
  get lastCount(): number {
    return this.#lastCount
  }

  /** A write is committed. */
  commit({ seq, startMs }: CommittedWrite): void {
    const { seenAtMs = [], isLast = false } = this.#unknown.get(seq) ?? {}
    this.#unknown.delete(seq)
    this.#writes.set(seq, { startMs, isLast })
    forgetFirst(this.#writes, writesMax)
    this.#highest = Math.max(this.#highest, seq)
    if (isLast) this.#lastCount++
    for (const atMs of seenAtMs) this.#took(atMs - startMs)
  }

  /** A viewer went on from one seq to a later one. */
  see(step: { readonly from: number; readonly seq: number; readonly atMs: number }): void {
    const { from, seq, atMs } = step
    const first = Math.max(from + 1, seq - writesMax + 1)
    for (let one = first; one <= seq; one++) {
      const write = this.#writes.get(one)
      if (write !== undefined) {
        if (one === seq && !write.isLast) {
          write.isLast = true
          this.#lastCount++
        }
        this.#took(atMs - write.startMs)
      } else if (one > this.#highest) {
        this.#wait(one, { atMs, isLast: one === seq })
      }
    }
  }

  #wait(seq: number, { atMs, isLast }: { readonly atMs: number; readonly isLast: boolean }): void {
    const seen = this.#unknown.get(seq) ?? { seenAtMs: [], isLast: false }
    seen.seenAtMs.push(atMs)
    seen.isLast ||= isLast
    this.#unknown.set(seq, seen)
    forgetFirst(this.#unknown, unknownMax)
  }
}

/** Maps keep the order in which keys came. */
function forgetFirst(map: Map<number, unknown>, sizeMax: number): void {
  if (map.size <= sizeMax) return
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}
