// What a crowd costs its edge over real sockets: viewers that say things, each on a connection of its own, to an edge that
// parses, checks, counts and sends up what they say, and in turns to a server that parses them and does no more.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { median, report } from './report.mjs'
import { startNode, token } from './start-node.mjs'
import { startSwarm } from './swarm.mjs'

const rounds = Number(process.env.ROUNDS ?? 5)
const speakers = 500
const times = 100
const doc = 'bench/cheers/one'
const here = path => fileURLToPath(new URL(path, import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-cheers-'))

/** The server that parses and does no more. */
async function startParser() {
  const child = spawn(process.execPath, [here('./parse-process.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value)
  const { port } = await next()
  const measure = () => {
    child.stdin.write('measure\n')
    return next()
  }
  return { url: `ws://127.0.0.1:${port}`, measure, stop: () => child.stdin.end() }
}

/** A viewer that knows how much of what was said is in the document. */
async function openAudience(url) {
  let total = 0
  const socket = new WebSocket(`${url}/v1/observe`, ['fanfold.v1', `bearer.${token}`])
  await new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => socket.send(JSON.stringify({ type: 'observe', doc })))
    socket.on('message', data => {
      const { type, view, patch } = JSON.parse(data)
      if (type === 'snapshot') {
        total = view.total
        resolve()
      }
      for (const { path, value } of patch ?? []) if (path === '/total') total = value
    })
  })
  return { total: () => total, close: () => socket.terminate() }
}

const stops = []
try {
  const authority = await startNode({
    name: 'authority',
    roles: ['authority'],
    definitions: [here('./definitions/cheers.ts')],
    data: directory,
  })
  stops.unshift(authority.stop)
  const edge = await startNode({
    name: 'edge',
    roles: ['edge'],
    parents: [authority.url],
    'limits.crowdMessagesPerViewerPerSecond': 1_000,
    'limits.crowdMessagesPerViewerBurst': 10_000,
    'limits.framesPerSecondMax': 100_000,
  })
  stops.unshift(edge.stop)
  const created = await fetch(`http://127.0.0.1:${authority.port}/v1/documents/${doc}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  if (!created.ok) throw new Error(`the document is not begun: ${created.status}`)
  const parser = await startParser()
  stops.unshift(parser.stop)
  const audience = await openAudience(edge.url)
  stops.unshift(audience.close)
  const swarm = startSwarm('./speakers-process.mjs')
  stops.unshift(swarm.stop)
  const servers = {
    edge: {
      url: `${edge.url}/v1/observe`,
      observed: doc,
      measure: edge.measure,
      had: audience.total,
    },
    parser: { url: parser.url, measure: parser.measure },
  }
  for (const [group, { url, observed }] of Object.entries(servers)) {
    await swarm.ask('connect', { group, url, count: speakers, doc: observed })
  }

  /** Messages that the server takes in a second of its processor. */
  const run = async group => {
    const { measure, had } = servers[group]
    const messages = speakers * times
    const before = await measure()
    const hadBefore = had?.() ?? before.messages
    await swarm.ask('say', { group, doc, times })
    for (let missing = messages; missing > 0; await wait(20)) {
      missing = messages + hadBefore - (had?.() ?? (await measure()).messages)
    }
    const { cpuMs } = await measure()
    return (messages / (cpuMs - before.cpuMs)) * 1_000
  }
  for (const group of Object.keys(servers)) await run(group)
  const perSecond = { edge: [], parser: [] }
  for (let round = 0; round < rounds; round++) {
    for (const group of Object.keys(servers)) perSecond[group].push(await run(group))
  }
  const unit = 'messages/s'
  report({ bench: 'cheers: counted at an edge, over sockets', unit, values: perSecond.edge })
  report({ bench: 'cheers: parsed by ws, over sockets', unit, values: perSecond.parser })
  const ratios = perSecond.parser.map((parsed, round) => parsed / perSecond.edge[round])
  report({ bench: 'cheers: an edge to parsing alone', unit: 'times', values: ratios, ceiling: 2 })
  if (median(perSecond.edge) === 0) throw new Error('nothing was counted')
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
