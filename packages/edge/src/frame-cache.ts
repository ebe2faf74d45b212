import type { Cohort } from './cohort.ts'

type Cached = {
  readonly snapshot: Uint8Array
  /** Where in the log the snapshot stands. */
  readonly seq: number
  readonly after: Uint8Array[]
  bytes: number
  /** Sweeps since it was used last. */
  sweeps: number
}

/** What was not used for so many sweeps goes: with one in five seconds, in a minute. */
const sweepsMax = 12

/**
 * What brings a newcomer up to date, by cohort: the newest snapshot that was made, and the frames that
 * the cohort was sent since, as long as those are fewer bytes than another snapshot.
 *
 * A document has one cache for all its cohorts, which holds so many bytes and the one used last.
 */
export class FrameCache {
  readonly #bytesMax: number
  /** In order of last use. */
  readonly #cached = new Map<Cohort, Cached>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes
  }

  /** The cohort's snapshot and the frames after it, if they are here and it is not older than `seqMin`. */
  get(cohort: Cohort, seqMin = 0): readonly [Uint8Array, ...Uint8Array[]] | undefined {
    const cached = this.#cached.get(cohort)
    if (cached === undefined || cached.seq < seqMin) return undefined
    this.#cached.delete(cohort)
    this.#cached.set(cohort, cached)
    cached.sweeps = 0
    return [cached.snapshot, ...cached.after]
  }

  /** Keeps a snapshot of now. */
  put(cohort: Cohort, snapshot: Uint8Array): void {
    this.drop(cohort)
    const { seq } = cohort.sent
    this.#cached.set(cohort, { snapshot, seq, after: [], bytes: snapshot.length, sweeps: 0 })
    this.#bytes += snapshot.length
    for (const oldest of this.#cached.keys()) {
      if (this.#bytes <= this.#bytesMax || oldest === cohort) return
      this.drop(oldest)
    }
  }

  /** The cohort was sent a delta. */
  push(cohort: Cohort, frame: Uint8Array): void {
    const cached = this.#cached.get(cohort)
    if (cached === undefined) return
    if (cached.bytes + frame.length >= 2 * cached.snapshot.length) {
      this.drop(cohort)
      return
    }
    cached.after.push(frame)
    cached.bytes += frame.length
    this.#bytes += frame.length
  }

  /** What was not used for long goes. */
  sweep(): void {
    for (const [cohort, cached] of this.#cached) {
      if (++cached.sweeps > sweepsMax) this.drop(cohort)
    }
  }

  /** What is here of the cohort is of no more use. */
  drop(cohort: Cohort): void {
    this.#bytes -= this.#cached.get(cohort)?.bytes ?? 0
    this.#cached.delete(cohort)
  }
}
