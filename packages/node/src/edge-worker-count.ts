import { availableParallelism } from 'node:os'
import type { Config } from './config.ts'
import { autoValue, configTable } from './config-table.ts'

/** Processes that serve the viewers of a node with this configuration; 1 for the process itself. */
export const workersOf = (
  { workers }: Config,
  processors: number = availableParallelism(),
): number => (workers === autoValue ? Math.min(processors, configTable.workers.max) : workers)

/** Connections that each of them may have. */
export const connectionsMaxOf = (config: Config): number =>
  Math.ceil(config.limits.viewersMax / workersOf(config))
