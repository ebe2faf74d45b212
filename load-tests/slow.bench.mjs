// Slow viewers: of 1,000 viewers of one document one takes no byte and a hundred take 8 kB a second, of the
// 40 kB a second that there are. Rounds with them and without them take turns on the same edge, and the
// healthy ones are held against themselves. In the end every slow one that reads must have what the
// others have.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { growLog } from './grown-log.mjs'
import { startWriter } from './paced-writer.mjs'
import { median, report } from './report.mjs'
import { startNode } from './start-node.mjs'
import { startSwarm } from './swarm.mjs'

const healthy = 899
const slow = 100
const bytesPerSecond = 8_000
const perSecond = 20
const textBytes = 2_000
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 10)
const rounds = Number(process.env.ROUNDS ?? 7)
const definition = fileURLToPath(new URL('./definitions/grown.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-slow-'))
const stops = []
try {
  const { doc } = await growLog({ directory, id: 'slow', deltas: 100, stateBytes: 10_000 })
  const authority = await startNode({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  stops.unshift(authority.stop)
  const edge = await startNode({
    name: 'edge',
    roles: ['edge'],
    parents: [authority.url],
    // So that what it holds can be told from what it has not collected yet.
    nodeArguments: ['--expose-gc'],
  })
  stops.unshift(edge.stop)
  const [well, ill] = [startSwarm(), startSwarm()]
  stops.unshift(well.stop, ill.stop)
  const urls = [edge.url]
  await well.ask('connect', { group: 'healthy', urls, doc, count: healthy })
  await well.ask('observe', { group: 'healthy' })
  await ill.ask('connect', { group: 'slow', urls, doc, count: slow, isExact: true })
  await ill.ask('observe', { group: 'slow' })
  const writer = await startWriter({ url: authority.url, doc, perSecond, textBytes })
  await wait(3_000)

  /** The healthy ones' p99 over some seconds, ms. */
  const measure = async () => {
    await wait(1_000)
    await well.ask('watch', { group: 'healthy' })
    await wait(seconds * 1_000)
    return (await well.ask('lags', { group: 'healthy' })).p99
  }
  const without = []
  const beside = []
  const held = []
  for (let round = 0; round < rounds; round++) {
    without.push(await measure())
    await ill.ask('connect', { group: 'stuck', urls, doc, count: 1 })
    await ill.ask('observe', { group: 'stuck' })
    await ill.ask('slow', { group: 'stuck', bytesPerSecond: 0 })
    await ill.ask('slow', { group: 'slow', bytesPerSecond })
    beside.push(await measure())
    held.push((await edge.measure('held')).rss / 2 ** 20)
    await ill.ask('close', { group: 'stuck' })
    await ill.ask('slow', { group: 'slow' })
  }
  await ill.ask('slow', { group: 'slow', bytesPerSecond })
  await wait(10_000)
  await ill.ask('slow', { group: 'slow' })
  const seq = await writer.stop()
  const askedAt = performance.now()
  const digests = await ill.ask('digests', { group: 'slow', seq })
  const caughtUpMs = performance.now() - askedAt
  await ill.ask('connect', { group: 'fresh', urls, doc, count: 1, isExact: true })
  await ill.ask('observe', { group: 'fresh' })
  const [expected] = await ill.ask('digests', { group: 'fresh', seq })
  const wrong = digests.filter(digest => digest !== expected).length
  if (wrong > 0) throw new Error(`${wrong} of ${slow} slow viewers have another view in the end`)

  report({
    bench: `slow: ${healthy} healthy viewers alone, commit to viewer, p99`,
    unit: 'ms',
    values: without,
  })
  report({ bench: `slow: beside ${slow} slow ones and one stuck, p99`, unit: 'ms', values: beside })
  report({
    bench: 'slow: p99 beside them to p99 alone',
    unit: 'times',
    values: beside.map((p99, round) => p99 / without[round]),
    ceiling: 1.1,
  })
  report({
    bench: 'slow: memory of the edge, last round to first',
    unit: 'times',
    values: [held.at(-1) / held[0]],
  })
  report({ bench: 'slow: memory of the edge', unit: 'MiB', values: held, median: median(held) })
  report({
    bench: 'slow: they read again, the last one has it all',
    unit: 'ms',
    values: [caughtUpMs],
  })
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
