import type { Instant, Machine } from '@fanfold/kernel'
import { monotonicClock } from './clock.ts'

/** Longest delay that a timer of Node takes, ms. */
const timerMaxMs = 2_147_483_647

/**
 * Drives one machine in this process: inputs one at a time, effects in order, one timer for all that
 * the machine waits for.
 *
 * An input that arrives while effects are performed waits until they are done, so no effect of the
 * next step can overtake one of this.
 */
export class MachineDriver<Input, Effect> {
  readonly #machine: Machine<Input, Effect>
  readonly #perform: (effect: Effect) => void
  readonly #fail: (error: unknown) => void
  readonly #waiting: Input[] = []
  #isStepping = false
  #isClosed = false
  #armedAt: Instant | undefined
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(options: {
    readonly machine: Machine<Input, Effect>
    readonly perform: (effect: Effect) => void
    /** The machine threw: nothing it says from here on can be trusted. */
    readonly fail: (error: unknown) => void
  }) {
    this.#machine = options.machine
    this.#perform = options.perform
    this.#fail = options.fail
  }

  /** Gives the machine one input. */
  submit(input: Input): void {
    if (this.#isClosed) return
    if (this.#isStepping) {
      this.#waiting.push(input)
      return
    }
    this.#step((now, effects) => this.#machine.receive(input, now, effects))
    this.#settle()
  }

  /** Drives no more. */
  close(): void {
    this.#isClosed = true
    this.#waiting.length = 0
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  #step(run: (now: Instant, effects: Effect[]) => void): void {
    if (this.#isClosed) return
    const effects: Effect[] = []
    this.#isStepping = true
    try {
      run(monotonicClock(), effects)
      for (const effect of effects) this.#perform(effect)
    } catch (error) {
      this.close()
      this.#fail(error)
    } finally {
      this.#isStepping = false
    }
  }

  #arm(): void {
    if (this.#isClosed) return
    const at = this.#machine.wakeAt()
    if (at === undefined || (this.#armedAt !== undefined && this.#armedAt <= at)) return
    this.#armedAt = at
    clearTimeout(this.#timer)
    const delayMs = Math.ceil((at - monotonicClock()) / 1000)
    if (delayMs <= 0) {
      this.#wakeAfterSockets()
    } else {
      this.#timer = setTimeout(() => this.#wakeAfterSockets(), Math.min(delayMs, timerMaxMs))
      this.#timer.unref()
    }
  }

  /**
   * What goes on and on must not starve the sockets. And a timer comes before them: in a process that was
   * paused, or was busy for long, a peer whose frames wait here would be taken for silent.
   */
  #wakeAfterSockets(): void {
    this.#immediate ??= setImmediate(() => this.#wake())
  }

  #wake(): void {
    this.#armedAt = undefined
    this.#immediate = undefined
    this.#step((now, effects) => this.#machine.tick(now, effects))
    this.#settle()
  }

  /** Takes what arrived meanwhile, then waits for what the machine waits for. */
  #settle(): void {
    for (let input = this.#waiting.shift(); input !== undefined; input = this.#waiting.shift()) {
      const next = input
      this.#step((now, effects) => this.#machine.receive(next, now, effects))
    }
    this.#arm()
  }
}
