// How many bytes leave the edges for a byte that leaves the authority: one document, an authority, a proxy and two edges, and from
// 10 viewers to some thousands. Bytes are counted, so it does not matter what else the machine does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { report } from './report.mjs'
import { startNode } from './start-node.mjs'
import { startSwarm } from './swarm.mjs'
import { write } from './writer.mjs'

const counts = [10, 100, 1_000, Number(process.env.VIEWERS ?? 5_000)]
const deltas = 100
const perSecond = 20
const doc = 'bench/market/amplification'
const definition = fileURLToPath(new URL('./definitions/market.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-amplification-'))
const stops = []

/** Bytes that a node has sent, to nodes and to viewers. */
async function sentBytes({ adminPort }) {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const lines = metrics.matchAll(/^fanfold_sent_bytes_total\{[^}]*\} (\d+)/gm)
  return [...lines].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

let written = 0
/** Writes at an even pace, each a delta that every viewer is told. */
async function writeAll(url) {
  for (let count = 0; count < deltas; count++) {
    const value = { entry: `entry-${written % 1_000}`, text: `${written}`.padStart(78, 'y') }
    const run = `amplification-${written++}`
    await write({ url, count: 1, inFlight: 1, run, next: () => ({ doc, message: 'write', value }) })
    await wait(1_000 / perSecond)
  }
}

try {
  const node = async (name, role, more) => {
    const started = await startNode({ name, roles: [role], ...more })
    stops.unshift(started.stop)
    return started
  }
  const authority = await node('authority', 'authority', {
    definitions: [definition],
    data: directory,
  })
  const proxy = await node('proxy', 'proxy', { parents: [authority.url] })
  const edges = [
    await node('edge-1', 'edge', { parents: [proxy.url] }),
    await node('edge-2', 'edge', { parents: [proxy.url] }),
  ]
  const swarm = startSwarm()
  stops.unshift(swarm.stop)
  await writeAll(authority.url)
  let viewers = 0
  for (const count of counts) {
    for (const [index, { url }] of edges.entries()) {
      const group = `${count}-${index}`
      await swarm.ask('connect', { group, urls: [url], doc, count: (count - viewers) / 2 })
      await swarm.ask('observe', { group })
    }
    viewers = count
    // What came with them is sent.
    await wait(1_000)
    const all = [authority, proxy, ...edges]
    const before = await Promise.all(all.map(sentBytes))
    await writeAll(authority.url)
    await wait(1_000)
    const after = await Promise.all(all.map(sentBytes))
    const [fromAuthority, fromProxy, ...fromEdges] = after.map((bytes, at) => bytes - before[at])
    const out = fromEdges.reduce((sum, bytes) => sum + bytes, 0)
    const bench = `amplification: ${count} viewers`
    const each = (what, bytes) =>
      report({ bench: `${bench}, ${what} for a delta`, unit: 'bytes', values: [bytes / deltas] })
    each('out of the authority', fromAuthority)
    each('out of the proxy', fromProxy)
    each('out of the edges', out)
    report({
      bench: `${bench}, out of the edges to out of the authority`,
      unit: 'times',
      values: [out / fromAuthority],
    })
  }
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
