import type { WorldName } from '@fanfold/simulator'

/** Lines that a bug may change at most: what is larger would be another program. */
export const plantedLinesMax = 5

/** A change of one line of a module as it was compiled. */
export type PlantedEdit = {
  /** The module, from the packages' folder: `edge/src/catch-up`. */
  readonly module: string
  /** What stands there, once in the whole module. */
  readonly find: string
  readonly replace: string
}

/** A bug that somebody could have written, and that a campaign must find. */
export type PlantedBug = {
  readonly name: string
  /** What is wrong, in a sentence. */
  readonly says: string
  readonly edits: readonly PlantedEdit[]
  /** The kind of worlds that is about it; of all kinds in their turns when it is not said. */
  readonly world?: WorldName
  /**
   * The seed of the world that found it in a campaign, with its number under 500, where others came before it: tests begin with that one, and
   * run the campaign where it finds nothing any more.
   */
  readonly caughtBy?: `${WorldName} ${number}`
}

/** The end of the URL of a module as it was compiled. */
export const compiledModule = ({ module }: PlantedEdit): string => {
  const [name, ...path] = module.split('/')
  return `/packages/${name}/dist/${path.join('/')}.js`
}

/** The module with the edit made; throws where what is to be found stands there never or more than once. */
export function plant(source: string, { module, find, replace }: PlantedEdit): string {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0) {
    const times = after === undefined ? 'nowhere' : `${more.length + 1} times`
    throw new Error(`in ${module} there is ${times}: ${find}`)
  }
  return before + replace + after
}
