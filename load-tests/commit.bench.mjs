// Acknowledged durable writes per second over a real socket into a real log on files: into one document
// with a map of 1,000 entries, and into a thousand documents. The writer is another process than the
// authority, both on this machine.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quantile, report } from './report.mjs'
import { startNode } from './start-node.mjs'
import { write } from './writer.mjs'

const definition = fileURLToPath(new URL('./definitions/board.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-commit-'))
const rounds = Number(process.env.ROUNDS ?? 5)
const node = await startNode({
  name: 'authority',
  roles: ['authority'],
  definitions: [definition],
  data: directory,
})

let counter = 0
const value = index => ({
  entry: `entry-${(index * 7) % 1_000}`,
  count: counter++,
  by: `writer-${index % 10}`,
})
const scenarios = [
  {
    bench: 'commit: one document, 1,000 entries',
    count: 40_000,
    inFlight: 384,
    doc: () => 'bench/board/one',
    floor: 10_000,
    aim: 20_000,
  },
  {
    bench: 'commit: a thousand documents',
    count: 30_000,
    inFlight: 4_000,
    doc: index => `bench/board/many-${index % 1_000}`,
    floor: 6_000,
    aim: 12_000,
  },
]
const results = scenarios.map(() => ({ rates: [], p50: [], p99: [] }))
try {
  for (let round = -1; round < rounds; round++) {
    for (const [at, { count, inFlight, doc }] of scenarios.entries()) {
      const { seconds, latencies } = await write({
        url: node.url,
        count,
        inFlight,
        run: `${at}-${round}`,
        next: index => ({ doc: doc(index), message: 'set', value: value(index) }),
      })
      if (round < 0) continue
      results[at].rates.push(count / seconds)
      results[at].p50.push(quantile(latencies, 0.5))
      results[at].p99.push(quantile(latencies, 0.99))
    }
  }
  for (const [at, { bench, floor, aim, inFlight }] of scenarios.entries()) {
    const { rates, p50, p99 } = results[at]
    report({ bench, unit: 'writes/s acknowledged', values: rates, inFlight, floor, aim })
    report({ bench: `${bench}: p50`, unit: 'ms', values: p50, inFlight })
    report({
      bench: `${bench}: p99`,
      unit: 'ms',
      values: p99,
      inFlight,
      ...(at === 0 ? { ceiling: 25 } : {}),
    })
  }
} finally {
  await node.stop()
  rmSync(directory, { recursive: true, force: true })
}
