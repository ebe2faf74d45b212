// A node in a process of its own: node node-process.mjs '<configuration as JSON>'. Prints its ports as
// a line of JSON, stops on SIGTERM, and with `measure` on standard input prints what it has used, with
// `held` what it holds after a collection. With `loop` it prints for how long its event loop stood still
// since that was asked last. With `profile` it begins to note where its time goes, and
// with `profiled` prints that, as ms by package.
import { Session } from 'node:inspector'
import { monitorEventLoopDelay } from 'node:perf_hooks'
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
const resolutionMs = 1
const loop = monitorEventLoopDelay({ resolution: resolutionMs })
if (process.env.BENCH_LOOP) loop.enable()
const session = new Session()
/** Asks the inspector, which answers before this returns. */
function inspect(method) {
  let answer
  session.post(method, (error, result) => {
    if (error !== null) throw new Error(error.message)
    answer = result
  })
  return answer
}

/** Time by the package whose code was at work, or by what of the runtime was, ms. */
function placesOf({ nodes, samples, timeDeltas }) {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const spent = {}
  for (const [index, id] of samples.entries()) {
    const place = places.get(id)
    if (place === '(idle)') continue
    spent[place] = (spent[place] ?? 0) + timeDeltas[index] / 1_000
  }
  return spent
}

/** What of the inspector's is on the stack is none of the node's. */
function placeOf({ functionName, url }) {
  if (url.startsWith('node:')) return "the runtime's JavaScript"
  if (url === '') return functionName === 'dispatch' ? '(idle)' : functionName
  const name = /.*\/(?:node_modules|packages)\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  return `package ${name ?? 'load-tests'}`
}

process.stdin.on('data', asked => {
  if (String(asked).startsWith('profiled')) {
    console.log(JSON.stringify(placesOf(inspect('Profiler.stop').profile)))
    return
  }
  if (String(asked).startsWith('profile')) {
    session.connect()
    inspect('Profiler.enable')
    inspect('Profiler.start')
    console.log('{}')
    return
  }
  if (String(asked).startsWith('loop')) {
    const ms = nanoseconds => Math.max(0, nanoseconds / 1e6 - resolutionMs)
    console.log(JSON.stringify({ maxMs: ms(loop.max), p99Ms: ms(loop.percentile(99)) }))
    loop.reset()
    return
  }
  // Collecting first tells what is held; it also costs time, which is not the node's.
  if (String(asked).includes('held')) globalThis.gc?.()
  const { rss, heapUsed, external, arrayBuffers, heapTotal } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  console.log(
    JSON.stringify({
      rss,
      heapUsed,
      external,
      arrayBuffers,
      heapTotal,
      cpuMs: (user + system) / 1000,
    }),
  )
})
process.stdin.on('end', () => node.stop().then(() => process.exit(0)))
