import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestAuthority } from '@fanfold/conformance'
import t, { type Test } from 'tap'
import { type Config, loadConfig } from '../src/config.ts'
import { ConfigReload, type ConfigReloadOptions, liveOptions } from '../src/config-reload.ts'
import type { Log, LogFields } from '../src/logging.ts'
import { secret } from './load-config.ts'
import { silent } from './start-rig.ts'

const fleet = `
node: { id: one }
log: redis://127.0.0.1:6379
redis: { url: redis://127.0.0.1:6379 }
link: { tokenFile: secret, privateKeyFile: secret }
`

/** A node that runs with a file, which the test writes again. */
async function open(t: Test, text: string, overrides: Partial<ConfigReloadOptions> = {}) {
  const directory = t.testdir({ secret, 'fanfold.yaml': fleet + text })
  const lines: LogFields[] = []
  const keep = (fields: LogFields): void => void lines.push(fields)
  const log: Log = { ...silent, info: keep, warn: keep, error: keep }
  const taken: Config[] = []
  const started = await loadConfig({ directory })
  const reload = new ConfigReload({
    started,
    read: () => loadConfig({ directory, file: started.file }),
    take: config => void taken.push(config),
    log,
    ...overrides,
  })
  return {
    directory,
    reload,
    taken,
    started,
    /** Writes the file anew and has it read; what was logged. */
    async rewrite(text: string): Promise<LogFields[]> {
      lines.length = 0
      writeFileSync(join(directory, 'fanfold.yaml'), text)
      await reload.ask()
      return [...lines]
    },
  }
}

await t.test('tenants are taken at once', async t => {
  const { rewrite, taken, started } = await open(t, 'tenants: { deny: [acme] }')
  t.equal(started.file, 'fanfold.yaml')
  t.same(await rewrite(`${fleet}tenants: { allow: ['a*', b], deny: [acme] }`), [
    { event: 'config.reloaded', options: ['tenants.allow'] },
  ])
  t.match(taken, [{ tenants: { allow: ['a*', 'b'], deny: ['acme'] } }])
  t.same(await rewrite(fleet), [
    { event: 'config.reloaded', options: ['tenants.allow', 'tenants.deny'] },
  ])
  t.match(taken[1], { tenants: { allow: ['*'], deny: [] } })
  t.same(await rewrite(fleet), [{ event: 'config.reloaded', options: [] }])
  t.equal(taken.length, 2, 'what is as it was is not taken again')
})

await t.test('what else differs is told to need a restart, each time, and no secret', async t => {
  const { rewrite, taken, directory } = await open(t, '')
  writeFileSync(join(directory, 'other'), 'another secret of thirty-two characters')
  const text = `${fleet}weight: 7\ntenants: { deny: [x] }\ntokenKeyFile: other`
  const needs = { event: 'config.needs-restart', options: ['weight', 'tokenKey'] }
  const first = await rewrite(text)
  t.same(first, [needs, { event: 'config.reloaded', options: ['tenants.deny'] }])
  t.notMatch(JSON.stringify(first), /another secret/)
  t.same(await rewrite(text), [needs, { event: 'config.reloaded', options: [] }])
  t.equal(taken.length, 1)
})

await t.test('a file that is wrong changes nothing, and is told with its problems', async t => {
  const { rewrite, taken, directory, reload } = await open(t, 'tenants: { deny: [acme] }')
  const bad: [string, string, RegExp][] = [
    ['tenants: {', 'fanfold.yaml:1', /./],
    [
      `${fleet}tenants: { allow: ['a/b'] }`,
      'fanfold.yaml:6',
      /tenants.allow each item must be a glob/,
    ],
    [`${fleet}tenants: { allow: [] }`, 'fanfold.yaml:6', /must have 1 to 128 items, has 0/],
    [`${fleet}tenants: { alow: [a] }`, 'fanfold.yaml:6', /did you mean tenants.allow\?/],
    [`${fleet}tenants: { deny: [x] }\nweight: -1`, 'fanfold.yaml:7', /weight must be/],
  ]
  for (const [text, place, message] of bad) {
    t.match(await rewrite(text), [
      { event: 'config.refused', reason: 'FANFOLD_CONFIG_INVALID', problems: [{ place, message }] },
    ])
  }
  rmSync(join(directory, 'fanfold.yaml'))
  await reload.ask()
  t.same(taken, [], 'nor does one that is gone')
  t.same(await rewrite(`${fleet}tenants: { deny: [acme] }`), [
    { event: 'config.reloaded', options: [] },
  ])
})

await t.test('what is not taken is taken at the next time', async t => {
  let isBroken = true
  const { rewrite } = await open(t, '', {
    take: () => {
      if (isBroken) throw new Error('not now')
    },
  })
  const text = `${fleet}tenants: { deny: [x] }`
  t.match(await rewrite(text), [{ event: 'config.refused', reason: 'Error: not now' }])
  isBroken = false
  t.same(await rewrite(text), [{ event: 'config.reloaded', options: ['tenants.deny'] }])
})

await t.test('asked while it reads, it reads once more and no oftener', async t => {
  const { started } = await open(t, '')
  const waiting: (() => void)[] = []
  const reload = new ConfigReload({
    started,
    read: () => new Promise(resolve => waiting.push(() => resolve(started))),
    take: () => undefined,
    log: silent,
  })
  const asked = [reload.ask(), reload.ask(), reload.ask()]
  t.equal(waiting.length, 1)
  waiting[0]?.()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(waiting.length, 2)
  waiting[1]?.()
  await Promise.all(asked)
  t.equal(waiting.length, 2)
  const later = reload.ask()
  waiting[2]?.()
  await later
})

await t.test(
  'a certificate is replaced live; to have one, or none any more, needs a restart',
  async t => {
    const { rewrite, taken, directory } = await open(t, '')
    const authority = new TestAuthority('authority of tests')
    const renew = (): void => {
      const { certificate, privateKey } = authority.issue({ hosts: ['a'] })
      writeFileSync(join(directory, 'chain.pem'), certificate)
      writeFileSync(join(directory, 'key.pem'), privateKey)
    }
    renew()
    writeFileSync(join(directory, 'authorities.pem'), authority.certificate)
    const text = `${fleet}tls: { certificateFile: chain.pem, privateKeyFile: key.pem, authoritiesFile: authorities.pem }`
    const pair = ['tls.certificate', 'tls.privateKey']
    t.same(await rewrite(text), [
      { event: 'config.needs-restart', options: pair },
      { event: 'config.reloaded', options: ['tls.authorities'] },
    ])
    t.equal(taken.length, 1)

    const started = await loadConfig({ directory })
    const lines: LogFields[] = []
    const keep = (fields: LogFields): void => void lines.push(fields)
    const reload = new ConfigReload({
      started,
      read: () => loadConfig({ directory }),
      take: config => void taken.push(config),
      log: { ...silent, info: keep, warn: keep, error: keep },
    })
    renew()
    await reload.ask()
    t.same(lines.splice(0), [{ event: 'config.reloaded', options: pair }])
    t.not(taken.at(-1)?.tls.certificate, started.config.tls.certificate)
    t.equal(taken.length, 2)
    writeFileSync(join(directory, 'fanfold.yaml'), fleet)
    await reload.ask()
    t.same(lines.splice(0), [
      { event: 'config.needs-restart', options: pair },
      { event: 'config.reloaded', options: ['tls.authorities'] },
    ])
    t.equal(taken.at(-1)?.tls.authorities, undefined)
    writeFileSync(join(directory, 'chain.pem'), authority.issue({ hosts: ['a'] }).certificate)
    writeFileSync(join(directory, 'fanfold.yaml'), text)
    await reload.ask()
    t.match(lines, [
      {
        event: 'config.refused',
        problems: [{ place: 'tls.privateKey', message: /not the key of the first certificate/ }],
      },
    ])
  },
)

await t.test('tenants and certificates alone change live', async t => {
  t.same(
    [...liveOptions],
    [
      'tenants.allow',
      'tenants.deny',
      'tenants.quotas',
      'tls.certificate',
      'tls.privateKey',
      'tls.authorities',
    ],
  )
})
