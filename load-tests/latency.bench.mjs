// From commit to viewer at 100 messages a second: one edge at the authority, one behind a proxy, one
// behind two, all on one authority at the same time and each node a process of its own, so that every
// message is measured on all three ways.
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
const doc = 'bench/board/latency'
const stops = []
const start = async options => {
  const node = await startNode(options)
  stops.unshift(node.stop)
  return node
}
const open = (url, onMessage) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['fanfold.v1', `bearer.${token}`], { perMessageDeflate: false })
    socket.on('message', data => onMessage(performance.now(), JSON.parse(data)))
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })

try {
  const authority = await start({ name: 'authority', roles: ['authority'], definitions: [definition], data: directory })
  const outer = await start({ name: 'proxy-1', roles: ['proxy'], parents: [authority.url] })
  const inner = await start({ name: 'proxy-2', roles: ['proxy'], parents: [outer.url] })
  const parents = [authority, outer, inner]
  const ackAt = new Map()
  const sentAt = new Map()
  const seenAt = parents.map(() => new Map())
  let acknowledged = () => {}
  const writer = await open(`${authority.url}/v1/write`, (now, frame) => {
    if (frame.code === 'FANFOLD_DRAINING') return
    if (frame.type !== 'committed') throw new Error(JSON.stringify(frame))
    ackAt.set(frame.seq, now)
    sentAt.set(frame.seq, sentAt.get(frame.id))
    acknowledged()
  })
  const send = async id => {
    const done = new Promise(resolve => {
      acknowledged = resolve
    })
    sentAt.set(id, performance.now())
    const value = { entry: `entry-${seconds}`, count: Math.random(), by: 'bench' }
    writer.send(JSON.stringify({ type: 'send', doc, message: 'set', value, id }))
    await done
  }
  await send('first')
  for (const [hops, parent] of parents.entries()) {
    const edge = await start({ name: `edge-${hops}`, roles: ['edge'], parents: [parent.url] })
    await new Promise(resolve => {
      open(`${edge.url}/v1/observe`, (now, frame) => {
        if (frame.type === 'delta') seenAt[hops].set(frame.seq, now)
        else if (frame.type === 'snapshot') resolve()
      }).then(socket => socket.send(JSON.stringify({ type: 'observe', doc })))
    })
  }
  const rows = parents.map(() => ({ p50: [], p99: [] }))
  const ack = { p50: [], p99: [] }
  for (let round = -1; round < rounds; round++) {
    const before = new Set(ackAt.keys())
    const startedAt = performance.now()
    for (let index = 0; index < perSecond * seconds; index++) {
      const wait = startedAt + (index * 1000) / perSecond - performance.now()
      if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
      await send(`${round}-${index}`)
    }
    const seqs = [...ackAt.keys()].filter(seq => !before.has(seq))
    for (const seen of seenAt) while (!seen.has(seqs.at(-1))) await new Promise(setImmediate)
    if (round < 0) continue
    const acks = seqs.map(seq => ackAt.get(seq) - sentAt.get(seq))
    ack.p50.push(quantile(acks, 0.5))
    ack.p99.push(quantile(acks, 0.99))
    for (const [hops, seen] of seenAt.entries()) {
      const latencies = seqs.map(seq => seen.get(seq) - ackAt.get(seq))
      rows[hops].p50.push(quantile(latencies, 0.5))
      rows[hops].p99.push(quantile(latencies, 0.99))
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
