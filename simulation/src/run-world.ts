import { sha256 } from '@fanfold/node'
import {
  type DrawnWorld,
  drawWorld,
  type Happening,
  happeningsOf,
  type SimulationResult,
  simulate,
} from '@fanfold/simulator'

/** A world of a campaign. */
export type Task = DrawnWorld & {
  /** Whether it runs a second time, to see whether the same happens in it. */
  readonly isTwice: boolean
}

/** How a world ended; data, for it comes from another process. */
export type Outcome = {
  readonly task: Task
  readonly events: number
  readonly virtualMs: number
  readonly problems: readonly string[]
  readonly happenings: readonly Happening[]
}

/** A world that did not come to its end, for a reason in words. */
export const brokenOutcome = (task: Task, problem: string): Outcome => ({
  task,
  events: 0,
  virtualMs: 0,
  problems: [problem],
  happenings: [],
})

/** Runs a world by itself. */
export const runOnce = (world: DrawnWorld): SimulationResult =>
  simulate({ seed: world.seed, sha256, ...drawWorld(world) })

/** Runs a world as a task says. What throws is a problem of the world, like what a checker finds. */
export function runTask(task: Task): Outcome {
  try {
    const result = runOnce(task)
    const again = task.isTwice ? differenceOf(result, runOnce(task)) : undefined
    return {
      task,
      events: result.events,
      virtualMs: result.virtualMs,
      problems: again === undefined ? result.problems : [...result.problems, again],
      happenings: happeningsOf(result),
    }
  } catch (error) {
    return brokenOutcome(task, describeThrown(error))
  }
}

/** In words, how a second run of a world was another one; undefined when it was the same. */
export function differenceOf(
  first: SimulationResult,
  second: SimulationResult,
): string | undefined {
  if (first.traceHash === second.traceHash) return undefined
  const told = ({ traceHash, events }: SimulationResult): string => `${traceHash}, ${events} events`
  return `another run of the same seed is another one: ${told(first)}; then ${told(second)}`
}

/** What was thrown, with where. */
export const describeThrown = (error: unknown): string =>
  `thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
