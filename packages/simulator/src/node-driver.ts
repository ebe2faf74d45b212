import { AssertionError, assert, type Instant, type Machine } from '@fanfold/kernel'
import type { NodeClock } from './node-clock.ts'
import type { Moment } from './node-fault.ts'
import type { Problems } from './problems.ts'
import type { Processor } from './processor.ts'
import type { Trace } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Turns that one machine may take at one instant; a machine that takes more goes in circles. */
const turnsPerInstantMax = 100_000

/** What a driver needs to know of an input to write it into the trace. */
export type DescribedInput = { readonly what: string; readonly bytes?: Uint8Array }

/** Waits for the moment at which a machine has done something so often. */
export type Trap = {
  readonly moment: Moment
  /** Whether it still waits. */
  readonly isSet: () => boolean
  /** The machine stops there: nothing that it wanted next is done. */
  readonly spring: () => void
}

/**
 * Drives one machine on virtual time: inputs one at a time, effects in order, `tick` when the machine
 * wants it. The simulator's counterpart of a Node process.
 */
export class NodeDriver<
  Input extends { readonly kind: string },
  Effect extends { readonly kind: string },
> {
  readonly name: string
  readonly #machine: Machine<Input, Effect>
  readonly #clock: VirtualClock
  readonly #time: NodeClock
  readonly #trace: Trace
  readonly #problems: Problems
  readonly #perform: (effect: Effect) => void
  readonly #describe: (input: Input) => DescribedInput
  readonly #processor: Processor | undefined
  #traps: { readonly trap: Trap; left: number }[] = []
  #isInTurn = false
  #isStopped = false
  #wakeAt: Instant | undefined
  /** Grows with each new wake-up time: an event of an older one does nothing. */
  #wakeNumber = 0
  #turnsAt: Instant | undefined
  #turns = 0

  constructor(options: {
    readonly name: string
    readonly machine: Machine<Input, Effect>
    readonly clock: VirtualClock
    /** What the machine takes for the time. */
    readonly time: NodeClock
    readonly trace: Trace
    readonly problems: Problems
    /** Does what the machine wants done; never calls `receive` from inside. */
    readonly perform: (effect: Effect) => void
    readonly describe: (input: Input) => DescribedInput
    /** What ticks go through; at once when it is not said. */
    readonly processor?: Processor | undefined
  }) {
    this.#processor = options.processor
    this.name = options.name
    this.#machine = options.machine
    this.#clock = options.clock
    this.#time = options.time
    this.#trace = options.trace
    this.#problems = options.problems
    this.#perform = options.perform
    this.#describe = options.describe
  }

  /** Hands the machine an input; called from an event of the clock. */
  receive(input: Input): void {
    if (this.#isStopped) return
    if (this.#traps.length > 0 && this.#springs('before', input.kind)) return
    const { what, bytes } = this.#describe(input)
    this.#trace.add(this.#clock.now, this.name, what, bytes)
    this.#turn(effects => this.#machine.receive(input, this.#time.now, effects))
    if (this.#traps.length > 0) this.#springs('after', input.kind)
  }

  /** Waits for a moment. */
  trap(trap: Trap): void {
    this.#traps.push({ trap, left: trap.moment.count })
  }

  /** The node is gone: the machine gets nothing any more, and nothing it wants is done. */
  stop(): void {
    this.#isStopped = true
  }

  #turn(step: (effects: Effect[]) => void): void {
    assert(!this.#isInTurn, `${this.name} takes one input at a time`)
    this.#countTurn()
    this.#isInTurn = true
    const effects: Effect[] = []
    try {
      step(effects)
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error
      this.#problems.add(`${this.name}: assertion failed: ${error.message}`)
    }
    if (this.#traps.length > 0) this.#performTrapped(effects)
    else for (const effect of effects) this.#perform(effect)
    this.#isInTurn = false
    if (!this.#isStopped) this.#setWakeUp()
  }

  #performTrapped(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.#isStopped || this.#springs('before', effect.kind)) return
      this.#perform(effect)
      if (this.#springs('after', effect.kind)) return
    }
  }

  /** Whether the machine comes to a moment that is waited for, and stops. */
  #springs(side: Moment['side'], what: string): boolean {
    if (this.#isStopped) return true
    for (const waiting of this.#traps) {
      const { moment, isSet, spring } = waiting.trap
      if (moment.side !== side || moment.what !== what || !isSet()) continue
      waiting.left--
      if (waiting.left > 0) continue
      this.#trace.add(this.#clock.now, this.name, `stops ${side} ${what} ${moment.count}`)
      this.stop()
      spring()
      return true
    }
    return false
  }

  #countTurn(): void {
    const { now } = this.#clock
    if (this.#turnsAt !== now) {
      this.#turnsAt = now
      this.#turns = 0
    }
    this.#turns++
    assert(
      this.#turns <= turnsPerInstantMax,
      `${this.name} goes in circles at ${now} µs: over ${turnsPerInstantMax} turns`,
    )
  }

  #setWakeUp(): void {
    const wakeAt = this.#machine.wakeAt()
    if (wakeAt === undefined) {
      this.#wakeAt = undefined
      return
    }
    const at = this.#time.worldAt(wakeAt)
    // One that comes sooner looks again when it comes.
    if (this.#wakeAt !== undefined && this.#wakeAt <= at) return
    this.#wakeAt = at
    const number = ++this.#wakeNumber
    this.#clock.at(at, () => {
      const processor = this.#processor
      if (processor?.isDelaying === true) processor.do(() => this.#wake(number))
      else this.#wake(number)
    })
  }

  #wake(number: number): void {
    if (this.#isStopped || number !== this.#wakeNumber || this.#wakeAt === undefined) return
    this.#wakeAt = undefined
    const wakeAt = this.#machine.wakeAt()
    if (wakeAt === undefined || wakeAt > this.#time.now) {
      this.#setWakeUp()
      return
    }
    this.#trace.add(this.#clock.now, this.name, 'tick')
    this.#turn(effects => this.#machine.tick(this.#time.now, effects))
  }
}
