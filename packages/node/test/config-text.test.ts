import t from 'tap'
import { createConfig, loadConfig } from '../src/config.ts'
import { configNames } from '../src/config-table.ts'
import {
  configDefaults,
  configEnvironment,
  configFlags,
  configMarkdown,
  describeConfig,
} from '../src/config-text.ts'

t.test('a described configuration tells values and sources, and no secret', async t => {
  const secret = 'hunter2-hunter2-hunter2-hunter2-hunter2'
  const loaded = await loadConfig({
    directory: t.testdir({
      'fanfold.yaml': `limits:\n  ringBytesMax: 32MiB\nadminToken: ${secret}\n`,
    }),
    environment: { FANFOLD_TOKEN_KEY: secret },
    flags: { 'limits-drain-deadline-ms': '90s' },
  })
  const rows = describeConfig(loaded)
  const row = (name: string): unknown => rows.find(described => described.name === name)
  t.equal(rows.length, configNames.length)
  t.notMatch(JSON.stringify(rows), /hunter2/)
  t.match(row('tokenKey'), { value: '(redacted)', source: 'FANFOLD_TOKEN_KEY' })
  t.match(row('adminToken'), { value: '(redacted)', source: 'fanfold.yaml:3' })
  t.match(row('limits.ringBytesMax'), { value: '32MiB', source: 'fanfold.yaml:2' })
  t.match(row('limits.drainDeadlineMs'), { value: '90s', source: '--limits-drain-deadline-ms' })
  t.match(row('port'), { value: '9600', source: 'default' })
  t.match(row('node.id'), { value: '(none)', source: 'default' })
})

t.test('the printed defaults are a configuration file that changes nothing', async t => {
  const directory = t.testdir({ 'fanfold.yaml': configDefaults() })
  const { config, places } = await loadConfig({ directory })
  t.strictSame(config, createConfig({}, directory))
  t.ok(places.size > 30)
})

t.test('every option is in the defaults, the variables and the table', async t => {
  const texts = [configEnvironment(), configMarkdown()]
  for (const name of configNames) {
    t.ok(configDefaults().includes(name.split('.').at(-1) ?? name), name)
    t.ok(configMarkdown().includes(`\`${name}\``), name)
  }
  t.ok(texts.every(text => text.includes('FANFOLD_LIMITS__VIEWERS_MAX')))
  t.ok(texts.every(text => text.includes('FANFOLD_TOKEN_KEY_FILE')))
})

t.test('flags are named for their options, and those of lists are repeatable', async t => {
  const flags = configFlags()
  const flag = (name: string): unknown => flags.find(one => one.name === name)
  t.match(flag('parents'), { flag: 'parent', argument: '<url>', isRepeatable: true })
  t.match(flag('node.id'), { flag: 'node-id', argument: '<text>', isRepeatable: false })
  t.match(flag('tokenKey'), { flag: 'token-key-file', argument: '<file>' })
  t.match(flag('compression'), { argument: '' })
  t.match(flag('native'), { argument: '<true|false>', meaning: /Default: true/ })
  t.match(flag('port'), { meaning: /Default: 9600/ })
  t.equal(new Set(flags.map(one => one.flag)).size, flags.length, 'no two are the same')
})
