/*
 * The work of a timing computer: what passing a loop means. Each function takes the race as it is,
 * changes the few members that changed, and leaves the rest alone: what is written here is what
 * every viewer receives.
 */
import type { MessageValue } from './messages.ts'
import {
  type Car,
  carOf,
  formatLap,
  keepLatest,
  lapLayout,
  type Mark,
  type Race,
  type Sector,
  winnersMax,
} from './race.ts'
import { notify } from './race-control.ts'
import { placeCar } from './standings.ts'

/** A loop inside a sector: one light of the row of lights. */
export function passSegment(race: Race, value: MessageValue<'segment'>): void {
  lightSegment(race, value.car, value)
}

/** The end of a sector: its time, the order of the cars, and at the line the lap. */
export function passSector(race: Race, value: MessageValue<'sector'>): void {
  const car = carOf(race, value.car)
  lightSegment(race, value.car, {
    sector: value.sector,
    segment: lapLayout.segmentsPerSector,
    ms: value.segmentMs,
  })
  const sector = sectorOf(car, value.sector)
  const best = race.best.sectors[value.sector]
  sector.ms = value.ms
  sector.mark = compare(value.ms, sector.bestMs, best?.value)
  if (sector.mark === 'personal' || sector.mark === 'overall') sector.bestMs = value.ms
  if (sector.mark === 'overall') {
    race.best.sectors[value.sector] = { car: car.number, value: value.ms }
  }

  car.loop += 1
  car.loopAtMs = value.atMs
  if (value.sector === lapLayout.sectors) completeLap(race, car, value.atMs)
  placeCar(race, car)
}

/** The speed trap. */
export function passSpeedTrap(race: Race, { car: number, kmh }: MessageValue<'speed'>): void {
  const car = carOf(race, number)
  const own = car.bestSpeedKmh
  const best = race.best.speed
  car.speedKmh = kmh
  car.speedMark =
    best === null || kmh > best.value
      ? 'overall'
      : own === null || kmh > own
        ? 'personal'
        : 'slower'
  if (own === null || kmh > own) car.bestSpeedKmh = kmh
  if (car.speedMark === 'overall') race.best.speed = { car: number, value: kmh }
}

function completeLap(race: Race, car: Car, atMs: number): void {
  const { session, best } = race
  const lapMs = atMs - car.lapStartedAtMs
  car.lapStartedAtMs = atMs
  car.laps += 1
  car.tyre.laps += 1
  car.lastLapMs = lapMs
  // A standing start is no lap to compare with.
  car.lastLapMark = car.laps === 1 ? 'slower' : compare(lapMs, car.bestLapMs, best.lap?.value)
  if (car.lastLapMark === 'personal' || car.lastLapMark === 'overall') car.bestLapMs = lapMs
  if (car.lastLapMark === 'overall') {
    best.lap = { car: car.number, value: lapMs }
    // The first laps are bests all the time, and news to nobody.
    if (car.laps > 3) notify(race, 'purple', `FASTEST LAP: ${car.code} ${formatLap(lapMs)}`)
  }

  if (session.phase === 'finished') {
    car.status = 'finished'
  } else if (car.laps >= session.laps) {
    session.phase = 'finished'
    car.status = 'finished'
    race.winners[session.race] = { code: car.code, driver: car.driver, colour: car.colour }
    keepLatest(race.winners, winnersMax)
    notify(race, 'chequered', `CHEQUERED FLAG: ${car.driver.toUpperCase()} WINS`)
  } else if (car.laps >= session.lap) {
    session.lap = car.laps + 1
    if (session.lap === session.laps) notify(race, 'info', 'LAST LAP')
  }
}

function lightSegment(
  race: Race,
  number: number,
  passage: { sector: number; segment: number; ms: number },
): void {
  const car = carOf(race, number)
  const sector = sectorOf(car, passage.sector)
  const key = `${passage.sector}.${passage.segment}`
  const index = passage.segment - 1
  const own = sector.segmentBestsMs[index] ?? null
  const mark = isComparable(race, car)
    ? compare(passage.ms, own, race.best.segments[key])
    : car.status === 'pit'
      ? 'pit'
      : 'slower'
  if (mark === 'overall') race.best.segments[key] = passage.ms
  if (mark === 'overall' || mark === 'personal') sector.segmentBestsMs[index] = passage.ms
  if (passage.segment === 1) {
    // The lights of the lap before go out when the car comes back.
    sector.segments = [mark, ...new Array<Mark>(lapLayout.segmentsPerSector - 1).fill('none')]
  } else {
    sector.segments[index] = mark
  }
}

/** The pit lane, the safety car and the standing start are nothing to compare with. */
const isComparable = (race: Race, car: Car): boolean =>
  car.status !== 'pit' && car.laps > 0 && race.track.status !== 'safety-car'

function compare(ms: number, own: number | null, best: number | undefined): Mark {
  if (best === undefined || ms < best) return 'overall'
  return own === null || ms < own ? 'personal' : 'slower'
}

function sectorOf(car: Car, number: number): Sector {
  const sector = car.sectors[number]
  if (sector === undefined) throw new Error(`car ${car.number} has no sector ${number}`)
  return sector
}
