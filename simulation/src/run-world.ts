import type { WorldWatch } from '@fanfold/simulator'
import { kindOf, type NamedWorld, type WorldResult } from './world-kinds.ts'

/** A world of a campaign. */
export type Task = NamedWorld & {
  /** Whether it runs a second time, to see whether the same happens in it. */
  readonly isTwice: boolean
  /** Its number among those of its kind, for one that is counted. */
  readonly number?: number | undefined
  /** The file that it is from. */
  readonly regression?: string | undefined
}

/** How a world ended; data, for it comes from another process. */
export type Outcome = Pick<
  WorldResult,
  'events' | 'virtualMs' | 'problems' | 'happenings' | 'crossings'
> & {
  readonly task: Task
  /** With all of them, what was run; for a world that was wrong. */
  readonly options?: unknown
}

/** A world that did not come to its end, for a reason in words. */
export const brokenOutcome = (task: Task, problem: string): Outcome => ({
  task,
  events: 0,
  virtualMs: 0,
  problems: [problem],
  happenings: [],
  crossings: [],
  options: optionsIfAny(task),
})

/** The options of a world: its own, or those that its seed draws. */
export const optionsOf = ({ world, seed, nodes, options }: NamedWorld): unknown =>
  options ?? kindOf(world).draw(seed, nodes)

function optionsIfAny(world: NamedWorld): unknown {
  try {
    return optionsOf(world)
  } catch {
    return undefined
  }
}

/** Runs a world by itself. */
export const runOnce = async (world: NamedWorld, watch?: WorldWatch): Promise<WorldResult> =>
  kindOf(world.world).run(world.seed, optionsOf(world), watch)

/** Runs a world as a task says. What throws is a problem of the world, like what a checker finds. */
export async function runTask(task: Task): Promise<Outcome> {
  try {
    const result = await runOnce(task)
    const { events, virtualMs, happenings, crossings } = result
    const again = task.isTwice ? differenceOf(result, await runOnce(task)) : undefined
    const problems = again === undefined ? result.problems : [...result.problems, again]
    const isRight = problems.length === 0
    const options = isRight ? undefined : result.options
    return { task, events, virtualMs, problems, happenings, crossings, options }
  } catch (error) {
    return brokenOutcome(task, describeThrown(error))
  }
}

/** In words, how a second run of a world was another one; undefined when it was the same. */
export function differenceOf(first: WorldResult, second: WorldResult): string | undefined {
  if (first.traceHash === second.traceHash) return undefined
  const told = ({ traceHash, events }: WorldResult): string => `${traceHash}, ${events} events`
  return `another run of the same seed is another one: ${told(first)}; then ${told(second)}`
}

/** What was thrown, with where. */
export const describeThrown = (error: unknown): string =>
  `thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
