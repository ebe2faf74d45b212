import type { DrawnWorld } from '@fanfold/simulator'

/** What a shell is told to run one world again. */
export function repeatCommand({ world, seed, nodes }: DrawnWorld): string {
  const size = nodes === undefined ? '' : ` --nodes ${nodes}`
  return `npm run simulate -- --seed '${seed.replaceAll("'", `'\\''`)}' --world ${world}${size}`
}
