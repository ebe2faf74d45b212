/* How fast a car goes: its own pace, its tyres, the safety car, and the car it cannot pass. */
import type { Prng } from '@fanfold/kernel'
import type { Compound, Entry, TrackStatus } from '../race.ts'
import { loopMs, placeOf } from './track.ts'

/** A car on the road. */
export type Runner = {
  readonly entry: Entry
  /** Factor on every time, from 1 for the best. */
  readonly pace: number
  readonly gridPlace: number
  compound: Compound
  tyreLaps: number
  laps: number
  /** The loop it drives towards, 0 … 17, when it gets there, and when it left the last. */
  loop: number
  nextAtMs: number
  sinceMs: number
  sectorSinceMs: number
  /** Laps at whose end it stops for tyres. */
  stops: number[]
  isInPit: boolean
  status: 'running' | 'out' | 'finished'
}

/** What slows everybody. */
export type Conditions = {
  readonly status: TrackStatus
  readonly yellowSector: number | null
  readonly isWet: boolean
}

const grip = { soft: 0.994, medium: 1, hard: 1.005, wet: 1.004 } as const
const wear = { soft: 0.0016, medium: 0.0009, hard: 0.0005, wet: 0.0007 } as const

/** Milliseconds between two cars in line. */
const followMs = 260

/** Time to the next loop on a road of one's own. */
export function freeMs(runner: Runner, conditions: Conditions, prng: Prng): number {
  const { compound, tyreLaps, loop } = runner
  const noise = (prng.fraction() + prng.fraction() + prng.fraction() - 1.5) * 0.009
  let factor = runner.pace * grip[compound] + tyreLaps * wear[compound] + noise
  if (conditions.isWet) factor *= 1.11
  if (conditions.status === 'safety-car') factor *= 1.12
  else if (conditions.yellowSector === placeOf(loop).sector) factor *= 1.09
  let ms = (loopMs[loop] ?? 0) * factor
  if (runner.laps === 0 && loop === 0) ms += 2_400 + runner.gridPlace * 130
  return Math.round(ms)
}

/**
 * When `runner` gets to its next loop if `ahead` drives before it to the same one: behind it, or past
 * it when the lap, the pace or luck allow.
 */
export function followOrPass(
  runner: Runner,
  ahead: Runner,
  options: { atMs: number; status: TrackStatus; prng: Prng },
): number {
  const { atMs, status, prng } = options
  const behindAtMs = ahead.nextAtMs + followMs
  if (atMs >= behindAtMs || ahead.isInPit) return atMs
  const advantage = (behindAtMs - atMs) / 1000
  const chance =
    status === 'safety-car'
      ? 0
      : ahead.laps < runner.laps
        ? 0.8
        : runner.laps === 0
          ? 0.12
          : 0.012 + advantage * 0.22
  return prng.chance(Math.min(chance, 0.6))
    ? Math.min(atMs, ahead.nextAtMs - 90)
    : behindAtMs + prng.below(140)
}
