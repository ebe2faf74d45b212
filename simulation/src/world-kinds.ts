/*
 * The kinds of worlds that campaigns run. A kind draws the options of a world from its seed, runs them,
 * knows what must happen in some of its worlds, and how they are made smaller. Options are data that
 * go through processes and files: what they hold is the kind's own business.
 */
import { sha256 } from '@fanfold/node'
import {
  type Crossing,
  crossingList,
  defaultSimulationOptions,
  drawWorld,
  fleetCrossingList,
  type Happening,
  happeningsOf,
  readOptions,
  type Shrinking,
  type SimulationOptions,
  shrink,
  simulate,
  sometimes,
  type WorldName,
  type WorldWatch,
  worldNames,
} from '@fanfold/simulator'
import { diskKind } from './disk-kind.ts'

/** How a world of any kind ended. */
export type WorldResult = {
  readonly seed: string
  /** All of them: with the seed, what it takes to run it again. */
  readonly options: unknown
  readonly events: number
  readonly virtualMs: number
  /** Equal for two runs exactly when the same happened in them. */
  readonly traceHash: string
  /** What was found to be wrong, in words. */
  readonly problems: readonly string[]
  /** The last events before the end, one line each. */
  readonly recent: readonly string[]
  /** What happened, and how often. */
  readonly happenings: readonly Happening[]
  /** Effects that met faults, and how often. */
  readonly crossings: readonly Crossing[]
}

/** One kind of worlds. */
export interface WorldKind {
  /** What must happen in some world of a campaign. */
  readonly sometimes: readonly string[]
  /** Effects that must meet faults in some world of a campaign, by name. */
  readonly crossings: readonly string[]
  /** Whether its worlds are trees, of so many nodes when that is said. */
  readonly hasNodes: boolean
  /** The options that a seed draws, for so many nodes when that is said. */
  draw(seed: string, nodes: number | undefined): unknown
  /**
   * Runs a world from its beginning to its end.
   *
   * @throws RangeError for what are no options of this kind
   */
  run(seed: string, options: unknown, watch?: WorldWatch): WorldResult | Promise<WorldResult>
  /** The least that has to be said of options, for a line that somebody types. */
  brief(options: unknown): unknown
  /** Proposes smaller worlds than one that fails. */
  shrink(options: unknown): Shrinking<unknown>
}

/** A tree on virtual time, as the simulator draws it. */
const treeKind = (world: WorldName): WorldKind => ({
  sometimes: sometimes[world],
  crossings: crossingsOf[world],
  hasNodes: true,
  draw: (seed, nodes) => drawWorld({ world, seed, nodes }),
  run: (seed, options, watch) => {
    const result = simulate({ ...readOptions(options), seed, sha256, watch })
    return { ...result, happenings: happeningsOf(result) }
  },
  brief: options => differences(readOptions(options)),
  shrink: options => shrink(readOptions(options)),
})

/** What is not as in the default ones. */
const differences = (options: SimulationOptions): unknown => {
  const plain: Readonly<Record<string, unknown>> = defaultSimulationOptions
  const special = Object.entries(options).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(plain[name]),
  )
  return Object.fromEntries(special)
}

/** In the worlds of some kinds every kind of fault is drawn. */
const crossingsOf: Readonly<Record<WorldName, readonly string[]>> = {
  random: [],
  'catch-up': [],
  faults: crossingList,
  fleet: fleetCrossingList,
  crowd: [],
}

const kinds: ReadonlyMap<string, WorldKind> = new Map([
  ...worldNames.map(name => [name, treeKind(name)] as const),
  ['disk', diskKind],
])

/** Names of all kinds of worlds. */
export const kindNames: readonly string[] = [...kinds.keys()]

/**
 * The kind with this name.
 *
 * @throws RangeError when there is none
 */
export function kindOf(name: string): WorldKind {
  const kind = kinds.get(name)
  if (kind === undefined) {
    throw new RangeError(`a world is one of ${kindNames.join(', ')}, got '${name}'`)
  }
  return kind
}

/** All it takes to make one world again. */
export type NamedWorld = {
  /** Its kind. */
  readonly world: string
  readonly seed: string
  /** Proxies and edges together; as the seed says when undefined. */
  readonly nodes: number | undefined
  /** Its options; those that the seed draws when undefined. */
  readonly options?: unknown
}
