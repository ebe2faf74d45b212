/*
 * Many nodes in one process, each with sockets, an identity and a configuration of its own: started with the path
 * of a file that has the environment of each. What each says of itself goes to standard output.
 */
import { readFileSync } from 'node:fs'
import { createLog, loadConfig, startNode } from '@fanfold/node'

const environments: readonly Record<string, string>[] = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
)
// One after the other: who starts all at once answers nobody meanwhile.
for (const environment of environments) {
  const { config } = await loadConfig({ environment, directory: process.cwd() })
  const { region, logging } = config
  const name = config.node.id ?? ''
  await startNode({
    config,
    log: createLog({ level: logging.level, node: name, region }),
    fail: error => {
      process.stderr.write(`${name}: ${String(error)}\n`)
      process.exit(70)
    },
  })
}
