// A document of 50 MB on its way to a proxy's children, and through proxies, while another document's deltas
// use the same links: how late those are, and for how long the nodes' event loops stand still.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startChild } from './child.mjs'
import { growLog } from './grown-log.mjs'
import { startWriter } from './paced-writer.mjs'
import { quantile, report } from './report.mjs'
import { startNode } from './start-node.mjs'

const perSecond = 500
const rounds = Number(process.env.ROUNDS ?? 5)
const stateBytes = Number(process.env.STATE_BYTES ?? 50_000_000)
const definition = fileURLToPath(new URL('./definitions/grown.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-large-'))
const stops = []
const start = async options => {
  const node = await startNode(options)
  stops.unshift(node.stop)
  return node
}
try {
  const large = await growLog({ directory, id: 'large', deltas: 1_000, stateBytes })
  const small = await growLog({ directory, id: 'small', deltas: 100, stateBytes: 10_000 })
  const authority = await start({
    name: 'authority',
    roles: ['authority'],
    definitions: [definition],
    data: directory,
  })
  const proxy = await start({
    name: 'proxy',
    roles: ['proxy'],
    parents: [authority.url],
    'limits.interestLingerMs': 0,
  })
  let lags = []
  const child = await startChild({
    url: proxy.url,
    onRecords: (doc, records) => {
      if (doc !== small.doc) return
      const now = Date.now()
      for (const { timeMs } of records) lags.push(now - timeMs)
    },
  })
  await child.join(small.doc, small.lastSeq)
  const writer = await startWriter({ url: authority.url, doc: small.doc, perSecond })
  await wait(1_000)
  const nodes = [
    ['authority', authority],
    ['proxy', proxy],
  ]
  const rows = { alone: [], beside: [], ms: [] }
  const still = new Map(nodes.map(([name]) => [name, []]))
  const opening = new Map(nodes.map(([name]) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    lags = []
    await wait(2_000)
    const alone = quantile(lags, 0.99)
    for (const [, node] of nodes) await node.measure('loop')
    lags = []
    const { ms } = await child.join(large.doc, large.lastSeq)
    const beside = quantile(lags, 0.99)
    for (const [name, node] of nodes) {
      const { maxMs } = await node.measure('loop')
      ;(round === 0 ? opening : still).get(name).push(maxMs)
    }
    child.leave(large.doc)
    // The first round is the one in which the authority opens the document.
    if (round === 0) continue
    rows.alone.push(alone)
    rows.beside.push(beside)
    rows.ms.push(ms)
  }
  await writer.stop()
  const size = `${stateBytes / 1e6} MB`
  report({ bench: `large: ${size} through one proxy, cold join`, unit: 'ms', values: rows.ms })
  report({ bench: 'large: deltas of another document, p99 alone', unit: 'ms', values: rows.alone })
  report({
    bench: 'large: p99 beside it on the same links',
    unit: 'ms',
    values: rows.beside,
    ceiling: 50,
  })
  for (const [name] of nodes) {
    const at = `large: longest turn of the ${name}`
    report({
      bench: `${at}, the log being opened`,
      unit: 'ms',
      values: opening.get(name),
      ceiling: 50,
    })
    report({
      bench: `${at}, a snapshot in flight`,
      unit: 'ms',
      values: still.get(name),
      ceiling: 50,
    })
  }
  child.stop()
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
