// A long time with churn: viewers of an edge come, leave, are cut and resume, stop reading for a while and go on, while
// the document changes. Who watches is checked for order; memory, open files and what the event loop is late by are
// looked at all along. What grows shows when the last part of the time is compared with the first, after a warm-up.
//
// MINUTES (30) for all of it. What is held is read after a collection, so that garbage is no part of it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { growLog } from './grown-log.mjs'
import { startWriter } from './paced-writer.mjs'
import { RawSocket } from './raw-socket.mjs'
import { quantile, report } from './report.mjs'
import { startNode, token } from './start-node.mjs'

const minutes = Number(process.env.MINUTES ?? 30)
const count = Number(process.env.VIEWERS ?? 1_000)
const perSecond = 10
/** Viewers to whom something happens in a second. */
const churnPerSecond = Math.ceil(count / 50)
const slowMs = 8_000
const sampleMs = 5_000
const definition = fileURLToPath(new URL('./definitions/grown.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-soak-'))

const tally = { violations: 0, joined: 0, resumed: 0, slowed: 0, left: 0 }

/** One who watches, whatever happens to it. */
class Viewer {
  #url
  #doc
  #socket
  #seq = -1
  /** The last position and its seq: positions come once a second, and a viewer resumes from there. */
  #anchor
  #isAway = false

  constructor(url, doc) {
    this.#url = url
    this.#doc = doc
    this.#connect()
  }

  get seq() {
    return this.#seq
  }

  get isAway() {
    return this.#isAway
  }

  /** Is gone, and somebody else comes in its place. */
  replace() {
    tally.left++
    this.#seq = -1
    this.#anchor = undefined
    void this.#again(0)
  }

  /** Is cut, and goes on where it was. */
  cut() {
    tally.resumed++
    void this.#again(Math.random() * 3_000)
  }

  /** Reads nothing for a while. */
  async stall() {
    tally.slowed++
    const socket = this.#socket
    this.#isAway = true
    socket.pause()
    await wait(slowMs)
    socket.resume()
    this.#isAway = false
  }

  close() {
    this.#socket.removeAllListeners()
    this.#socket.on('error', () => undefined)
    this.#socket.terminate()
  }

  async #again(afterMs) {
    this.#isAway = true
    this.close()
    await wait(afterMs)
    this.#connect()
    this.#isAway = false
  }

  #connect() {
    tally.joined++
    const socket = new RawSocket(`${this.#url}/v1/observe`, ['fanfold.v1', `bearer.${token}`])
    this.#socket = socket
    const from = this.#anchor?.position
    this.#seq = this.#anchor?.seq ?? -1
    socket.on('error', () => undefined)
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'observe', doc: this.#doc, ...(from && { from }) })),
    )
    socket.on('message', data => this.#take(JSON.parse(data)))
  }

  #take(frame) {
    if (frame.type === 'snapshot') {
      if (frame.seq < this.#seq) tally.violations++
    } else if (frame.type === 'delta') {
      if (frame.from !== this.#seq) tally.violations++
    } else {
      return
    }
    this.#seq = frame.seq
    if (frame.position !== undefined) this.#anchor = { position: frame.position, seq: frame.seq }
  }
}

const filesOf = pid => readdirSync(`/proc/${pid}/fd`).length
const residentMib = pid =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024

const stops = []
try {
  const { doc } = await growLog({ directory, id: 'soak', deltas: 1_000, stateBytes: 20_000 })
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
    nodeArguments: ['--expose-gc'],
    environment: { BENCH_LOOP: '1' },
  })
  stops.unshift(edge.stop)
  const writer = await startWriter({ url: authority.url, doc, perSecond })
  const viewers = Array.from({ length: count }, () => new Viewer(edge.url, doc))
  const endAt = performance.now() + minutes * 60_000
  const samples = []
  const sample = async () => {
    const { heapUsed } = await edge.measure('held')
    const { p99Ms } = await edge.measure('loop')
    const { pid } = edge.child
    samples.push({
      heapKib: heapUsed / 1_024,
      p99Ms,
      residentMib: residentMib(pid),
      files: filesOf(pid),
    })
  }
  let sampleAt = performance.now() + sampleMs
  while (performance.now() < endAt) {
    await wait(1_000)
    for (let left = churnPerSecond; left > 0; left--) {
      const viewer = viewers[Math.floor(Math.random() * count)]
      if (viewer.isAway) continue
      const chance = Math.random()
      if (chance < 0.3) viewer.replace()
      else if (chance < 0.7) viewer.cut()
      else void viewer.stall()
    }
    if (performance.now() < sampleAt) continue
    sampleAt += sampleMs
    await sample()
  }
  await wait(slowMs + 3_000)
  const lastSeq = await writer.stop()
  await wait(3_000)
  const behind = viewers.filter(({ seq }) => seq !== lastSeq).length
  for (const viewer of viewers) viewer.close()
  await wait(2_000)
  const files = filesOf(edge.child.pid)

  const bench = what => `soak: ${count} viewers, ${minutes} min, ${what}`
  const warm = samples.slice(Math.floor(samples.length / 6))
  const part = Math.floor(warm.length / 5)
  const parts = { first: warm.slice(0, part), last: warm.slice(-part) }
  const middleOf = (of, name) =>
    quantile(
      of.map(one => one[name]),
      0.5,
    )
  for (const [name, unit] of [
    ['heapKib', 'KiB'],
    ['residentMib', 'MiB'],
    ['files', 'files'],
    ['p99Ms', 'ms'],
  ]) {
    const [first, last] = [middleOf(parts.first, name), middleOf(parts.last, name)]
    report({ bench: bench(`${name} in the first fifth`), unit, values: [first] })
    report({ bench: bench(`${name} in the last fifth`), unit, values: [last] })
    if (name !== 'p99Ms')
      report({
        bench: bench(`${name}, last to first`),
        unit: 'times',
        values: [last / first],
        ceiling: 1.05,
      })
  }
  report({ bench: bench('open files when all have left'), unit: 'files', values: [files] })
  report({
    bench: bench('viewers not up to date in the end'),
    unit: 'viewers',
    values: [behind],
    ceiling: 0,
  })
  report({
    bench: bench('frames out of order'),
    unit: 'frames',
    values: [tally.violations],
    ceiling: 0,
  })
  for (const what of ['joined', 'resumed', 'slowed', 'left'])
    report({ bench: bench(what), unit: 'times', values: [tally[what]] })
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
