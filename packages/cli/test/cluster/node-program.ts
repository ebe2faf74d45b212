/* A node by its environment alone, as `fanfold serve` starts one. */
import { createLog, loadConfig, startNode } from '@fanfold/node'

const { config } = await loadConfig({ environment: process.env, directory: process.cwd() })
const log = createLog({
  level: config.logging.level,
  node: config.node.id ?? 'node',
  region: config.region,
})
const node = await startNode({
  config,
  log,
  fail: error => {
    log.fatal({ event: 'process.failed', err: error }, 'shared state is in doubt')
    process.exit(70)
  },
})
process.on('SIGTERM', () => {
  node.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
