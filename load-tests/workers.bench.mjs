// What several processes behind one port cost an edge and bring it: the same edge with one, which accepts its
// connections itself, and with two, to which they are passed. Processor time of all processes of the edge for a
// connection, one that is opened as a viewer's and left again; and deliveries for a second of it, while each of
// 1,000 viewers gets every delta. With the deltas comes how long it took until the last viewer had one: two processes
// write at the same time, where there are processors for them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { report } from './report.mjs'
import { startNode, token } from './start-node.mjs'

const count = Number(process.env.VIEWERS ?? 1_000)
const perSecond = 20
const connections = 2_000
/** Connections that are opened at a time. */
const together = 50
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 4)
const rounds = Number(process.env.ROUNDS ?? 3)
const definition = fileURLToPath(new URL('./definitions/market.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-workers-'))
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
async function observe(url, doc, onDelta) {
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

const get = async (edge, path) => await fetch(`http://127.0.0.1:${edge.adminPort}${path}`)

/** Processor time of all processes of the edge so far, ms; asking for it is a part of that, some ms. */
async function cpuMsOf(edge) {
  const text = await (await get(edge, '/metrics')).text()
  const values = [...text.matchAll(/^process_cpu_seconds_total\{.*\} ([\d.e-]+)$/gm)]
  if (values.length === 0) throw new Error('the edge tells no processor time')
  return values.reduce((sum, [, value]) => sum + Number(value) * 1_000, 0)
}

/** Viewers at each worker, where there are some. */
async function spreadOf(edge) {
  const { workers = [] } = await (await get(edge, '/admin/topology')).json()
  return workers.map(({ viewers }) => viewers)
}

/** Opens and leaves so many connections; processor time of the edge for each, µs. */
async function connectAll(edge) {
  const before = await cpuMsOf(edge)
  for (let done = 0; done < connections; done += together) {
    const opened = Array.from({ length: together }, () => open(`${edge.url}/v1/observe`))
    for (const socket of await Promise.all(opened)) socket.terminate()
  }
  return (((await cpuMsOf(edge)) - before) * 1_000) / connections
}

const stops = []
const found = {}
const note = (bench, unit, value) => {
  found[bench] ??= { bench, unit, values: [] }
  found[bench].values.push(value)
}
try {
  const top = await startNode({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  stops.unshift(top.stop)
  const writer = await open(`${top.url}/v1/write`)
  let acknowledged = () => undefined
  writer.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type === 'committed') acknowledged()
    else if (frame.code !== 'FANFOLD_DRAINING') throw new Error(String(data))
  })
  let sent = 0
  const write = doc =>
    new Promise(resolve => {
      acknowledged = resolve
      const value = { entry: `entry-${sent % 1_000}`, text: `${sent}`.padStart(78, 'y') }
      writer.send(JSON.stringify({ type: 'send', doc, message: 'write', value, id: `${sent++}` }))
    })

  for (let round = 0; round < rounds; round++) {
    for (const workers of [1, 2]) {
      const kind = workers === 1 ? '1 worker' : `${workers} workers`
      const doc = `bench/market/workers-${workers}`
      await write(doc)
      const edge = await startNode({
        name: 'edge',
        roles: ['edge'],
        parents: [top.url],
        workers,
        // A worker's lines go where the node prints its ports.
        'logging.level': 'error',
        'limits.handshakesPerSecondMax': 100_000,
        'limits.handshakesBurst': 100_000,
      })
      stops.unshift(edge.stop)
      let got = 0
      let allGot = () => undefined
      const onDelta = () => {
        if (++got === count) allGot()
      }
      /** Some seconds of deltas; processor time of the edge in them, ms, and the mean time until all had one. */
      const run = async () => {
        const before = await cpuMsOf(edge)
        const startedAt = performance.now()
        let lateMs = 0
        for (let index = 0; index < perSecond * seconds; index++) {
          const due = startedAt + (index * 1000) / perSecond - performance.now()
          if (due > 0) await wait(due)
          got = 0
          const all = new Promise(resolve => {
            allGot = resolve
          })
          const sentAt = performance.now()
          await write(doc)
          await all
          lateMs += performance.now() - sentAt
        }
        const cpuMs = (await cpuMsOf(edge)) - before
        return { cpuMs, lateMs: lateMs / (perSecond * seconds) }
      }

      const first = await observe(edge.url, doc, onDelta)
      await connectAll(edge)
      note(`workers: processor of the edge for a connection, ${kind}`, 'µs', await connectAll(edge))
      const viewers = [first]
      while (viewers.length < count) viewers.push(await observe(edge.url, doc, onDelta))
      await wait(1_500)
      const spread = await spreadOf(edge)
      if (spread.some(held => Math.abs(held - count / workers) > count / 20)) {
        throw new Error(`viewers are not spread: ${spread}`)
      }
      await run()
      const { cpuMs, lateMs } = await run()
      const deliveries = perSecond * seconds * count
      note(
        `workers: deliveries for a second of the edge's processor, ${count} viewers, ${kind}`,
        'deliveries',
        (deliveries * 1_000) / cpuMs,
      )
      note(`workers: until all of ${count} viewers have a delta, ${kind}`, 'ms', lateMs)
      for (const viewer of viewers) viewer.terminate()
      stops.shift()
      await edge.stop()
    }
  }
  for (const figure of Object.values(found)) report(figure)
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
