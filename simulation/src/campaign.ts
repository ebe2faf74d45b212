/*
 * A campaign: worlds one after the other, several at a time, until there are enough of them or the
 * time is over. What is wrong in one stops none of the others.
 */
import { numberedSeed } from '@fanfold/simulator'
import type { Regression } from './regressions.ts'
import type { Outcome, Task } from './run-world.ts'
import type { CampaignSettings } from './settings.ts'

/** Of so many worlds the first one runs twice. */
const twiceEvery = 50

/** The worlds of a campaign in turn: those that once found something, then the numbered ones. */
export function* tasksOf(
  { worlds, seeds, from, nodes }: CampaignSettings,
  regressions: readonly Regression[],
): Generator<Task, void> {
  let index = 0
  const isTwice = (): boolean => index++ % twiceEvery === 0
  for (const { name, world, seed, options } of regressions) {
    if (!worlds.includes(world)) continue
    yield { world, seed, nodes: undefined, options, regression: name, isTwice: isTwice() }
  }
  for (let count = 0; count < (seeds ?? Number.POSITIVE_INFINITY); count++) {
    const world = worlds[count % worlds.length]
    if (world === undefined) return
    const number = from + Math.floor(count / worlds.length)
    yield { world, seed: numberedSeed(world, number), nodes, number, isTwice: isTwice() }
  }
}

/** Who runs worlds, one at a time. */
export interface Runner {
  run(task: Task): Promise<Outcome>
}

/** Runs tasks, as many at a time as there are runners, until there are none or `mayGoOn` says no. */
export async function runTasks(
  tasks: Iterator<Task, void>,
  runners: readonly Runner[],
  mayGoOn: () => boolean,
  take: (outcome: Outcome) => void,
): Promise<void> {
  const work = async (runner: Runner): Promise<void> => {
    while (mayGoOn()) {
      const next = tasks.next()
      if (next.done === true) return
      take(await runner.run(next.value))
    }
  }
  await Promise.all(runners.map(work))
}
