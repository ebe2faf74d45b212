/*
 * How long changes took to be shown: from when a writer sent one until a viewer showed it, by the clock of
 * this machine, in phases of a run that are compared with each other.
 */

/** A part of a run, ms since 1970. */
export type Phase = { readonly name: string; readonly fromMs: number; readonly toMs: number }

/** Of which delays it is the 99th percentile. */
const share = 0.99

/** Delays by phase, as histories are read: all of the writers', then those of the viewers. */
export class Delays {
  readonly #phases: readonly Phase[]
  readonly #sentAtMs = new Map<string, number>()
  readonly #bySeq = new Map<string, number>()
  readonly #delaysMs = new Map<string, number[]>()

  constructor(phases: readonly Phase[]) {
    this.#phases = phases
  }

  /** A message was sent; again counts as before. */
  sent(doc: string, id: string, atMs: number): void {
    const key = `${doc} ${id}`
    if (this.#phases.length > 0 && !this.#sentAtMs.has(key)) this.#sentAtMs.set(key, atMs)
  }

  /** It was acknowledged. */
  acknowledged(doc: string, id: string, seq: number): void {
    const atMs = this.#sentAtMs.get(`${doc} ${id}`)
    if (atMs !== undefined) this.#bySeq.set(`${doc} ${seq}`, atMs)
  }

  /** A viewer shows a change; it counts in the phase in which the message was sent. */
  shown(doc: string, seq: number, atMs: number): void {
    const sentAtMs = this.#bySeq.get(`${doc} ${seq}`)
    if (sentAtMs === undefined) return
    for (const { name, fromMs, toMs } of this.#phases) {
      if (sentAtMs < fromMs || sentAtMs >= toMs) continue
      const delays = this.#delaysMs.get(name) ?? []
      this.#delaysMs.set(name, delays)
      delays.push(atMs - sentAtMs)
    }
  }

  /** The 99th percentile of each phase, ms; a phase in which nothing was shown is not there. */
  percentiles(): Record<string, number> {
    const percentiles: Record<string, number> = {}
    for (const [name, delays] of this.#delaysMs) {
      delays.sort((one, other) => one - other)
      percentiles[name] =
        delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? 0
    }
    return percentiles
  }
}
