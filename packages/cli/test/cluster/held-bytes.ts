import { fileURLToPath } from 'node:url'
import type { ClusterNode } from './cluster-node.ts'

const program = fileURLToPath(new URL('./report-memory.js', import.meta.url))
const event = 'memory-reported'

/** What a node is started with, to be asked what it holds. */
export const holdsReported: readonly string[] = ['--expose-gc', '--import', program]

/** How many bytes a node holds of its heap and beside it. */
export async function heldBytes(node: ClusterNode): Promise<number> {
  const reports = (): number[] =>
    node.log.filter(line => line.event === event).map(({ bytes }) => Number(bytes))
  const times = reports().length + 1
  node.signal('SIGUSR2')
  await node.untilLogged(event, times)
  return reports().at(-1) ?? 0
}
