// An edge's fan-out over real sockets: so many viewers of one document, all in one cohort, under a
// definition with rules. The edge is a process of its own behind an authority; its processor time is
// measured from outside, and where that goes by its own profile.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { median, quantile, report } from './report.mjs'
import { startNode, token } from './start-node.mjs'

const counts = [1, 10, 100, 1_000]
const perSecond = 20
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 4)
const rounds = Number(process.env.ROUNDS ?? 3)
const doc = 'bench/market/fan-out'
const definition = fileURLToPath(new URL('./definitions/market.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-viewers-'))
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))

const open = url =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['fanfold.v1', `bearer.${token}`], {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    })
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })

/** A viewer that is up to date; each delta is told to `onDelta`. */
async function observe(url, onDelta) {
  const socket = await open(`${url}/v1/observe`)
  await new Promise(resolve => {
    socket.on('message', data => {
      // Looked at no further: the viewers share the machine with the edge.
      if (data.includes('"type":"delta"')) onDelta()
      else if (data.includes('"type":"snapshot"')) resolve()
    })
    socket.send(JSON.stringify({ type: 'observe', doc }))
  })
  return socket
}

const stops = []
try {
  const authority = await startNode({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  stops.unshift(authority.stop)
  const edge = await startNode({ name: 'edge', roles: ['edge'], parents: [authority.url] })
  stops.unshift(edge.stop)
  const writer = await open(`${authority.url}/v1/write`)
  let acknowledged = () => undefined
  writer.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type === 'committed') acknowledged(performance.now())
    else if (frame.code !== 'FANFOLD_DRAINING') throw new Error(String(data))
  })
  let sent = 0
  const write = () =>
    new Promise(resolve => {
      acknowledged = resolve
      const value = { entry: `entry-${sent % 1_000}`, text: `${sent}`.padStart(78, 'y') }
      const id = String(sent++)
      writer.send(JSON.stringify({ type: 'send', doc, message: 'write', value, id }))
    })
  await write()

  const viewers = []
  let got = 0
  let expected = 0
  let allGot = () => undefined
  const onDelta = () => {
    if (++got === expected) allGot(performance.now())
  }
  /** Some seconds of deltas: what each cost the edge, and how late the last viewer had it. */
  const run = async () => {
    const lastMs = []
    const before = await edge.measure()
    const startedAt = performance.now()
    for (let index = 0; index < perSecond * seconds; index++) {
      const due = startedAt + (index * 1000) / perSecond - performance.now()
      if (due > 0) await wait(due)
      got = 0
      expected = viewers.length
      const all = new Promise(resolve => {
        allGot = resolve
      })
      const acknowledgedAt = await write()
      lastMs.push((await all) - acknowledgedAt)
    }
    const after = await edge.measure()
    return { cpuMs: (after.cpuMs - before.cpuMs) / (perSecond * seconds), lastMs }
  }

  const costs = []
  for (const count of counts) {
    while (viewers.length < count) viewers.push(await observe(edge.url, onDelta))
    // Heartbeats and the like of connecting are over.
    await wait(500)
    await run()
    const cpuMs = []
    const last = []
    for (let round = 0; round < rounds; round++) {
      const result = await run()
      cpuMs.push(result.cpuMs)
      last.push(quantile(result.lastMs, 0.5))
    }
    costs.push(median(cpuMs))
    const name = `viewers: ${count} in one cohort`
    report({ bench: `${name}, processor of the edge for a delta`, unit: 'ms', values: cpuMs })
    report({
      bench: `${name}, acknowledgement to the last of them, p50`,
      unit: 'ms',
      values: last,
    })
  }
  const [first] = costs
  report({
    bench: 'viewers: processor of the edge for one more viewer and delta',
    unit: 'µs',
    values: [((costs.at(-1) - first) * 1_000) / (counts.at(-1) - 1)],
  })

  await edge.measure('profile')
  await run()
  const spent = Object.entries(await edge.measure('profiled'))
  const total = spent.reduce((sum, [, ms]) => sum + ms, 0)
  for (const [name, ms] of spent.sort((a, b) => b[1] - a[1])) {
    const part = (ms / total) * 100
    if (part < 0.5) continue
    report({
      bench: `viewers: ${counts.at(-1)} in one cohort, time of the edge in ${name}`,
      unit: '%',
      values: [part],
    })
  }
  for (const viewer of viewers) viewer.terminate()
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
