import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** How often it is looked at, ms. */
const sampleMs = 100

/** How much this machine has to do besides: times mean little where processes wait for a processor. */
export class MachineLoad {
  readonly #timer: NodeJS.Timeout
  #sum = 0
  #samples = 0

  /** Looks from now on. */
  constructor() {
    this.#timer = setInterval(() => this.#sample(), sampleMs)
    this.#timer.unref()
  }

  /** How many threads wanted to run, on average, for each processor; at least 1. */
  stop(): number {
    clearInterval(this.#timer)
    return this.#samples === 0 ? 1 : this.#sum / this.#samples
  }

  #sample(): void {
    let running: number
    try {
      running = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[0])
    } catch {
      return
    }
    if (!Number.isFinite(running)) return
    this.#sum += Math.max(1, running / availableParallelism())
    this.#samples++
  }
}
