import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import t from 'tap'

const plainly = new URL('start-plainly.js', import.meta.url).href
/** What tap starts each test file with, as the version that is installed does. */
const require = createRequire(createRequire(import.meta.url).resolve('tap'))
const records = pathToFileURL(require.resolve('@tapjs/processinfo')).href.replace(
  /dist\/.*$/,
  'dist/esm/import.mjs',
)
const inner = 'console.log(process.env.NODE_OPTIONS)'
const outer = `
  const { spawnSync } = require('node:child_process')
  const inner = spawnSync(process.execPath, ['-e', ${JSON.stringify(inner)}], { env: {} })
  console.log(process.env.NODE_OPTIONS, String(inner.stdout).trim())`

/** The options of a process, and of one that it starts. */
function optionsOf(environment: Readonly<Record<string, string>>): string {
  const line = ['--import', records, '-e', outer]
  const { stdout, stderr } = spawnSync(process.execPath, line, { env: environment })
  return `${String(stdout).trim()}${String(stderr)}`
}

t.test('a process that a test starts is started as it says', async t => {
  const options = `--import=${plainly}`
  t.equal(optionsOf({ TAP: '1', NODE_OPTIONS: options }), 'undefined undefined')
})

t.test('tap itself hands its options on', async t => {
  const options = `--import=${plainly}`
  t.match(optionsOf({ NODE_OPTIONS: options }), options)
})

t.test('without it, tap is in all of them', async t => {
  t.match(optionsOf({ TAP: '1' }), /processinfo.*import/)
})
