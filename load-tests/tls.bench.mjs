// What TLS costs an edge: the same edge with and without, one after the other in each round. Its processor time
// for a delta that one of 1,000 viewers gets, resident memory for a viewer to whom nothing is sent, and
// what a connection takes, with a whole handshake and with one that resumes a session, by the kind of the
// certificate's key.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { TestAuthority } from '@fanfold/conformance'
import { WebSocket } from 'ws'
import { report } from './report.mjs'
import { startNode, token } from './start-node.mjs'

const count = 1_000
const perSecond = 20
const handshakes = 500
/** Handshakes under way at a time. */
const together = 10
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 4)
const rounds = Number(process.env.ROUNDS ?? 3)
const definition = fileURLToPath(new URL('./definitions/market.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-tls-'))
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))
const authority = new TestAuthority('authority of benchmarks')
const ca = authority.certificate
const certified = keys => {
  const { certificate, privateKey } = authority.issue({ hosts: ['127.0.0.1'], keys })
  return { 'tls.certificate': certificate, 'tls.privateKey': privateKey }
}
const certificates = {
  'P-256': certified(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  'RSA 2,048': certified(generateKeyPairSync('rsa', { modulusLength: 2_048 })),
}
const kinds = {
  'without TLS': { scheme: 'ws', values: {} },
  'with TLS': { scheme: 'wss', values: certificates['P-256'] },
}

const open = url =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['fanfold.v1', `bearer.${token}`], {
      ca,
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

/** One connection that is left at once; resolves with the session that it was given, if it was. */
const shake = (port, session) =>
  new Promise((resolve, reject) => {
    let given
    const socket = connect({ port, host: '127.0.0.1', ca, session })
    socket.once('error', reject)
    socket.on('session', next => {
      given = next
    })
    socket.once('secureConnect', () => {
      const isResumed = session !== undefined
      if (socket.isSessionReused() !== isResumed) reject(new Error(`resumed: not ${isResumed}`))
      socket.end()
    })
    socket.once('close', () => resolve(given))
    socket.resume()
  })

/** Processor time of the edge for each of so many handshakes, µs. */
async function shakeAll(edge, session) {
  const before = await edge.measure()
  for (let done = 0; done < handshakes; done += together) {
    await Promise.all(Array.from({ length: together }, () => shake(edge.port, session)))
  }
  const after = await edge.measure()
  return ((after.cpuMs - before.cpuMs) * 1_000) / handshakes
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
    for (const [kind, { scheme, values }] of Object.entries(kinds)) {
      const doc = `bench/market/tls-${scheme}`
      await write(doc)
      const edge = await startNode({
        name: 'edge',
        roles: ['edge'],
        parents: [top.url],
        nodeArguments: ['--expose-gc'],
        ...values,
      })
      stops.unshift(edge.stop)
      const url = `${scheme}://127.0.0.1:${edge.port}`
      let got = 0
      let expected = 0
      let allGot = () => undefined
      const onDelta = () => {
        if (++got === expected) allGot()
      }
      /** Some seconds of deltas; processor time of the edge in them, ms. */
      const run = async () => {
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
          await write(doc)
          await all
        }
        return (await edge.measure()).cpuMs - before.cpuMs
      }

      // The first viewers bring what all of them share.
      const viewers = []
      while (viewers.length < 50) viewers.push(await observe(url, doc, onDelta))
      await wait(500)
      const held = await edge.measure('held')
      const first = viewers.length
      while (viewers.length < count) viewers.push(await observe(url, doc, onDelta))
      await wait(1_000)
      const { rss } = await edge.measure('held')
      note(
        `tls: resident memory of the edge for an idle viewer, ${kind}`,
        'bytes',
        (rss - held.rss) / (count - first),
      )
      await run()
      const cpuMs = await run()
      note(
        `tls: processor of the edge for a delta to one of ${count} viewers, ${kind}`,
        'µs',
        (cpuMs * 1_000) / (perSecond * seconds * count),
      )
      for (const viewer of viewers) viewer.terminate()
      stops.shift()
      await edge.stop()
    }
    for (const [key, values] of Object.entries(certificates)) {
      const edge = await startNode({
        name: 'edge',
        roles: ['edge'],
        parents: [top.url],
        ...values,
      })
      stops.unshift(edge.stop)
      const session = await shake(edge.port)
      await shakeAll(edge)
      const name = `tls: processor of the edge for a connection, key of ${key}`
      note(`${name}, whole handshake`, 'µs', await shakeAll(edge))
      note(`${name}, resumed`, 'µs', await shakeAll(edge, session))
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
