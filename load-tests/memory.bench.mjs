// What an idle viewer holds of a server's memory: of an authority and an edge with rules and ten cohorts, and of `ws` as
// its README shows it. Said when the last viewer has come, when what handshakes left behind is there still, and at
// rest, when it was collected; a server that has no viewers yet has rested as long. The kernel's part comes on top.
//
// Needs Linux, two cores, and a C compiler.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { residentKib } from './fan-out/processes.mjs'
import { baseServers } from './fan-out/servers.mjs'
import { startWatchers } from './fan-out/watchers.mjs'
import { report } from './report.mjs'

const count = Number(process.env.VIEWERS ?? 10_000)
const rounds = Number(process.env.ROUNDS ?? 3)
/** Until a server that has nothing to do has collected what it holds no more. */
const restMs = 30_000
const settleMs = 1_500
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-memory-'))

/** KiB for each viewer: when the last has come, and at rest. */
async function measure(start) {
  const server = await start(count)
  const watchers = startWatchers()
  try {
    await wait(restMs)
    const emptyKib = residentKib(server.pids)
    const each = () => (residentKib(server.pids) - emptyKib) / count
    await watchers.ask('open', { count, ...server.viewers })
    await wait(settleMs)
    const come = each()
    await wait(restMs)
    return { come, atRest: each() }
  } finally {
    watchers.stop()
    await server.stop()
  }
}

try {
  const all = baseServers(directory)
  const servers = ['ws', 'fanfold'].map(name => ({ name, start: all[name], figures: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const { start, figures } of servers) figures.push(await measure(start))
  }
  for (const { name, figures } of servers) {
    const of = `memory: ${name}, for each of ${count} idle viewers`
    const held = name === 'fanfold' ? { ceiling: 5, aim: 3 } : {}
    const [come, atRest] = ['come', 'atRest'].map(when => figures.map(figure => figure[when]))
    report({ bench: `${of}, when the last has come`, unit: 'KiB', values: come })
    report({ bench: `${of}, at rest`, unit: 'KiB', values: atRest, ...held })
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
