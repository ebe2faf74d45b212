/*
 * What a process does, it does one thing after the other: all that comes in, and each tick, goes through
 * here. While the process is stopped as by SIGSTOP nothing is done, and what comes waits; one that is slow
 * takes a while for each thing.
 *
 * What waits is what the world has sent it meanwhile: pauses end, and so it is bounded by them.
 */
import { type Instant, instant } from '@fanfold/kernel'
import type { VirtualClock } from './virtual-clock.ts'

/** The processor of one process: it begins with it and ends with it. */
export class Processor {
  readonly #clock: VirtualClock
  #waiting: (() => void)[] = []
  /** How often it is paused: pauses may overlap. */
  #pauses = 0
  #taskMicros = 0
  #freeAt: Instant = instant(0)
  #isEnded = false
  #isPlanned = false

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** Whether it is stopped for a while. */
  get isPaused(): boolean {
    return this.#pauses > 0
  }

  /** Whether something may have to wait. */
  get isDelaying(): boolean {
    return this.#pauses > 0 || this.#taskMicros > 0 || this.#waiting.length > 0 || this.#isEnded
  }

  /** Does a task now, or when those before it are done; never, once the process is gone. */
  do(task: () => void): void {
    if (this.#isEnded) return
    if (this.#pauses === 0 && this.#waiting.length === 0 && this.#clock.now >= this.#freeAt) {
      this.#run(task)
      return
    }
    this.#waiting.push(task)
    this.#plan()
  }

  /** Does nothing until `resume`. */
  pause(): void {
    this.#pauses++
  }

  /** Ends a pause. */
  resume(): void {
    this.#pauses--
    this.#plan()
  }

  /** From now on each task takes so long; 0 for no time. */
  slow(taskMicros: number): void {
    this.#taskMicros = taskMicros
  }

  /** The process is gone: what waits is not done. */
  end(): void {
    this.#isEnded = true
    this.#waiting = []
  }

  #run(task: () => void): void {
    this.#freeAt = instant(this.#clock.now + this.#taskMicros)
    task()
  }

  #plan(): void {
    if (this.#isPlanned || this.#pauses > 0 || this.#waiting.length === 0) return
    this.#isPlanned = true
    const { now } = this.#clock
    this.#clock.at(this.#freeAt > now ? this.#freeAt : now, () => {
      this.#isPlanned = false
      this.#goOn()
    })
  }

  /** All that can be done at this instant, in the order in which it came. */
  #goOn(): void {
    let done = 0
    const tasks = this.#waiting
    while (done < tasks.length && this.#pauses === 0 && this.#clock.now >= this.#freeAt) {
      const task = tasks[done++]
      if (task !== undefined) this.#run(task)
    }
    // Those that have come meanwhile stand behind the others.
    if (this.#waiting === tasks) this.#waiting = tasks.slice(done)
    this.#plan()
  }
}
