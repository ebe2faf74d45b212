// How long it takes a node to have a document: by the length of its log and the size of its state, as the
// authority's child and through two proxies between, each a process of its own. A cold join, one after a
// lost link, and for comparison a replay of the whole log (`FANFOLD_DISABLE_SNAPSHOT`).
//
//   DELTAS=1000,100000 STATES=10000,1000000   only these rows and columns
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild } from './child.mjs'
import { growLog } from './grown-log.mjs'
import { startWriter } from './paced-writer.mjs'
import { report } from './report.mjs'
import { startNode } from './start-node.mjs'

const numbers = (text, otherwise) => (text === undefined ? otherwise : text.split(',').map(Number))
const deltaCounts = numbers(process.env.DELTAS, [1_000, 100_000, 1_000_000])
const stateSizes = numbers(process.env.STATES, [10_000, 1_000_000, 50_000_000])
const rounds = Number(process.env.ROUNDS ?? 5)
/** Deltas that a child misses while its link is lost. */
const missed = 100
const definition = fileURLToPath(new URL('./definitions/grown.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-catch-up-'))
const stops = []
const start = async options => {
  const node = await startNode(options)
  stops.unshift(node.stop)
  return node
}
const short = count =>
  count >= 1e6 ? `${count / 1e6} M` : count >= 1e3 ? `${count / 1e3} K` : String(count)

try {
  const logs = []
  for (const stateBytes of stateSizes) {
    for (const deltas of deltaCounts) {
      const id = `${deltas}-${stateBytes}`
      const log = await growLog({ directory, id, deltas, stateBytes })
      const name = `${short(deltas)} deltas, ${short(stateBytes)}B`
      logs.push({ ...log, deltas, stateBytes, name })
    }
  }
  const authority = await start({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  /** Two proxies one behind the other, which keep nothing that nobody wants. */
  const startProxies = async (name, more = {}) => {
    const proxy = (id, parent) =>
      start({
        name: `${name}-${id}`,
        roles: ['proxy'],
        parents: [parent.url],
        'limits.interestLingerMs': 0,
        ...more,
      })
    return await proxy(2, await proxy(1, authority))
  }
  const places = [
    ['first proxy', authority.url, undefined],
    ['third tier', (await startProxies('proxy')).url, undefined],
  ]
  const replaying = { disableSnapshot: true }
  const replayPlaces = [
    ['first proxy', authority.url],
    ['third tier', (await startProxies('replaying', replaying)).url],
  ]

  for (const { doc, deltas, stateBytes, lastSeq, name } of logs) {
    // The first one also waits for the authority to open the log.
    const first = await startChild({ url: authority.url })
    const opened = await first.join(doc, lastSeq)
    first.stop()
    report({ bench: `catch-up: ${name}, authority opens it`, unit: 'ms', values: [opened.ms] })
    const isSmall = stateBytes <= 1_000_000
    for (const [tier, [place, url]] of places.entries()) {
      const [joins, bytes, frames, resumes, tails] = [[], [], [], [], []]
      for (let round = 0; round < rounds; round++) {
        const child = await startChild({ url })
        const joined = await child.join(doc, lastSeq)
        joins.push(joined.ms)
        bytes.push(joined.bytes)
        frames.push(joined.frames)
        // Somebody else still wants the document: the parent keeps it.
        const other = await startChild({ url })
        await other.join(doc, lastSeq)
        await child.lose()
        const writer = await startWriter({ url: authority.url, doc, perSecond: missed * 10 })
        await new Promise(resolve => setTimeout(resolve, 100))
        const seq = await writer.stop()
        const resumed = await child.resume(doc, seq)
        resumes.push(resumed.ms)
        tails.push(resumed.bytes)
        child.leave(doc)
        child.stop()
        other.leave(doc)
        other.stop()
      }
      const at = `catch-up: ${name}, ${place}`
      const bound = isSmall ? { ceiling: 500, aim: 200 } : { ceiling: 1_500 * (tier === 0 ? 1 : 3) }
      report({ bench: `${at}, cold join`, unit: 'ms', values: joins, ...bound })
      report({ bench: `${at}, cold join, received`, unit: 'bytes', values: bytes })
      report({ bench: `${at}, cold join, received`, unit: 'frames', values: frames })
      report({ bench: `${at}, resume`, unit: 'ms', values: resumes, ceiling: 100 })
      report({ bench: `${at}, resume, received`, unit: 'bytes', values: tails })
    }
    for (const [place, url] of replayPlaces) {
      const times = []
      const received = []
      for (let round = 0; round < Math.min(3, rounds); round++) {
        const child = await startChild({ url, isSnapshotDisabled: true })
        const replayed = await child.join(doc, lastSeq)
        times.push(replayed.ms)
        received.push(replayed.bytes)
        child.leave(doc)
        child.stop()
      }
      const at = `catch-up: ${name}, ${place}`
      const bound = deltas === 1_000_000 ? { ceiling: 60_000, aim: 30_000 } : {}
      report({ bench: `${at}, replay`, unit: 'ms', values: times, ...bound })
      report({ bench: `${at}, replay, received`, unit: 'bytes', values: received })
    }
  }
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
