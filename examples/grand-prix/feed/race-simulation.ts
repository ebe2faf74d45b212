/*
 * One race, as a simulation on its own clock: each car is on its way to its next loop, the one that
 * gets there first goes, and says what a timing loop would say. Incidents are planned beforehand.
 */
import type { Prng } from '@fanfold/kernel'
import type { RaceMessage } from '../messages.ts'
import type { Compound, Entry } from '../race.ts'
import { type Conditions, followOrPass, freeMs, type Runner } from './runner.ts'
import { loopCount, placeOf, speedTrapLoop } from './track.ts'

/** Something said at an instant of the race's clock, which begins at the start. */
export type Said = { readonly atMs: number } & RaceMessage

/** One race; a machine without clock: `run` says everything, in order. */
export class RaceSimulation {
  readonly #prng: Prng
  readonly #laps: number
  readonly #isWet: boolean
  readonly #runners: Runner[]
  /** The car that passed each loop last. */
  readonly #lastThrough: (Runner | undefined)[] = []
  /** What happens at an instant rather than at a loop, by time. */
  readonly #planned: { atMs: number; happen: () => void }[] = []
  readonly #said: Said[] = []
  #conditions: Conditions
  #now = 0
  #safetyCarUntilLap = 0
  #isOver = false

  /** @param options the cars in the order of the grid, with the tyres they start on */
  constructor(options: {
    prng: Prng
    laps: number
    isWet: boolean
    grid: readonly { entry: Entry; pace: number; compound: Compound }[]
  }) {
    const { prng, laps, isWet, grid } = options
    this.#prng = prng
    this.#laps = laps
    this.#isWet = isWet
    this.#conditions = { status: 'clear', yellowSector: null, isWet }
    this.#runners = grid.map(({ entry, pace, compound }, index) => ({
      entry,
      pace,
      gridPlace: index + 1,
      compound,
      tyreLaps: 0,
      laps: 0,
      loop: 0,
      nextAtMs: 0,
      sinceMs: 0,
      sectorSinceMs: 0,
      stops: this.#planStops(compound),
      isInPit: false,
      status: 'running',
    }))
    for (const runner of this.#runners) runner.nextAtMs = this.#arrival(runner)
    this.#planIncidents()
    this.#planWeather()
  }

  /** Everything that is said from the start to the last car's finish. */
  *run(): Generator<Said, void> {
    for (;;) {
      const runner = this.#next()
      const planned = this.#planned[0]
      if (runner === undefined) return
      if (planned !== undefined && planned.atMs <= runner.nextAtMs) {
        this.#planned.shift()
        this.#now = Math.max(this.#now, planned.atMs)
        planned.happen()
      } else {
        this.#now = Math.max(this.#now, runner.nextAtMs)
        this.#pass(runner)
      }
      yield* this.#said.splice(0)
    }
  }

  #say(message: RaceMessage): void {
    this.#said.push({ atMs: this.#now, ...message })
  }

  /** The car that reaches its loop first. */
  #next(): Runner | undefined {
    let first: Runner | undefined
    for (const runner of this.#runners) {
      if (runner.status !== 'running') continue
      if (first === undefined || runner.nextAtMs < first.nextAtMs) first = runner
    }
    return first
  }

  #pass(runner: Runner): void {
    const car = runner.entry.number
    const { sector, segment } = placeOf(runner.loop)
    const ms = this.#now - runner.sinceMs
    const isSectorEnd = segment === loopCount / 3
    if (isSectorEnd) {
      const sectorMs = this.#now - runner.sectorSinceMs
      runner.sectorSinceMs = this.#now
      this.#say({
        message: 'sector',
        value: { car, sector, ms: sectorMs, segmentMs: ms, atMs: this.#now },
      })
    } else {
      this.#say({ message: 'segment', value: { car, sector, segment, ms } })
    }
    if (runner.loop === speedTrapLoop && this.#conditions.status !== 'safety-car') {
      const kmh = 316 - (this.#isWet ? 22 : 0) + this.#prng.below(22)
      this.#say({ message: 'speed', value: { car, kmh } })
    }

    const ahead = this.#lastThrough[runner.loop]
    this.#lastThrough[runner.loop] = runner
    runner.sinceMs = this.#now
    runner.loop = (runner.loop + 1) % loopCount
    if (runner.loop === 0) this.#crossLine(runner)
    if (runner.status !== 'running') return
    if (runner.loop === loopCount - 1 && this.#stopsNow(runner)) {
      runner.isInPit = true
      this.#say({ message: 'pitIn', value: { car } })
    }
    runner.nextAtMs = this.#arrival(runner, ahead)
    if (runner.isInPit && runner.loop === 0) this.#stop(runner)
  }

  #arrival(runner: Runner, ahead?: Runner): number {
    let ms = freeMs(runner, this.#conditions, this.#prng)
    const isLeader = this.#leader() === runner
    if (this.#conditions.status === 'safety-car' && isLeader) ms = Math.round(ms * 1.3)
    const atMs = this.#now + ms
    const isInTheWay =
      ahead !== undefined &&
      ahead !== runner &&
      ahead.status === 'running' &&
      ahead.loop === runner.loop &&
      !runner.isInPit
    return isInTheWay
      ? followOrPass(runner, ahead, {
          atMs,
          status: this.#conditions.status,
          prng: this.#prng,
        })
      : atMs
  }

  #crossLine(runner: Runner): void {
    runner.laps += 1
    runner.tyreLaps += 1
    if (runner.laps >= this.#laps) this.#isOver = true
    if (this.#isOver) runner.status = 'finished'
    if (
      this.#conditions.status === 'safety-car' &&
      runner === this.#leader() &&
      runner.laps >= this.#safetyCarUntilLap
    ) {
      this.#setTrack('clear', null)
    }
  }

  #leader(): Runner | undefined {
    let leader: Runner | undefined
    for (const runner of this.#runners) {
      if (runner.status === 'out') continue
      if (leader === undefined || isAhead(runner, leader)) leader = runner
    }
    return leader
  }

  // Pit stops

  #planStops(compound: Compound): number[] {
    if (this.#isWet) return this.#prng.chance(0.3) ? [this.#lapAround(0.5)] : []
    if (compound === 'soft') return [this.#lapAround(0.3), this.#lapAround(0.66)]
    return [this.#lapAround(compound === 'medium' ? 0.45 : 0.6)]
  }

  #lapAround(share: number): number {
    return Math.max(2, Math.round(this.#laps * share) + this.#prng.below(4) - 2)
  }

  #stopsNow(runner: Runner): boolean {
    const lap = runner.laps + 1
    if (lap >= this.#laps) return false
    const isCheap =
      this.#conditions.status === 'safety-car' && runner.stops.some(stop => stop > lap)
    if (!runner.stops.includes(lap) && !(isCheap && this.#prng.chance(0.6))) return false
    runner.stops = runner.stops.filter(stop => stop > lap + (isCheap ? 4 : 0))
    return true
  }

  /** In the box: the next loop comes later by the stop and the slow lane. */
  #stop(runner: Runner): void {
    const stationaryMs = 2_050 + this.#prng.below(900) + (this.#prng.chance(0.08) ? 4_500 : 0)
    const compound = this.#freshTyres(runner)
    runner.nextAtMs += 15_000 + stationaryMs
    runner.compound = compound
    runner.tyreLaps = 0
    this.#plan(runner.nextAtMs - 3_000, () => {
      runner.isInPit = false
      this.#say({ message: 'pitOut', value: { car: runner.entry.number, compound, stationaryMs } })
    })
  }

  #freshTyres(runner: Runner): Compound {
    if (this.#isWet) return 'wet'
    const left = this.#laps - runner.laps
    return left < 5 ? 'soft' : runner.compound === 'hard' ? 'medium' : 'hard'
  }

  // Incidents and weather

  #plan(atMs: number, happen: () => void): void {
    this.#planned.push({ atMs, happen })
    this.#planned.sort((a, b) => a.atMs - b.atMs)
  }

  #planIncidents(): void {
    const raceMs = this.#laps * 76_000
    const stops = 1 + this.#prng.below(3)
    for (let index = 0; index < stops; index++) {
      const runner = this.#prng.pick(this.#runners)
      const atMs = Math.round(raceMs * (0.12 + this.#prng.fraction() * 0.7))
      this.#plan(atMs, () => this.#breakDown(runner))
    }
    this.#plan(Math.round(raceMs * (0.1 + this.#prng.fraction() * 0.75)), () => this.#debris())
  }

  #breakDown(runner: Runner): void {
    if (runner.status !== 'running' || this.#isOver) return
    const { sector } = placeOf(runner.loop)
    const reason = this.#prng.pick(['gearbox', 'hydraulics', 'off track', 'power unit', 'brakes'])
    runner.status = 'out'
    this.#say({ message: 'retire', value: { car: runner.entry.number, reason } })
    if (runner.isInPit || this.#conditions.status !== 'clear') return
    this.#setTrack('yellow', sector)
    if (this.#prng.chance(0.6)) this.#plan(this.#now + 7_000, () => this.#sendSafetyCar())
    else this.#plan(this.#now + 24_000, () => this.#clearYellow())
  }

  #debris(): void {
    if (this.#isOver || this.#conditions.status !== 'clear') return
    this.#setTrack('yellow', 1 + this.#prng.below(3))
    this.#say({ message: 'notice', value: { text: 'DEBRIS ON TRACK' } })
    this.#plan(this.#now + 16_000, () => this.#clearYellow())
  }

  #clearYellow(): void {
    if (this.#conditions.status === 'yellow') this.#setTrack('clear', null)
  }

  #sendSafetyCar(): void {
    if (this.#isOver) return
    this.#safetyCarUntilLap = (this.#leader()?.laps ?? 0) + 2
    this.#setTrack('safety-car', null)
  }

  #setTrack(status: Conditions['status'], sector: number | null): void {
    this.#conditions = { status, yellowSector: sector, isWet: this.#isWet }
    this.#say({ message: 'track', value: { status, sector } })
  }

  #planWeather(): void {
    let airCelsius = this.#isWet ? 16.5 : 24
    let windDegrees = this.#prng.below(360)
    const report = (): void => {
      airCelsius += (this.#prng.fraction() - 0.5) * 0.4
      windDegrees = (windDegrees + 350 + this.#prng.below(21)) % 360
      this.#say({
        message: 'weather',
        value: {
          airCelsius: oneDecimal(airCelsius),
          trackCelsius: oneDecimal(airCelsius * (this.#isWet ? 1.15 : 1.6)),
          humidityPercent: (this.#isWet ? 86 : 44) + this.#prng.below(4),
          windMetersPerSecond: oneDecimal(1 + this.#prng.fraction() * 3),
          windDegrees,
          rain: this.#isWet,
        },
      })
      this.#plan(this.#now + 20_000, report)
    }
    this.#plan(1_500, report)
  }
}

const oneDecimal = (value: number): number => Math.round(value * 10) / 10

const isAhead = (a: Runner, b: Runner): boolean =>
  a.laps !== b.laps
    ? a.laps > b.laps
    : a.loop !== b.loop
      ? a.loop > b.loop
      : a.nextAtMs < b.nextAtMs
