/*
 * The coordinator port on virtual time: a space where members meet, as far away as a server is.
 *
 * What a node wants done takes a while until it is there, and so does what it is told; all in order. Of members
 * it is told now and then rather than each time, as one who reads them is. The way there may be interrupted:
 * what is under way then waits, and what has waited for too long is given up, as the server is. Of what was
 * given up some was done, and nobody knows.
 */
import { type Duration, instant, milliseconds, type Prng } from '@fanfold/kernel'
import type {
  CoordinationSpace,
  Coordinator,
  CoordinatorEffect,
  CoordinatorInput,
  PlacingId,
} from '@fanfold/topology'
import type { VirtualClock } from './virtual-clock.ts'

/** Shortest way to the space, and the mean of what is added to it, ms. */
const wayMinMs = 0.2
const wayMeanMs = 1
/** What was announced is told at most so much later than at once, ms. */
const toldWithinMs = 300
/** Who has had no answer for so long gives up, ms. */
const lostAfterMs = 2_000
/** How long it takes at most to notice that the way is free again, ms. */
const foundWithinMs = 200
/** Share of what was given up that was done. */
const doneShare = 0.5

type Heard = Extract<CoordinatorInput, { kind: 'members-heard' }>

/** One node's coordinator on a space. */
export class SimulatedCoordinator implements Coordinator {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #space: CoordinationSpace
  readonly #receive: (input: CoordinatorInput) => void
  /** The end of the way: another one after each time that it was given up; none until it is found. */
  #end: Coordinator | undefined
  #isWatching = false
  #isAway = false
  #isStopped = false
  /** How often the way was interrupted or freed. */
  #turns = 0
  #thereAt = instant(0)
  #backAt = instant(0)
  /** What waits for the way to be free. */
  #going: (() => void)[] = []
  #coming: CoordinatorInput[] = []
  /** Members of whom it is to be told next, perhaps none; undefined when nothing is. */
  #heard: Heard['members'][number][] | undefined
  readonly #placings = new Set<PlacingId>()
  #underWay = 0
  #whenIdle: (() => void) | undefined

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly space: CoordinationSpace
    /** Takes what is told, each time in an event of its own. */
    readonly receive: (input: CoordinatorInput) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#space = options.space
    this.#receive = options.receive
    this.#end = this.#open()
  }

  perform(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case 'coordinator-watch':
        this.#isWatching = true
        break
      case 'coordinator-place':
        this.#placings.add(effect.placing)
        if (this.#end === undefined) this.#in(milliseconds(0), () => this.#giveUpPlacings())
    }
    this.#go(effect)
  }

  /** The way is interrupted, or free again. */
  setAway(isAway: boolean): void {
    if (this.#isAway === isAway) return
    this.#isAway = isAway
    const turn = ++this.#turns
    if (isAway) {
      this.#in(milliseconds(lostAfterMs), () => {
        if (this.#turns === turn) this.#lose()
      })
      return
    }
    this.#in(milliseconds(foundWithinMs * this.#prng.fraction()), () => {
      if (this.#turns !== turn) return
      if (this.#end === undefined) this.#find()
      else this.#goOn()
    })
  }

  /** The process is gone: what has not arrived never does. */
  stop(): void {
    this.#isStopped = true
    void this.#end?.close()
  }

  async close(): Promise<void> {
    // What is on its way there, the answers to it, and their way back.
    await this.#idle()
    await this.#end?.close()
    await this.#idle()
    this.#isStopped = true
  }

  #idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#whenIdle = resolve
    })
  }

  #open(): Coordinator {
    const end: Coordinator = this.#space.open(input => {
      // Nobody is at the other end of a way that was given up.
      if (end === this.#end) this.#come(input)
    })
    return end
  }

  /** Something is on its way to the space. */
  #go(effect: CoordinatorEffect): void {
    const end = this.#end
    if (end === undefined) return
    const act = (): void => end.perform(effect)
    const at = Math.max(this.#clock.now + this.#drawWay(), this.#thereAt)
    this.#thereAt = instant(at)
    this.#in((at - this.#clock.now) as Duration, () => {
      if (end !== this.#end) return
      if (this.#isAway || this.#going.length > 0) this.#going.push(act)
      else act()
    })
  }

  /** Something is on its way back. */
  #come(input: CoordinatorInput): void {
    if (input.kind !== 'members-heard') {
      this.#comeHeard()
      this.#comeOne(input)
      return
    }
    if (this.#heard !== undefined) {
      for (const member of input.members) this.#heard.push(member)
      return
    }
    this.#heard = [...input.members]
    const end = this.#end
    this.#in(milliseconds(toldWithinMs * this.#prng.fraction()), () => {
      if (end === this.#end) this.#comeHeard()
    })
  }

  #comeHeard(): void {
    const members = this.#heard
    this.#heard = undefined
    if (members !== undefined) this.#comeOne({ kind: 'members-heard', members })
  }

  #comeOne(input: CoordinatorInput): void {
    const at = Math.max(this.#clock.now + this.#drawWay(), this.#backAt)
    this.#backAt = instant(at)
    const end = this.#end
    this.#in((at - this.#clock.now) as Duration, () => {
      if (end !== this.#end) return
      if (this.#isAway || this.#coming.length > 0) this.#coming.push(input)
      else this.#tell(input)
    })
  }

  #tell(input: CoordinatorInput): void {
    if ('placing' in input) this.#placings.delete(input.placing)
    this.#receive(input)
  }

  /** The way is free before anybody has given it up. */
  #goOn(): void {
    for (const act of this.#going.splice(0)) act()
    for (const input of this.#coming.splice(0)) this.#tell(input)
  }

  #lose(): void {
    const end = this.#end
    this.#end = undefined
    for (const act of this.#going.splice(0)) if (this.#prng.chance(doneShare)) act()
    this.#coming = []
    this.#heard = undefined
    void end?.close()
    this.#receive({ kind: 'coordinator-lost', ...unreachable })
    this.#giveUpPlacings()
  }

  #find(): void {
    this.#end = this.#open()
    this.#receive({ kind: 'coordinator-found' })
    if (this.#isWatching) this.#go({ kind: 'coordinator-watch' })
  }

  #giveUpPlacings(): void {
    for (const placing of this.#placings) {
      this.#receive({ kind: 'place-unanswered', placing, ...unreachable })
    }
    this.#placings.clear()
  }

  #drawWay(): number {
    return milliseconds(wayMinMs - wayMeanMs * Math.log(1 - this.#prng.fraction()))
  }

  #in(delay: Duration, happen: () => void): void {
    this.#underWay++
    this.#clock.in(delay, () => {
      this.#underWay--
      if (!this.#isStopped) happen()
      if (this.#underWay > 0) return
      this.#whenIdle?.()
      this.#whenIdle = undefined
    })
  }
}

const unreachable = {
  code: 'FANFOLD_COORDINATOR_UNREACHABLE',
  message: 'where members meet does not answer',
} as const
