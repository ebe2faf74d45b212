import type { Task } from './run-world.ts'
import { kindOf, type NamedWorld } from './world-kinds.ts'

/** What a shell is told to run one world again. */
export function repeatCommand(task: NamedWorld & Pick<Task, 'regression'>): string {
  const { world, seed, nodes, options, regression } = task
  if (regression !== undefined) return `npm run simulate -- --regression ${regression}`
  const size = nodes === undefined ? '' : ` --nodes ${nodes}`
  const given =
    options === undefined
      ? ''
      : ` --options ${quoted(JSON.stringify(kindOf(world).brief(options)))}`
  return `npm run simulate -- --seed ${quoted(seed)} --world ${world}${size}${given}`
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
