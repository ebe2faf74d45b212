/* What race control decides: the phases of a race, the flags, the notices. */
import { forgetVotes } from './crowd.ts'
import type { MessageValue } from './messages.ts'
import {
  type Car,
  carOf,
  type Flag,
  keepLatest,
  lapLayout,
  noticesMax,
  type Race,
  type RaceState,
} from './race.ts'
import { orderCars } from './standings.ts'

/** A new race with new cars; winners, the count of races and who watches stay. */
export function newRace(race: RaceState, value: MessageValue<'newRace'>): void {
  const number = race.session.race + 1
  race.session = {
    race: number,
    name: value.name,
    circuit: value.circuit,
    laps: value.laps,
    phase: 'grid',
    lap: 0,
    lights: 0,
  }
  race.track = { status: 'clear', sector: null }
  race.best = { lap: null, sectors: {}, segments: {}, speed: null }
  race.loops = {}
  forgetVotes(race)
  race.cars = {}
  for (const [index, { compound, ...entry }] of value.entries.entries()) {
    race.cars[entry.number] = {
      ...entry,
      status: 'grid',
      position: index + 1,
      grid: 0,
      laps: 0,
      loop: 0,
      loopAtMs: 0,
      lapStartedAtMs: 0,
      gapMs: null,
      intervalMs: null,
      lapsDown: 0,
      lastLapMs: null,
      lastLapMark: 'none',
      bestLapMs: null,
      sectors: freshSectors(),
      speedKmh: null,
      speedMark: 'none',
      bestSpeedKmh: null,
      tyre: { compound, laps: 0 },
      pits: 0,
    }
  }
}

/** A car rolls to its place; the car that stood there in the table takes the place it leaves. */
export function takeGridPlace(race: Race, value: MessageValue<'gridPlace'>): void {
  const car = carOf(race, value.car)
  const other = Object.values(race.cars).find(each => each.position === value.place)
  if (other !== undefined && other.number !== car.number) other.position = car.position
  car.position = value.place
  car.grid = value.place
}

/** The lap before the start. */
export function startFormation(race: Race): void {
  race.session.phase = 'formation'
  for (const car of Object.values(race.cars)) car.status = 'running'
  notify(race, 'info', 'FORMATION LAP')
}

/** Red lights come on one by one; when they go out, the race is on. */
export function setLights(race: Race, { lit }: MessageValue<'lights'>): void {
  race.session.lights = lit
  if (lit > 0 || race.session.phase !== 'formation') return
  race.session.phase = 'racing'
  race.session.lap = 1
  notify(race, 'green', 'LIGHTS OUT: RACE STARTED')
}

/** Into the pit lane. */
export function enterPit(race: Race, { car: number }: MessageValue<'pitIn'>): void {
  const car = carOf(race, number)
  car.status = 'pit'
  car.pits += 1
}

/** Out again, on other tyres. */
export function leavePit(race: Race, value: MessageValue<'pitOut'>): void {
  const car = carOf(race, value.car)
  if (car.status === 'pit') car.status = 'running'
  car.tyre = { compound: value.compound, laps: 0 }
}

/** A car that stops is last from now on. */
export function retire(race: Race, { car: number, reason }: MessageValue<'retire'>): void {
  const car = carOf(race, number)
  car.status = 'out'
  car.gapMs = null
  car.intervalMs = null
  orderCars(race)
  notify(race, 'info', `CAR ${number} (${car.code}) STOPPED: ${reason.toUpperCase()}`)
}

/** Flags. */
export function setTrack(race: Race, { status, sector }: MessageValue<'track'>): void {
  race.track.status = status
  race.track.sector = sector
  if (status === 'safety-car') notify(race, 'safety-car', 'SAFETY CAR DEPLOYED')
  else if (status === 'clear') notify(race, 'green', 'TRACK CLEAR')
  else notify(race, 'yellow', sector === null ? 'YELLOW FLAG' : `YELLOW FLAG IN SECTOR ${sector}`)
}

/** Adds a notice, and forgets the oldest. */
export function notify(race: Race, flag: Flag, text: string): void {
  const last = Number(Object.keys(race.notices).at(-1) ?? 0)
  race.notices[last + 1] = { lap: race.session.lap, flag, text }
  keepLatest(race.notices, noticesMax)
}

function freshSectors(): Car['sectors'] {
  const sectors: Car['sectors'] = {}
  for (let number = 1; number <= lapLayout.sectors; number++) {
    sectors[number] = {
      ms: null,
      mark: 'none',
      bestMs: null,
      segments: new Array(lapLayout.segmentsPerSector).fill('none'),
      segmentBestsMs: new Array(lapLayout.segmentsPerSector).fill(null),
    }
  }
  return sectors
}
