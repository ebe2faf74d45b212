import { readFileSync } from 'node:fs'
import t from 'tap'
import { benchMetrics, metricNames, metricText } from '../../src/bench/bench-metrics.ts'

const page = readFileSync(new URL('../../../../../docs/load-testing.md', import.meta.url), 'utf8')

await t.test('the metrics of the documentation are those of the table', async t => {
  const rows = Object.entries(benchMetrics).map(
    ([name, { unit, meaning }]) => `| \`${name}\` | ${unit} | ${meaning} |`,
  )
  const section = page.slice(page.indexOf('## What is measured'), page.indexOf('## Limits'))
  t.same(
    [...section.matchAll(/^\| `.*$/gm)].map(([row]) => row),
    rows,
  )
})

await t.test('every name is one that an assertion can have', async t => {
  t.ok(metricNames.every(name => /^\w+$/.test(name)))
})

await t.test('values are told with their units', async t => {
  t.equal(metricText('p99', 1.234_5), '1.23 ms')
  t.equal(metricText('p99', 1_234.56), '1,234.6 ms')
  t.equal(metricText('deliveriesPerSecond', 25_000), '25,000/s')
  t.equal(metricText('swarmBusy', 7), '7 %')
  t.equal(metricText('missing', 0), '0')
  t.equal(metricText('p99', undefined), 'none')
})
