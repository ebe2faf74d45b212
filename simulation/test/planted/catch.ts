import { numberedSeed, type WorldName } from '@fanfold/simulator'
import { WorldProcess } from '../../src/world-process.ts'

/** What found a bug. */
export type Catch = {
  /** Worlds that were run until one of them failed, that one included. */
  readonly seeds: number
  readonly world: string
  /** What the world said first. */
  readonly problem: string
}

const trees: readonly WorldName[] = ['random', 'catch-up', 'faults']
/** The kinds in their turns: worlds of fleets take three times as long as the others, and come seldom. */
const turns: readonly WorldName[] = [...trees, ...trees, 'fleet']

/** A world with a bug in it may go on for ever. */
const worldMaxMs = 60_000

/**
 * Runs worlds with a bug in them, of all kinds in turn as campaigns do, until one fails; undefined when
 * none of so many does.
 */
export async function catchBug(
  name: string,
  {
    from,
    seedsMax,
    world: only,
    first,
  }: {
    readonly from: number
    readonly seedsMax: number
    /** Worlds of this kind alone. */
    readonly world?: WorldName | undefined
    /** The seed of a world that is run before all others. */
    readonly first?: `${WorldName} ${number}` | undefined
  },
): Promise<Catch | undefined> {
  const plant = new URL(`./plant.js?${name}`, import.meta.url)
  const process = new WorldProcess({ worldMaxMs, execArgv: ['--import', plant.href] })
  const numbers = new Map<WorldName, number>()
  const run = async (world: WorldName, seed: string, seeds: number): Promise<Catch | undefined> => {
    const { problems } = await process.run({ world, seed, nodes: undefined, isTwice: false })
    const [problem] = problems
    return problem === undefined ? undefined : { seeds, world: seed, problem }
  }
  try {
    if (first !== undefined) {
      const caught = await run(first.split(' ')[0] as WorldName, first, 1)
      if (caught !== undefined) return caught
    }
    for (let count = 0; count < seedsMax; count++) {
      const world = only ?? turns[count % turns.length]
      if (world === undefined) break
      // Of each kind the next number.
      const number = numbers.get(world) ?? from
      numbers.set(world, number + 1)
      const caught = await run(world, numberedSeed(world, number), count + 1)
      if (caught !== undefined) return caught
    }
    return undefined
  } finally {
    process.close()
  }
}
