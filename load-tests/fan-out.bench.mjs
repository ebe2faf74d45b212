// What a delivery costs: one document, so many viewers, a delta of some 200 bytes to each of them. An authority and an
// edge with rules and ten cohorts, beside `ws` as its README shows it and beside a program in C that does nothing but
// send(2); all of a server on one core, the viewers on another, in turn in each round. Once five deltas a second, which
// nobody can join, and once four under way at any time, as fast as they go.
//
// A second of a processor is what the system says the server's processes took. Needs Linux, two cores, and a C compiler.
import { execFileSync, fork, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { mintToken } from '@fanfold/node'
import { WebSocket } from 'ws'
import { report } from './report.mjs'
import { startNode, token, tokenKey } from './start-node.mjs'

const count = Number(process.env.VIEWERS ?? 5_000)
const rounds = Number(process.env.ROUNDS ?? 3)
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 4)
const warmMs = 2_000
const settleMs = 1_500
const perSecond = 5
const underWay = 4
const tiers = 10
const cores = { server: '0', viewers: '1' }
const doc = 'bench/match/final'
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-fan-out-'))
const file = name => fileURLToPath(new URL(name, import.meta.url))

const nowUs = () => Number(process.hrtime.bigint() / 1_000n)
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
/** What the processes took so far, s. */
const processorSeconds = pids =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }, 0)
/** What they hold of the machine's memory, KiB. */
const residentKib = pids =>
  pids.reduce((sum, pid) => {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return sum + Number(kib)
  }, 0)
const pin = (core, pid) => execFileSync('taskset', ['-a', '-p', '-c', core, String(pid)])

const limit = join(directory, 'limit')
execFileSync('cc', ['-O2', '-o', limit, file('./fan-out/limit.c')])

/** The delta itself: two changes of a match. */
const deltaOf = number => ({
  seq: number,
  t: nowUs(),
  patch: [
    { op: 'replace', path: '/players/17/pos', value: { x: 100.25 + (number % 100), y: 47.5 } },
    { op: 'replace', path: '/score/home', value: 3 },
  ],
})

/** A server that is told its deltas line by line, and sends them as they are. */
async function startPlain(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  pin(cores.server, child.pid)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { port } = JSON.parse((await lines.next()).value)
  return {
    pids: [child.pid],
    viewers: {
      url: `ws://127.0.0.1:${port}/`,
      protocolLists: [['fanfold.v1']],
      marks: { number: '"seq":', time: '"t":' },
    },
    publish: number => child.stdin.write(`${JSON.stringify(deltaOf(number))}\n`),
    stop: () => child.kill('SIGKILL'),
  }
}

async function startFanfold() {
  const data = mkdtempSync(join(directory, 'data-'))
  const definitions = [file('./definitions/match.ts')]
  const roles = ['authority']
  const authority = await startNode({ name: 'authority', roles, definitions, data })
  const edge = await startNode({
    name: 'edge',
    roles: ['edge'],
    parents: [authority.url],
    'limits.handshakesPerSecondMax': 100_000,
    'limits.handshakesBurst': 100_000,
  })
  for (const { child } of [authority, edge]) pin(cores.server, child.pid)
  const tokens = await Promise.all(
    Array.from({ length: tiers }, (_, tier) =>
      mintToken({
        key: tokenKey,
        subject: `viewer-${tier}`,
        documents: ['**'],
        allow: ['observe'],
        claims: { tier: `tier-${tier}` },
        ttlMs: 3_600_000,
      }),
    ),
  )
  const writer = new WebSocket(`${authority.url}/v1/write`, ['fanfold.v1', `bearer.${token}`])
  await new Promise((resolve, reject) => writer.once('open', resolve).once('error', reject))
  let whenCommitted = () => undefined
  writer.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type !== 'committed') throw new Error(String(data))
    whenCommitted()
  })
  const publish = number => {
    const value = deltaOf(number)
    const id = String(number)
    writer.send(JSON.stringify({ type: 'send', doc, message: 'publish', value, id }))
  }
  // A document is there once it was written to.
  await new Promise(resolve => {
    whenCommitted = resolve
    publish(0)
  })
  return {
    pids: [authority.child.pid, edge.child.pid],
    viewers: {
      url: `${edge.url}/v1/observe`,
      protocolLists: tokens.map(shown => ['fanfold.v1', `bearer.${shown}`]),
      first: JSON.stringify({ type: 'observe', doc }),
      marks: { number: '"path":"/live/seq","value":', time: '"path":"/live/t","value":' },
    },
    publish,
    async stop() {
      writer.terminate()
      await edge.kill()
      await authority.kill()
    },
  }
}

const servers = {
  limit: () => startPlain(limit, ['1']),
  'limit, joined': () => startPlain(limit, [String(underWay)]),
  ws: () => startPlain(process.execPath, [file('./fan-out/ws-process.mjs')]),
  fanfold: startFanfold,
}

/** The viewers' process; `ask` has answers, `onDone` is told a number that all viewers have. */
function startWatchers() {
  const child = fork(file('./fan-out/watchers-process.mjs'))
  pin(cores.viewers, child.pid)
  const watchers = {
    onDone: () => undefined,
    ask: (what, options = {}) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        child.send({ id: 0, what, options })
      }),
    stop: () => child.kill('SIGKILL'),
  }
  let waiting
  child.on('message', ({ done, answer, error }) => {
    if (done !== undefined) watchers.onDone(done)
    else if (error === undefined) waiting.resolve(answer)
    else waiting.reject(new Error(error))
  })
  return watchers
}

/** One server's turn: what it did in each of the two phases. */
async function measure(start) {
  const server = await start()
  const watchers = startWatchers()
  try {
    const emptyKib = residentKib(server.pids)
    await watchers.ask('open', { count, ...server.viewers })
    await wait(settleMs)
    const idleKib = (residentKib(server.pids) - emptyKib) / count
    let number = 0
    const during = async isSaturated => {
      await watchers.ask('begin', { isSaturated })
      const before = processorSeconds(server.pids)
      await wait(seconds * 1_000)
      const tookSeconds = processorSeconds(server.pids) - before
      const { deliveries, ...rest } = await watchers.ask('end')
      return {
        ...rest,
        perProcessorSecond: deliveries / tookSeconds,
        perSecond: deliveries / seconds,
      }
    }
    const pacer = setInterval(() => server.publish(++number), 1_000 / perSecond)
    await wait(warmMs)
    const paced = await during(false)
    clearInterval(pacer)
    await wait(settleMs)
    watchers.onDone = () => server.publish(++number)
    for (let index = 0; index < underWay; index++) server.publish(++number)
    await wait(warmMs)
    const saturated = await during(true)
    watchers.onDone = () => undefined
    if (saturated.violations > 0)
      throw new Error(`${saturated.violations} deltas out of order, or lost`)
    return { paced, saturated, idleKib }
  } finally {
    watchers.stop()
    await server.stop()
  }
}

try {
  const found = Object.fromEntries(Object.keys(servers).map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, start] of Object.entries(servers)) found[name].push(await measure(start))
  }
  const ratios = (name, to, phase) =>
    found[name].map(
      (one, round) => one[phase].perProcessorSecond / found[to][round][phase].perProcessorSecond,
    )
  for (const [name, rows] of Object.entries(found)) {
    for (const phase of ['paced', 'saturated']) {
      const of = `fan-out: ${name}, ${count} viewers, ${phase}`
      const values = rows.map(row => row[phase].perProcessorSecond)
      report({ bench: `${of}, deliveries for a second of processor`, unit: 'deliveries', values })
      report({ bench: `${of}, p50`, unit: 'ms', values: rows.map(row => row[phase].p50Ms) })
      report({ bench: `${of}, p99`, unit: 'ms', values: rows.map(row => row[phase].p99Ms) })
    }
    const idle = `fan-out: ${name}, memory for each of ${count} idle viewers`
    report({ bench: idle, unit: 'KiB', values: rows.map(row => row.idleKib) })
  }
  const held = {
    'limit paced': { floor: 0.8, aim: 0.9 },
    'limit, joined saturated': { floor: 0.85, aim: 1 },
    'ws paced': { floor: 1.5, aim: 2 },
    'ws saturated': { floor: 3, aim: 3.7 },
  }
  for (const [to, phase] of [
    ['limit', 'paced'],
    ['limit, joined', 'saturated'],
    ['ws', 'paced'],
    ['ws', 'saturated'],
  ]) {
    const values = ratios('fanfold', to, phase)
    const bench = `fan-out: fanfold to ${to}, ${phase}, deliveries for a second of processor`
    report({ bench, unit: 'times', values, ...held[`${to} ${phase}`] })
  }
  const late = found.fanfold.map((one, round) => one.paced.p50Ms / found.limit[round].paced.p50Ms)
  report({
    bench: 'fan-out: fanfold to limit, paced, p50',
    unit: 'times',
    values: late,
    ceiling: 1.15,
  })
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
