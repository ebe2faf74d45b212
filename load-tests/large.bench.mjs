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
  const nodes = [
    ['authority', authority],
    ['proxy', proxy],
  ]
  const writer = await startWriter({ url: authority.url, doc: small.doc, perSecond })
  const size = `${stateBytes / 1e6} MB`
  for (const [place, url] of [
    ['one link', authority.url],
    ['two links', proxy.url],
  ]) {
    let lags = []
    const child = await startChild({
      url,
      onRecords: (doc, records) => {
        if (doc !== small.doc) return
        const now = Date.now()
        for (const { timeMs } of records) lags.push(now - timeMs)
      },
    })
    await child.join(small.doc, small.lastSeq)
    const [alone, beside, ms] = [[], [], []]
    const first = new Map(nodes.map(([name]) => [name, []]))
    const still = new Map(nodes.map(([name]) => [name, []]))
    for (let round = 0; round <= rounds; round++) {
      lags = []
      await wait(1_500)
      const p99 = quantile(lags, 0.99)
      for (const [, node] of nodes) await node.measure('loop')
      lags = []
      const joined = await child.join(large.doc, large.lastSeq)
      const p99Beside = quantile(lags, 0.99)
      for (const [name, node] of nodes) {
        const { maxMs } = await node.measure('loop')
        ;(round === 0 ? first : still).get(name).push(maxMs)
      }
      child.leave(large.doc)
      // In the first round the authority opens the document, or the proxy sees its first large one.
      if (round === 0) continue
      alone.push(p99)
      beside.push(p99Beside)
      ms.push(joined.ms)
    }
    const at = `large: ${size} over ${place}`
    report({ bench: `${at}, cold join`, unit: 'ms', values: ms })
    report({ bench: `${at}, deltas of another document, p99 alone`, unit: 'ms', values: alone })
    report({ bench: `${at}, p99 beside it`, unit: 'ms', values: beside, ceiling: 50 })
    for (const [name] of nodes) {
      const turn = `${at}, longest turn of the ${name}`
      report({ bench: `${turn}, the first time`, unit: 'ms', values: first.get(name), ceiling: 50 })
      report({ bench: turn, unit: 'ms', values: still.get(name), ceiling: 50 })
    }
    child.stop()
  }
  await writer.stop()
} finally {
  for (const stop of stops) await stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
