/*
 * A race that never ends: race after race, each from the seed alone, so that everybody who plays the
 * same seed sees the same overtakes. No clock: an event says how long after the one before it comes.
 */
import { Prng } from '@fanfold/kernel'
import type { RaceMessage } from '../messages.ts'
import type { Compound } from '../race.ts'
import { entries } from './entries.ts'
import { RaceSimulation, type Said } from './race-simulation.ts'

/** One message, and the pause before it. */
export type RaceEvent = { readonly afterMs: number } & RaceMessage

/** Where the races take place. */
export const circuit = 'Corvane Ring'

const names = ['Spring', 'Harbour', 'Twilight', 'Highland', 'Autumn', 'Winter'] as const
const pauseAfterRaceMs = 22_000

/** All the messages of all the races, without end. */
export function* raceEvents(seed: string): Generator<RaceEvent, never> {
  const prng = new Prng(`grand-prix/${seed}`)
  for (let race = 0; ; race++) {
    let lastAtMs: number | undefined
    for (const { atMs, ...message } of oneRace(prng.fork(`race ${race}`), race)) {
      yield { afterMs: atMs - (lastAtMs ?? atMs - (race === 0 ? 0 : pauseAfterRaceMs)), ...message }
      lastAtMs = atMs
    }
  }
}

/** From the grid to the last car's finish; the clock is zero when the lights go out. */
function* oneRace(prng: Prng, race: number): Generator<Said, void> {
  const laps = 12 + prng.below(5)
  const isWet = prng.chance(0.2)
  // Cars of a team are about as fast as each other, and every race differs a little.
  const cars = entries.map((entry, index) => ({
    entry,
    pace: 1 + Math.floor(index / 2) * 0.0011 + prng.fraction() * 0.006,
    compound: isWet ? ('wet' as const) : prng.pick<Compound>(['soft', 'medium', 'medium', 'hard']),
  }))
  const grid = [...cars].sort((a, b) => a.pace - b.pace)

  yield* beforeStart({ prng, grid, name: `${names[race % names.length]} Grand Prix`, laps, cars })
  yield* new RaceSimulation({ prng, laps, isWet, grid }).run()
}

type StartingCar = { readonly entry: (typeof entries)[number]; readonly compound: Compound }

function* beforeStart(options: {
  prng: Prng
  name: string
  laps: number
  cars: readonly StartingCar[]
  grid: readonly StartingCar[]
}): Generator<Said, void> {
  const { prng, name, laps, cars, grid } = options
  const holdMs = 700 + prng.below(1_400)
  const formationAtMs = -5_000 - holdMs - 8_000
  let atMs = formationAtMs - 2_000 - grid.length * 60
  yield {
    atMs,
    message: 'newRace',
    value: {
      name,
      circuit,
      laps,
      entries: cars.map(({ entry, compound }) => ({ ...entry, compound })),
    },
  }
  atMs += 800
  for (const [index, { entry }] of grid.entries()) {
    yield { atMs, message: 'gridPlace', value: { car: entry.number, place: index + 1 } }
    atMs += 60
  }
  yield { atMs: formationAtMs, message: 'formation', value: {} }
  for (let lit = 1; lit <= 5; lit++) {
    yield { atMs: -holdMs - (5 - lit) * 1_000, message: 'lights', value: { lit } }
  }
  yield { atMs: 0, message: 'lights', value: { lit: 0 } }
}
