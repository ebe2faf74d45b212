// What a delivery costs: one document, so many viewers, a delta of some 200 bytes to each of them. An authority and an
// edge with rules and ten cohorts, beside `ws` as its README shows it and beside a program in C that does nothing but
// send(2); all of a server on one core, the viewers on another, in turn in each round. Once five deltas a second, which
// nobody can join, and once four under way at any time, as fast as they go.
//
// A second of a processor is what the system says the server's processes took. Needs Linux, two cores, and a C compiler.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { playRounds, reportLateness, reportRatio, reportTurns } from './fan-out/rounds.mjs'
import { baseServers } from './fan-out/servers.mjs'

const count = Number(process.env.VIEWERS ?? 5_000)
const rounds = Number(process.env.ROUNDS ?? 3)
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 4)
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-fan-out-'))

try {
  const servers = Object.entries(baseServers(directory)).map(([name, start]) => ({
    name,
    start,
    count,
  }))
  const turns = await playRounds(servers, { rounds, seconds })
  for (const [name, rows] of turns) {
    const faults = rows.reduce((sum, { missing, repeated }) => sum + missing + repeated, 0)
    if (faults > 0) throw new Error(`${faults} deliveries of ${name} were missing or repeated`)
  }
  reportTurns('fan-out', turns)
  for (const [to, phase, held] of [
    ['limit', 'paced', { floor: 0.8, aim: 0.9 }],
    ['limit, joined', 'saturated', { floor: 0.85, aim: 1 }],
    ['ws', 'paced', { floor: 1.5, aim: 2 }],
    ['ws', 'saturated', { floor: 3, aim: 3.7 }],
  ]) {
    reportRatio('fan-out', turns, { to, phase, held })
  }
  reportLateness('fan-out', turns, { to: 'limit', held: { ceiling: 1.15 } })
  const native = 'fanfold, native'
  if (turns.has(native)) {
    for (const [to, phase, held] of [
      ['limit', 'paced', { floor: 0.95, aim: 1.2 }],
      ['limit, joined', 'saturated', { floor: 0.85, aim: 1.1 }],
    ]) {
      reportRatio('fan-out', turns, { of: native, to, phase, held })
    }
    reportLateness('fan-out', turns, { of: native, to: 'limit', held: { ceiling: 1.15 } })
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
