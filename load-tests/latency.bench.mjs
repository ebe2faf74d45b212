// From commit to viewer at 100 messages a second: one edge at the authority, one behind a proxy, one
// behind two, each node a process of its own. Each way has its own document, and a link carries nothing
// of a document that nobody below it observes: so the ways are measured in turn, one at a time, on the
// same processes.
//
// The authority answers the writer and sends to its children in the same turn, so the time from the
// writer's acknowledgement to the viewer's delta is what the tree adds to a socket's way; what the log
// takes is in the time from the send to the acknowledgement.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { quantile, report } from './report.mjs'
import { startNode, token } from './start-node.mjs'

const definition = fileURLToPath(new URL('./definitions/board.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-latency-'))
const perSecond = 100
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 5)
const rounds = Number(process.env.ROUNDS ?? 5)
const docOf = hops => `bench/board/latency-${hops}`
const stops = []
const start = async options => {
  const node = await startNode(options)
  stops.unshift(node.stop)
  return node
}
const open = (url, onMessage) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['fanfold.v1', `bearer.${token}`], {
      perMessageDeflate: false,
    })
    socket.on('message', data => onMessage(performance.now(), JSON.parse(data)))
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })

const deferred = () => {
  let resolve
  const promise = new Promise(done => {
    resolve = done
  })
  return { promise, resolve }
}

try {
  const authority = await start({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  const outer = await start({ name: 'proxy-1', roles: ['proxy'], parents: [authority.url] })
  const inner = await start({ name: 'proxy-2', roles: ['proxy'], parents: [outer.url] })
  const parents = [authority, outer, inner]
  let waiting
  const writer = await open(`${authority.url}/v1/write`, (now, frame) => {
    if (frame.code === 'FANFOLD_DRAINING') return
    if (frame.type !== 'committed') throw new Error(JSON.stringify(frame))
    waiting.acknowledged(now)
  })
  let count = 0
  /** Sends one message and resolves with when it was sent, acknowledged and seen. */
  const send = async (hops, isSeen) => {
    const acknowledged = deferred()
    const seen = deferred()
    waiting = { acknowledged: acknowledged.resolve, seen: seen.resolve }
    const sentAt = performance.now()
    const value = { entry: 'entry-1', count: ++count, by: 'bench' }
    writer.send(
      JSON.stringify({ type: 'send', doc: docOf(hops), message: 'set', value, id: `${count}` }),
    )
    const acknowledgedAt = await acknowledged.promise
    return { sentAt, acknowledgedAt, seenAt: isSeen ? await seen.promise : undefined }
  }
  for (const [hops, parent] of parents.entries()) {
    await send(hops, false)
    const edge = await start({ name: `edge-${hops}`, roles: ['edge'], parents: [parent.url] })
    await new Promise((resolve, reject) => {
      open(`${edge.url}/v1/observe`, (now, frame) => {
        if (frame.type === 'delta') waiting.seen(now)
        else if (frame.type === 'snapshot') resolve()
      })
        .then(socket => socket.send(JSON.stringify({ type: 'observe', doc: docOf(hops) })))
        .catch(reject)
    })
  }
  const rows = parents.map(() => ({ p50: [], p99: [] }))
  const ack = { p50: [], p99: [] }
  for (let round = -1; round < rounds; round++) {
    for (const hops of parents.keys()) {
      const samples = []
      const startedAt = performance.now()
      for (let index = 0; index < perSecond * seconds; index++) {
        const wait = startedAt + (index * 1000) / perSecond - performance.now()
        if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
        samples.push(await send(hops, true))
      }
      if (round < 0) continue
      const acks = samples.map(({ sentAt, acknowledgedAt }) => acknowledgedAt - sentAt)
      const ways = samples.map(({ acknowledgedAt, seenAt }) => seenAt - acknowledgedAt)
      ack.p50.push(quantile(acks, 0.5))
      ack.p99.push(quantile(acks, 0.99))
      rows[hops].p50.push(quantile(ways, 0.5))
      rows[hops].p99.push(quantile(ways, 0.99))
    }
  }
  report({ bench: 'latency: send to acknowledgement, p50', unit: 'ms', values: ack.p50 })
  report({ bench: 'latency: send to acknowledgement, p99', unit: 'ms', values: ack.p99 })
  for (const [hops, { p50, p99 }] of rows.entries()) {
    const name = `latency: acknowledgement to viewer, ${hops + 1} hop${hops === 0 ? '' : 's'}`
    report({ bench: `${name}, p50`, unit: 'ms', values: p50, ceiling: 2 + 0.5 * hops })
    report({ bench: `${name}, p99`, unit: 'ms', values: p99 })
  }
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
