// Bytes for a delta, by how it is sent: as it is, deflated once for all viewers, deflated for each connection with its
// context kept, and as a difference of texts (fossil, where it is installed among the peers). What is played is a
// recorded timing feed where there is one, else one that nobody recorded. First through an authority and an edge to
// viewers of both kinds, as it is on the wire; then each way by itself, for what it costs.
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { constants, createDeflateRaw, createGunzip, deflateRawSync } from 'node:zlib'
import { applyPatch } from '@fanfold/document'
import { syntheticRecording } from '@fanfold/example-timing/dist/synthetic-recording.js'
import { WebSocket } from 'ws'
import { peersDirectory } from './peers/parts.mjs'
import { report } from './report.mjs'
import { startNode, token } from './start-node.mjs'

const recordings =
  process.env.FANFOLD_REALDATA ?? fileURLToPath(new URL('../../shared/realdata', import.meta.url))
const folder = `${recordings}/f1-2024-imola-qualifying`
const linesMax = Number(process.env.DELTAS ?? 10_000)
/** As many as an edge deflates for, and one who takes nothing so. */
const packedCount = 4
const underWay = 64
const doc = 'bench/timing/compression'
const definition = fileURLToPath(new URL('../examples/timing/timing.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-compression-'))
const flushTrailerBytes = 4

async function readRecording() {
  if (!existsSync(folder)) {
    const { state, lines } = syntheticRecording({
      seed: 'compression',
      lineCount: linesMax,
      carCount: 20,
    })
    return { name: 'synthetic', state, lines: [...lines()] }
  }
  const state = JSON.parse(readFileSync(`${folder}/subscribe.json`, 'utf8'))
  const lines = []
  const input = createReadStream(`${folder}/deltas.ndjson.gz`).pipe(createGunzip())
  for await (const line of createInterface({ input })) {
    if (lines.length < linesMax) lines.push(JSON.parse(line))
  }
  return { name: 'recorded', state, lines: lines.map(({ topic, delta }) => ({ topic, delta })) }
}

/** One who watches, and what came over its connection. */
function watch(url, perMessageDeflate) {
  const socket = new WebSocket(`${url}/v1/observe`, ['fanfold.v1', `bearer.${token}`], {
    perMessageDeflate,
  })
  const viewer = { socket, frames: [], seq: -1 }
  socket.on('open', () => socket.send(JSON.stringify({ type: 'observe', doc })))
  socket.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type === 'delta' || frame.type === 'snapshot') viewer.seq = frame.seq
    viewer.frames.push({ bytes: data, frame })
  })
  return viewer
}

const bytesRead = ({ socket }) => socket._socket.bytesRead

/** Plays the lines into the document; resolves with the last seq. */
async function play(url, messages) {
  const socket = new WebSocket(`${url}/v1/write`, ['fanfold.v1', `bearer.${token}`])
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let sent = 0
  let seq = 0
  const sendNext = () => {
    const next = messages[sent]
    if (next === undefined) return
    const [message, value] = next
    socket.send(
      JSON.stringify({ type: 'send', doc, message, value, id: `${process.pid}-${sent++}` }),
    )
  }
  await new Promise((resolve, reject) => {
    let answered = 0
    socket.on('message', data => {
      const answer = JSON.parse(data)
      if (answer.type !== 'committed') reject(new Error(String(data)))
      seq = Math.max(seq, answer.seq)
      if (++answered === messages.length) resolve()
      else sendNext()
    })
    for (let first = 0; first < underWay; first++) sendNext()
  })
  socket.close()
  return seq
}

const until = async isDone => {
  while (!isDone()) await wait(20)
}

/** Processor time of what is done with each, µs. */
async function timed(items, work) {
  const before = process.cpuUsage()
  for (const item of items) await work(item)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / items.length
}

const stops = []
try {
  const { name, state, lines } = await readRecording()
  const node = await startNode({
    name: 'node',
    roles: ['authority', 'edge'],
    definitions: [definition],
    data: directory,
    compression: true,
  })
  stops.unshift(node.stop)
  await play(node.url, [['start', { state }]])
  const plain = watch(node.url, false)
  const packed = Array.from({ length: packedCount }, () => watch(node.url, true))
  const all = [plain, ...packed]
  await until(() => all.every(({ seq }) => seq >= 0))
  const [snapshot] = plain.frames.filter(({ frame }) => frame.type === 'snapshot')
  const joined = all.map(bytesRead)
  const lastSeq = await play(
    node.url,
    lines.map(line => ['merge', line]),
  )
  await until(() => all.every(({ seq }) => seq === lastSeq))
  const deltas = plain.frames.filter(({ frame }) => frame.type === 'delta')
  const bench = what => `compression: ${name} timing feed, ${what}`
  const perDelta = all.map((viewer, at) => (bytesRead(viewer) - joined[at]) / deltas.length)
  report({ bench: bench('a delta on the wire as it is'), unit: 'bytes', values: [perDelta[0]] })
  report({
    bench: bench('a delta on the wire deflated once'),
    unit: 'bytes',
    values: perDelta.slice(1),
  })
  report({ bench: bench('deltas'), unit: 'deltas', values: [deltas.length] })

  const payloads = deltas.map(({ bytes }) => bytes)
  const mean = sizes => sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  report({
    bench: bench('payload as it is'),
    unit: 'bytes',
    values: [mean(payloads.map(({ length }) => length))],
  })
  const once = []
  const onceUs = await timed(payloads, payload => {
    const { length } = deflateRawSync(payload, { level: 3, finishFlush: constants.Z_SYNC_FLUSH })
    once.push(Math.min(payload.length, length - flushTrailerBytes))
  })
  report({ bench: bench('payload deflated for itself'), unit: 'bytes', values: [mean(once)] })
  report({ bench: bench('to deflate a payload for itself'), unit: 'µs', values: [onceUs] })

  const stream = createDeflateRaw({ level: constants.Z_DEFAULT_COMPRESSION })
  let streamed = 0
  stream.on('data', ({ length }) => {
    streamed += length
  })
  const streamUs = await timed(
    payloads,
    payload =>
      new Promise(resolve => {
        stream.write(payload)
        stream.flush(constants.Z_SYNC_FLUSH, resolve)
      }),
  )
  const kept = streamed / payloads.length - flushTrailerBytes
  report({
    bench: bench('payload deflated with its context, for each connection'),
    unit: 'bytes',
    values: [kept],
  })
  report({ bench: bench('to deflate a payload with its context'), unit: 'µs', values: [streamUs] })

  const fossilPath = `${peersDirectory}node_modules/fossil-delta/fossil-delta.js`
  if (existsSync(fossilPath)) {
    const { createDelta } = await import(fossilPath)
    let view = snapshot.frame.view
    let text = Buffer.from(JSON.stringify(view))
    const sizes = []
    let spentUs = 0
    for (const { frame } of deltas) {
      view = applyPatch(view, frame.patch)
      const next = Buffer.from(JSON.stringify(view))
      spentUs += await timed([next], () => sizes.push(createDelta(text, next).length))
      text = next
    }
    report({ bench: bench('difference of texts (fossil)'), unit: 'bytes', values: [mean(sizes)] })
    report({
      bench: bench('to make a difference of texts (fossil)'),
      unit: 'µs',
      values: [spentUs / sizes.length],
    })
  }
  for (const { socket } of all) socket.terminate()
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
