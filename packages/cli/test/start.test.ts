/* What `npm start` runs once it has built: the first lines, the operator's side, the end. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startCommand } from './command-process.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
/** Somebody who waits at a terminal looks elsewhere after this, ms. */
const patienceMs = 20_000

const startedAt = performance.now()
const args = [`${root}examples/grand-prix`, '--port', '0', '--admin-port', '0']
const dev = await startCommand(t, ['dev', ...args, '--data', t.testdir({})], {})
const lines = [dev.firstLine]
for (let count = 1; count < 7; count++) lines.push(await dev.nextLine())
const elapsedMs = performance.now() - startedAt
/** The value of a line; the label is at its beginning. */
const said = (label: string): string =>
  lines
    .find(line => line.startsWith(label))
    ?.slice(label.length)
    .trim() ?? ''

await t.test('`npm start` builds, and runs the race', async t => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  t.match(
    scripts.start,
    /^npm run --silent build && node .*packages\/cli\/dist\/src\/main\.js dev examples\/grand-prix$/,
  )
})

await t.test('the first lines say where everything is, soon', async t => {
  t.ok(elapsedMs < patienceMs, `${elapsedMs} ms`)
  t.match(said('observe'), /^ws:\/\/127\.0\.0\.1:\d+\/v1\/observe$/)
  t.match(lines[1], /^ +ws:\/\/127\.0\.0\.1:\d+\/edge\/2\/v1\/observe$/)
  t.match(said('viewer page'), /^http:\/\/127\.0\.0\.1:\d+\/$/)
  t.match(said('operator page'), /^http:\/\/127\.0\.0\.1:\d+\/$/)
  t.match(said('write'), /^ws:\/\/127\.0\.0\.1:\d+\/v1\/write$/)
  t.match(said('token'), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  t.match(said('try'), /^npx fanfold tail demo\/grand-prix\/corvane --url ws:\/\/127/)
})

await t.test('the viewer page is served, and told what to watch', async t => {
  const page = await fetch(said('viewer page'))
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(await page.text(), /<div id="app">/)
  const configuration = await fetch(new URL('/config.json', said('viewer page')))
  t.match(await configuration.json(), { document: 'demo/grand-prix/corvane', token: String })
})

await t.test('the operator sees the tree, its health and its metrics', async t => {
  const operator = said('operator page')
  t.equal((await fetch(new URL('/healthz', operator))).status, 200)
  t.equal((await fetch(new URL('/readyz', operator))).status, 200)
  const metrics = await fetch(new URL('/metrics', operator))
  t.match(metrics.headers.get('content-type'), /^text\/plain/)
  t.match(await metrics.text(), /^fanfold_commits_total\{[^}]*\} [1-9]/m)
  const topology = await fetch(operator)
  t.match(topology.headers.get('content-type'), /json/)
  t.match(await topology.json(), {
    authority: { documents: 1 },
    regions: [{ region: 'region-1' }, { region: 'region-2' }],
  })
})

await t.test('a signal ends it', async t => {
  t.equal(await dev.end('SIGTERM'), 0)
})
