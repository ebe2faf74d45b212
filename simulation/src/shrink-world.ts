/*
 * Makes a world that fails smaller: runs what its kind proposes, several at a time, and goes on from
 * the first that fails in the same way.
 */
import { problemKind } from '@fanfold/simulator'
import type { Runner } from './campaign.ts'
import { kindOf, type NamedWorld } from './world-kinds.ts'

/** What a world came to. */
export type Shrunk = {
  /** With its options. */
  readonly world: NamedWorld
  readonly problems: readonly string[]
  /** Worlds that were run for it. */
  readonly runs: number
  /** Whether nothing more went, and not only the time was over. */
  readonly isLeast: boolean
}

/** Makes a world smaller that fails by some problems. */
export async function shrinkWorld({
  world,
  options,
  problems,
  runners,
  mayGoOn,
  tell,
}: {
  readonly world: NamedWorld
  /** All options of it. */
  readonly options: unknown
  /** What is wrong with it; the first one counts. */
  readonly problems: readonly string[]
  readonly runners: readonly Runner[]
  /** Asked before each few runs. */
  readonly mayGoOn: (runs: number) => boolean
  /** Told after each of them. */
  readonly tell: (runs: number, best: unknown) => void
}): Promise<Shrunk> {
  const [wanted] = problems.map(problemKind)
  const { world: kind, seed } = world
  let best = options
  let found = problems
  let runs = 0
  const shrunk = (isLeast: boolean): Shrunk => ({
    world: { world: kind, seed, nodes: undefined, options: best },
    problems: found,
    runs,
    isLeast,
  })
  const steps = kindOf(kind).shrink(options)
  for (let step = steps.next(); step.done !== true; ) {
    const candidates = step.value
    let index: number | undefined
    for (let from = 0; from < candidates.length && index === undefined; from += runners.length) {
      if (!mayGoOn(runs)) return shrunk(false)
      const outcomes = await Promise.all(
        runners.slice(0, candidates.length - from).map((runner, offset) =>
          runner.run({
            world: kind,
            seed,
            nodes: undefined,
            options: candidates[from + offset],
            isTwice: false,
          }),
        ),
      )
      runs += outcomes.length
      const at = outcomes.findIndex(({ problems }) =>
        problems.some(problem => problemKind(problem) === wanted),
      )
      if (at >= 0) {
        index = from + at
        best = candidates[index]
        found = outcomes[at]?.problems ?? found
      }
      tell(runs, best)
    }
    step = steps.next(index)
  }
  return shrunk(true)
}
