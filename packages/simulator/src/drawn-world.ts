import { assert } from '@fanfold/kernel'
import { drawCatchUpOptions, drawRandomOptions } from './drawn-options.ts'
import type { SimulationOptions } from './simulation-options.ts'

/** Kinds of worlds that are drawn from seeds. */
export const worldNames = ['random', 'catch-up'] as const

/** A kind of worlds. */
export type WorldName = (typeof worldNames)[number]

/** All it takes to make one world again. */
export type DrawnWorld = {
  readonly world: WorldName
  readonly seed: string
  /** Proxies and edges together, 2 or more; as the seed says when undefined. */
  readonly nodes: number | undefined
}

/** Whether a kind of worlds has this name. */
export const isWorldName = (name: string): name is WorldName =>
  worldNames.some(known => known === name)

/** The seed of a kind with a number, as campaigns count them. */
export const numberedSeed = (world: WorldName, number: number): string => `${world} ${number}`

/** The options that a seed draws. */
export function drawWorld({ world, seed, nodes }: DrawnWorld): Partial<SimulationOptions> {
  const drawn = world === 'catch-up' ? drawCatchUpOptions(seed) : drawRandomOptions(seed)
  return nodes === undefined ? drawn : { ...drawn, ...treeOf(nodes, drawn) }
}

/** Edges for each proxy of a tree of a given size, and viewers for each edge. */
const edgesPerProxy = 3
const viewersPerEdge = 4

/** A tree of so many proxies and edges, wide rather than deep, with viewers in proportion. */
function treeOf(nodes: number, drawn: Partial<SimulationOptions>): Partial<SimulationOptions> {
  assert(nodes >= 2, `a tree has 2 nodes or more, got ${nodes}`)
  const proxies = Math.max(1, Math.floor(nodes / (1 + edgesPerProxy)))
  const edges = nodes - proxies
  return {
    proxies,
    proxyFanout: Math.max(2, drawn.proxyFanout ?? 1),
    edges,
    viewers: drawn.viewers === 0 ? 0 : edges * viewersPerEdge,
  }
}
