/*
 * Who is where. A loop remembers when the first and the latest car passed it, and that is all it
 * takes: gap is time behind the first, interval is time behind the latest, whatever the distance.
 */
import { type Car, keepLatest, lapLayout, loopsMax, type Race } from './race.ts'

/** After `car` passed the end of a sector: its gaps, and the order of all. */
export function placeCar(race: Race, car: Car): void {
  const loop = race.loops[car.loop]
  if (loop === undefined) {
    race.loops[car.loop] = { firstAtMs: car.loopAtMs, latestAtMs: car.loopAtMs }
    keepLatest(race.loops, loopsMax)
    car.gapMs = null
    car.intervalMs = null
  } else {
    car.gapMs = car.loopAtMs - loop.firstAtMs
    car.intervalMs = car.loopAtMs - loop.latestAtMs
    loop.latestAtMs = car.loopAtMs
  }
  orderCars(race)
  const leaderLoop = Number(Object.keys(race.loops).at(-1))
  car.lapsDown = Math.floor((leaderLoop - car.loop) / lapLayout.sectors)
}

/** Gives each car its position; only those that gain or lose one are written. */
export function orderCars(race: Race): void {
  const cars = Object.values(race.cars).map(car => ({
    car,
    isOut: car.status === 'out' ? 1 : 0,
    loop: car.loop,
    loopAtMs: car.loopAtMs,
    position: car.position,
  }))
  cars.sort(
    (a, b) =>
      a.isOut - b.isOut || b.loop - a.loop || a.loopAtMs - b.loopAtMs || a.position - b.position,
  )
  for (const [index, { car, position }] of cars.entries()) {
    if (position === index + 1) continue
    car.position = index + 1
    if (car.loop > 0 && position < index + 1) {
      // It lost a place: its gaps, taken at the loop before, are those of the place it had.
      car.gapMs = null
      car.intervalMs = null
    }
  }
}
