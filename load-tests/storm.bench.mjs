// Many at once: 1,000 viewers that join one document of 70 kB through one edge, and 10,000 that lose their
// edge and come back to another one, where some hundred others go on watching. Edges, authority and the
// viewers' two processes share the machine. Viewers come back as the SDK does: the first time within a
// second, evenly spread. There are five deltas a second: with ten thousand viewers that is fifty thousand
// frames, which two cores can write and read beside the storm; with more, frames alone would fill them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { growLog } from './grown-log.mjs'
import { startWriter } from './paced-writer.mjs'
import { report } from './report.mjs'
import { startNode } from './start-node.mjs'
import { startSwarm } from './swarm.mjs'

const joining = 1_000
const returning = 10_000
const others = 500
const perSecond = 5
const rounds = Number(process.env.ROUNDS ?? 3)
const definition = fileURLToPath(new URL('./definitions/grown.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-storm-'))
const stops = []
try {
  const { doc } = await growLog({ directory, id: 'storm', deltas: 1_000, stateBytes: 70_000 })
  const authority = await startNode({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  stops.unshift(authority.stop)
  const startEdge = name =>
    startNode({ name, roles: ['edge'], parents: [authority.url], nodeArguments: ['--expose-gc'] })

  /** Views that an edge has written out for viewers. */
  const encodesOf = async ({ adminPort }) => {
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
    return Number(
      /^fanfold_snapshots_total\{[^}]*role="edge"[^}]*\} (\d+)/m.exec(metrics)?.[1] ?? 0,
    )
  }

  const joinMs = []
  const encodes = []
  const firstMs = []
  const swarm = startSwarm()
  stops.unshift(swarm.stop)
  for (let round = 0; round < rounds; round++) {
    const edge = await startEdge(`joined-${round}`)
    await swarm.ask('connect', { group: 'first', urls: [edge.url], doc, count: 1 })
    await swarm.ask('connect', { group: 'joining', urls: [edge.url], doc, count: joining })
    joinMs.push(await swarm.ask('observe', { group: 'joining' }))
    encodes.push(await encodesOf(edge))
    // What it takes a viewer that is the only one to come: the edge has the document by now.
    firstMs.push(await swarm.ask('observe', { group: 'first' }))
    await swarm.ask('close', { group: 'joining' })
    await swarm.ask('close', { group: 'first' })
    await edge.stop()
  }
  report({
    bench: `storm: ${joining} viewers join one document of 70 kB, the last one live`,
    unit: 'ms',
    values: joinMs,
    ceiling: 1_000,
  })
  report({
    bench: `storm: views written out for ${joining} viewers that join`,
    unit: 'views',
    values: encodes,
    ceiling: 2,
  })
  report({ bench: 'storm: one more viewer, live', unit: 'ms', values: firstMs })

  const backMs = []
  const p99Before = []
  const p99During = []
  const memory = []
  const left = []
  const turnedAway = []
  const watching = startSwarm()
  stops.unshift(watching.stop)
  for (let round = 0; round < rounds; round++) {
    const [lost, survivor] = await Promise.all([
      startEdge(`lost-${round}`),
      startEdge(`kept-${round}`),
    ])
    await watching.ask('connect', { group: 'others', urls: [survivor.url], doc, count: others })
    await watching.ask('observe', { group: 'others' })
    const urls = [lost.url, survivor.url]
    await swarm.ask('connect', { group: 'returning', urls, doc, count: returning })
    await swarm.ask('observe', { group: 'returning' })
    await swarm.ask('comeBack', { group: 'returning' })
    const writer = await startWriter({ url: authority.url, doc, perSecond })
    await wait(1_500)
    await watching.ask('watch', { group: 'others' })
    await wait(3_000)
    p99Before.push((await watching.ask('lags', { group: 'others' })).p99)
    const before = await survivor.measure('held')
    await watching.ask('watch', { group: 'others' })
    const lostAt = performance.now()
    await lost.kill()
    let live = 0
    let peak = before.rss
    while (live < returning && performance.now() - lostAt < 60_000) {
      await wait(50)
      live = await swarm.ask('back', { group: 'returning' })
      peak = Math.max(peak, (await survivor.measure()).rss)
    }
    backMs.push(performance.now() - lostAt)
    p99During.push((await watching.ask('lags', { group: 'others' })).p99)
    memory.push((peak - before.rss) / returning / 1_024)
    turnedAway.push(await swarm.ask('turnedAway', { group: 'returning' }))
    await writer.stop()
    await swarm.ask('close', { group: 'returning' })
    await wait(2_000)
    const after = await survivor.measure('held')
    left.push((after.heapUsed + after.external - before.heapUsed - before.external) / 2 ** 20)
    await watching.ask('close', { group: 'others' })
    await survivor.stop()
  }
  report({
    bench: `storm: ${returning} viewers lose their edge, the last one live at another`,
    unit: 'ms',
    values: backMs,
    ceiling: 5_000,
  })
  report({
    bench: 'storm: memory of the other edge at its peak, for each that came',
    unit: 'KiB',
    values: memory,
  })
  report({
    bench: 'storm: what the other edge holds when they are gone again, more than before',
    unit: 'MiB',
    values: left,
  })
  report({
    bench: 'storm: how often one that came found no room',
    unit: 'times',
    values: turnedAway,
  })
  report({
    bench: `storm: ${others} others, commit to viewer before, p99`,
    unit: 'ms',
    values: p99Before,
  })
  report({
    bench: `storm: ${others} others, commit to viewer meanwhile, p99`,
    unit: 'ms',
    values: p99During,
  })
  report({
    bench: 'storm: p99 of the others, meanwhile to before',
    unit: 'times',
    values: p99During.map((p99, round) => p99 / p99Before[round]),
    ceiling: 2,
  })
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
