/* Every way in which something may go: all choices are tried, one after the other, from the beginning. */
import type { Prng } from '@fanfold/kernel'
import { CrowdWorld, type WorldOptions } from './crowd-world.ts'

/** What was found. */
export type Explored = {
  /** States in which something may happen. */
  readonly states: number
  /** Ways to their ends. */
  readonly ends: number
  /** What was wrong the first time, with what had happened. */
  readonly problem: string | undefined
}

/** Goes all ways, but from a state where it has been. */
export function explore(options: WorldOptions, statesMax: number): Explored {
  const seen = new Set<string>()
  let ends = 0
  /** Where each step of the way chose, and of how many. */
  const way: { choice: number; of: number }[] = []
  for (;;) {
    const world = new CrowdWorld(options)
    const happened: string[] = []
    for (let depth = 0; ; depth++) {
      const isNew = depth < way.length || !seen.has(world.fingerprint)
      if (depth >= way.length) seen.add(world.fingerprint)
      const actions = isNew ? world.actions() : []
      if (actions.length === 0) {
        if (!isNew) break
        world.finish()
        ends++
        break
      }
      way[depth] ??= { choice: 0, of: actions.length }
      const action = actions[way[depth]?.choice ?? 0]
      happened.push(action?.name ?? '')
      action?.run()
      if (world.problems.length > 0) break
    }
    const [problem] = world.problems
    if (problem !== undefined) {
      return { states: seen.size, ends, problem: `${problem} after ${happened.join(', ')}` }
    }
    if (seen.size > statesMax) throw new Error(`no more than ${statesMax} states`)
    // The last step that has another choice takes that one.
    while (way.length > 0 && (way.at(-1)?.choice ?? 0) + 1 >= (way.at(-1)?.of ?? 0)) way.pop()
    const last = way.at(-1)
    if (last === undefined) return { states: seen.size, ends, problem: undefined }
    last.choice++
  }
}

/** Goes one way by chance. */
export function wander(options: WorldOptions, prng: Prng, stepsMax: number): string | undefined {
  const world = new CrowdWorld(options)
  const happened: string[] = []
  for (let step = 0; step < stepsMax && world.problems.length === 0; step++) {
    const actions = world.actions()
    if (actions.length === 0) break
    const action = prng.pick(actions)
    happened.push(action.name)
    action.run()
  }
  if (world.problems.length === 0) world.finish()
  const [problem] = world.problems
  return problem === undefined ? undefined : `${problem} after ${happened.join(', ')}`
}
