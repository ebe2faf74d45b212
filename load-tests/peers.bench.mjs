// What a delivery costs with others: the work of fan-out.bench.mjs, done in turn in each round by its servers and by all
// peers that are installed (`node load-tests/peers/install.mjs`), each with its server's processes on one core, told
// the same deltas in the way that it takes them. PEERS names some of them only, with commas between them.
//
// Needs Linux, two cores, and a C compiler.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { playRounds, reportRatio, reportTurns } from './fan-out/rounds.mjs'
import { baseServers } from './fan-out/servers.mjs'
import { missingParts, versionOf } from './peers/parts.mjs'
import { peers } from './peers/peers.mjs'

const count = Number(process.env.VIEWERS ?? 5_000)
const rounds = Number(process.env.ROUNDS ?? 3)
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 4)
const wanted = process.env.PEERS?.split(',') ?? peers.map(({ name }) => name)

const unknown = wanted.filter(name => !peers.some(peer => peer.name === name))
if (unknown.length > 0) throw new Error(`no peer ${unknown.join(', ')}`)
const present = peers.filter(peer => {
  if (!wanted.includes(peer.name)) return false
  const missing = Object.values(missingParts(peer)).flat()
  if (missing.length > 0) console.error(`${peer.name} is left out: it has no ${missing.join(', ')}`)
  return missing.length === 0
})

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-peers-'))

/** In a directory of its own, as what a peer writes is named alike in each turn. */
async function startPeer(peer, viewers) {
  const own = mkdtempSync(join(directory, 'peer-'))
  return await peer.start(viewers, own)
}

try {
  const servers = [
    ...Object.entries(baseServers(directory)).map(([name, start]) => ({ name, start, count })),
    ...present.map(peer => ({
      name: peer.name,
      start: viewers => startPeer(peer, viewers),
      count: Math.min(count, peer.viewersMax ?? count),
      isPeer: true,
    })),
  ]
  const compiler = execFileSync('cc', ['-dumpfullversion'], { encoding: 'utf8' }).trim()
  const own = createRequire(import.meta.url).resolve('ws/package.json')
  const versions = {
    limit: `cc ${compiler}`,
    ws: JSON.parse(readFileSync(own, 'utf8')).version,
    ...Object.fromEntries(present.map(peer => [peer.name, versionOf(peer)])),
  }
  console.log(JSON.stringify({ versions }))
  const turns = await playRounds(servers, { rounds, seconds })
  reportTurns('peers', turns)
  for (const to of turns.keys()) {
    if (to === 'fanfold') continue
    for (const phase of ['paced', 'saturated']) reportRatio('peers', turns, { to, phase })
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
