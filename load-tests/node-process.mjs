// A node in a process of its own: node node-process.mjs '<configuration as JSON>'. Prints its ports as
// a line of JSON, stops on SIGTERM, and with `measure` on standard input prints what it has used, with
// `held` what it holds after a collection.
import { createConfig, createLog, startNode } from '@fanfold/node'

const config = createConfig(JSON.parse(process.argv[2]), process.cwd())
const log = createLog({
  level: process.env.BENCH_LOG ?? 'error',
  node: config.node.id ?? 'bench',
  region: config.region,
})
const node = await startNode({
  config,
  log,
  fail: error => {
    console.error(error)
    process.exit(70)
  },
})
console.log(JSON.stringify({ port: node.port, adminPort: node.adminPort }))
process.on('SIGTERM', () => node.stop().then(() => process.exit(0)))
process.stdin.on('data', asked => {
  // Collecting first tells what is held; it also costs time, which is not the node's.
  if (String(asked).includes('held')) globalThis.gc?.()
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  console.log(
    JSON.stringify({ rss, heapUsed, external, arrayBuffers, cpuMs: (user + system) / 1000 }),
  )
})
process.stdin.on('end', () => node.stop().then(() => process.exit(0)))
