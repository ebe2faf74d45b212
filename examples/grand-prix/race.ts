/*
 * What a race looks like to those who watch it: one document, small members, maps keyed by car.
 * Times are integer milliseconds. `atMs` is the race's own clock, which the timing loops share; it
 * begins when the lights go out.
 */
import type { Ballots } from 'fanfold'
import { type Crowd, emptyCrowd } from './crowd.ts'

/** How a time compares: slower than the car's own best, its best, the best of all, or in the pits. */
export type Mark = 'none' | 'slower' | 'personal' | 'overall' | 'pit'

/** One third of the lap, as one car drives it. */
export type Sector = {
  /** Time of the last passage. */
  ms: number | null
  mark: Mark
  bestMs: number | null
  /** One for each loop in the road; those of the last lap stay until the car comes back. */
  segments: Mark[]
  /** The car's own best of each loop. */
  segmentBestsMs: (number | null)[]
}

/** Where the lap is divided: three sectors with as many loops each. */
export const lapLayout = { sectors: 3, segmentsPerSector: 6 } as const

/** Rubber, from the quick and short-lived to that for rain. */
export type Compound = 'soft' | 'medium' | 'hard' | 'wet'

/** What a car is doing. */
export type CarStatus = 'grid' | 'running' | 'pit' | 'out' | 'finished'

/** A car and who drives it. */
export type Entry = {
  number: number
  /** Three letters. */
  code: string
  driver: string
  team: string
  /** `#rrggbb`. */
  colour: string
}

/** All that the timing knows of a car. */
export type Car = Entry & {
  status: CarStatus
  position: number
  grid: number
  /** Laps completed. */
  laps: number
  /** Sector ends passed in this race; sorts the cars. */
  loop: number
  /** When it passed the last of them. */
  loopAtMs: number
  lapStartedAtMs: number
  /** Behind the leader, and behind the car ahead; null for the leader, and before the first loop. */
  gapMs: number | null
  intervalMs: number | null
  /** Laps behind the leader. */
  lapsDown: number
  lastLapMs: number | null
  lastLapMark: Mark
  bestLapMs: number | null
  /** Keyed `1`, `2`, `3`. */
  sectors: Record<string, Sector>
  speedKmh: number | null
  speedMark: Mark
  bestSpeedKmh: number | null
  tyre: { compound: Compound; laps: number }
  pits: number
}

/** A best, and whose it is. */
export type Best = { car: number; value: number }

/** Colour of a notice from race control. */
export type Flag = 'info' | 'green' | 'yellow' | 'safety-car' | 'chequered' | 'purple'

/** State of the whole track. */
export type TrackStatus = 'clear' | 'yellow' | 'safety-car'

/** Weather at the track. */
export type Weather = {
  airCelsius: number
  trackCelsius: number
  humidityPercent: number
  windMetersPerSecond: number
  windDegrees: number
  rain: boolean
}

/** The document as everybody sees it. */
export type Race = {
  session: {
    /** Races since the first one. */
    race: number
    name: string
    circuit: string
    laps: number
    phase: 'waiting' | 'grid' | 'formation' | 'racing' | 'finished'
    /** The lap that the leader drives. */
    lap: number
    /** Red lights that are lit above the grid, 0 … 5. */
    lights: number
  }
  track: { status: TrackStatus; sector: number | null }
  weather: Weather | null
  /** Keyed by the car's number. */
  cars: Record<string, Car>
  best: {
    lap: Best | null
    /** Keyed `1`, `2`, `3`. */
    sectors: Record<string, Best>
    /** Keyed `sector.segment`. */
    segments: Record<string, number>
    speed: Best | null
  }
  /** Keyed by the count of sector ends since the start; the latest `loopsMax`. */
  loops: Record<string, { firstAtMs: number; latestAtMs: number }>
  /** Keyed by its number, which only rises; the latest `noticesMax`. */
  notices: Record<string, { lap: number; flag: Flag; text: string }>
  /** Winners, keyed by race; the latest `winnersMax`. */
  winners: Record<string, { code: string; driver: string; colour: string }>
  crowd: Crowd
}

/** The document. */
export type RaceState = Race & {
  /** Who voted for whom, for nobody to see. */
  ballots: Ballots
}

/** Loops kept: four laps of them, so that a car further behind has no gap. */
export const loopsMax = 12

/** Notices kept. */
export const noticesMax = 12

/** Winners kept. */
export const winnersMax = 5

/** Nobody there yet. */
export const emptyRace = (): RaceState => ({
  session: {
    race: 0,
    name: '',
    circuit: '',
    laps: 0,
    phase: 'waiting',
    lap: 0,
    lights: 0,
  },
  track: { status: 'clear', sector: null },
  weather: null,
  cars: {},
  best: { lap: null, sectors: {}, segments: {}, speed: null },
  loops: {},
  notices: {},
  winners: {},
  crowd: emptyCrowd(),
  ballots: {},
})

/** The car of a number; a throw changes nothing and tells the writer. */
export function carOf(race: Race, number: number): Car {
  const car = race.cars[number]
  if (car === undefined) throw new Error(`car ${number} is not in race ${race.session.race}`)
  return car
}

/** Keeps the latest `max` members of a map whose keys are rising numbers. */
export function keepLatest(map: Record<string, unknown>, max: number): void {
  const keys = Object.keys(map)
  for (const key of keys.slice(0, Math.max(0, keys.length - max))) delete map[key]
}

/** A lap as people read it: `1:14.302`. */
export function formatLap(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const rest = ((ms % 60_000) / 1000).toFixed(3)
  return minutes === 0 ? rest : `${minutes}:${rest.padStart(6, '0')}`
}
