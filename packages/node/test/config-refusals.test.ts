import t from 'tap'
import { type LoadConfigOptions, loadConfig } from '../src/config.ts'
import { problemsOf, secret } from './load-config.ts'

const bad: readonly {
  readonly name: string
  readonly options?: Omit<LoadConfigOptions, 'directory'>
  readonly file?: string
  readonly place: string
  readonly message: RegExp
}[] = [
  {
    name: 'a flag that is none, with the one that was meant',
    options: { flags: { prot: '1' } },
    place: '--prot',
    message: /no option --prot; did you mean --port\?/,
  },
  {
    name: 'a variable that is none',
    options: { environment: { FANFOLD_LIMITS__VIEWER_MAX: '1' } },
    place: 'FANFOLD_LIMITS__VIEWER_MAX',
    message: /did you mean FANFOLD_LIMITS__VIEWERS_MAX\?/,
  },
  {
    name: 'a key of the file that is none, with its line',
    file: 'port: 1\nlimits:\n  viewersMaks: 3\n',
    place: 'fanfold.yaml:3',
    message: /no option limits\.viewersMaks; did you mean limits\.viewersMax\?/,
  },
  {
    name: 'a key that is nothing like an option',
    file: 'zzzzzzzzzzzz: 1\n',
    place: 'fanfold.yaml:1',
    message: /no option zzzzzzzzzzzz$/,
  },
  {
    name: 'a section that is a number',
    file: 'limits: 3\n',
    place: 'fanfold.yaml:1',
    message: /no option limits/,
  },
  {
    name: 'a port that is no number',
    options: { environment: { FANFOLD_PORT: 'http' } },
    place: 'FANFOLD_PORT',
    message: /port must be a whole number, got "http"/,
  },
  {
    name: "a port that is Kubernetes' word for a service",
    options: { environment: { FANFOLD_PORT: 'tcp://10.0.0.1:9600' } },
    place: 'FANFOLD_PORT',
    message: /enableServiceLinks: false/,
  },
  {
    name: 'a port past the last',
    options: { flags: { port: '65536' } },
    place: '--port',
    message: /0 to 65535/,
  },
  {
    name: 'a limit below its range',
    options: { flags: { 'limits-viewers-max': '0' } },
    place: '--limits-viewers-max',
    message: /1 to 1000000 viewers/,
  },
  {
    name: 'a duration with a unit of bytes',
    options: { flags: { 'limits-link-ping-ms': '5KiB' } },
    place: '--limits-link-ping-ms',
    message: /with its unit, as 250ms or 10s/,
  },
  {
    name: 'a duration that is not whole milliseconds',
    options: { flags: { 'limits-link-ping-ms': '20.5ms' } },
    place: '--limits-link-ping-ms',
    message: /must be a number/,
  },
  {
    name: 'a size without a known unit',
    options: { flags: { 'limits-credit-bytes': '1 kilo' } },
    place: '--limits-credit-bytes',
    message: /64KiB or 4MiB/,
  },
  {
    name: 'a role that is none',
    options: { flags: { roles: 'authority,observer' } },
    place: '--roles',
    message: /each item must be one of authority, proxy, edge/,
  },
  {
    name: 'no role at all',
    options: { environment: { FANFOLD_ROLES: '' } },
    place: 'FANFOLD_ROLES',
    message: /1 to 3 items, has 0/,
  },
  {
    name: 'the same parent twice',
    options: { flags: { parent: ['ws://a', 'ws://a'] } },
    place: '--parent',
    message: /the same twice/,
  },
  {
    name: 'a parent that is not a WebSocket',
    options: { flags: { parent: ['http://a'] } },
    place: '--parent',
    message: /URL with ws: or wss:/,
  },
  {
    name: 'a password in a URL, without repeating it',
    options: { flags: { parent: ['ws://me:hunter2@a'] } },
    place: '--parent',
    message: /^(?!.*hunter2).*must not hold a user or a password/,
  },
  {
    name: 'an empty text',
    options: { environment: { FANFOLD_REGION: '' } },
    place: 'FANFOLD_REGION',
    message: /region is empty/,
  },
  {
    name: 'a region with a slash',
    options: { flags: { region: 'eu/west' } },
    place: '--region',
    message: /first a letter or digit/,
  },
  {
    name: 'a secret that is too short, without showing it',
    options: { environment: { FANFOLD_TOKEN_KEY: 'hunter2' } },
    place: 'FANFOLD_TOKEN_KEY',
    message: /^(?!.*hunter2).*32 to 8192 characters, has 7/,
  },
  {
    name: 'a secret as a flag, which every user of the machine could read',
    options: { flags: { 'token-key': secret } },
    place: '--token-key',
    message: /give --token-key-file/,
  },
  {
    name: 'the file of a secret that is not there',
    options: { environment: { FANFOLD_TOKEN_KEY_FILE: '/nowhere/key' } },
    place: 'FANFOLD_TOKEN_KEY_FILE',
    message: /cannot read \/nowhere\/key: ENOENT/,
  },
  {
    name: 'a fleet key that is not one',
    options: { flags: { 'link-fleet-public-key': ['abc'] } },
    place: '--link-fleet-public-key',
    message: /43 characters of base64url/,
  },
  {
    name: 'a key of the file without a value',
    file: 'region:\n',
    place: 'fanfold.yaml:1',
    message: /has no value/,
  },
  {
    name: 'a file that is not YAML, with the line',
    file: 'port: 1\nport: 2\n',
    place: 'fanfold.yaml:2',
    message: /unique/,
  },
  { name: 'a file that holds a list', file: '- 1\n', place: 'fanfold.yaml', message: /a map/ },
  {
    name: 'a file that is not there',
    options: { file: 'other.yaml' },
    place: 'other.yaml',
    message: /ENOENT/,
  },
  {
    name: 'pings too rare for the silence they prevent',
    options: { flags: { 'limits-link-ping-ms': '400ms' } },
    place: 'limits.linkPingMs',
    message: /400 ms \* 3 > 1000 ms/,
  },
  {
    name: 'more credit than a replica may hold back',
    options: { flags: { 'limits-credit-bytes': '8MiB' } },
    place: 'limits.creditBytes',
    message: /8388608 > 4194304 bytes/,
  },
  {
    name: 'an edge without anybody to replicate from',
    options: { flags: { roles: 'edge' } },
    place: 'parents',
    message: /needs a parent/,
  },
  {
    name: 'two answers to which tokens are good',
    options: { environment: { FANFOLD_TOKEN_KEY: secret, FANFOLD_TOKEN_JWKS_URL: 'https://a' } },
    place: 'tokenJwksUrl',
    message: /tokenKey is given too/,
  },
  {
    name: 'one port for two things',
    options: { flags: { 'admin-port': '9600' } },
    place: 'adminPort',
    message: /both are 9600/,
  },
]

t.test('refused, with the place:', async t => {
  for (const { name, options, file, place, message } of bad) {
    await t.test(name, async t => {
      const directory = t.testdir(file === undefined ? {} : { 'fanfold.yaml': file })
      const problems = await problemsOf(loadConfig({ ...options, directory }))
      t.equal(problems.length, 1)
      t.equal(problems[0]?.place, place)
      t.match(problems[0]?.message, message)
    })
  }
})

t.test('all problems come together, also of values that others would go over', async t => {
  const directory = t.testdir({ 'fanfold.yaml': 'port: x\nregion: "!"\nfoo: 1\n' })
  const loading = loadConfig({
    directory,
    flags: { port: '9601', bar: '1' },
    environment: { FANFOLD_ADMIN_PORT: '-1' },
  })
  const problems = await problemsOf(loading)
  t.same(
    problems.map(({ place }) => place).sort(),
    ['--bar', 'FANFOLD_ADMIN_PORT', 'fanfold.yaml:1', 'fanfold.yaml:2', 'fanfold.yaml:3'].sort(),
  )
  await t.rejects(loading, { code: 'FANFOLD_CONFIG_INVALID', message: /^5 problems in the/ })
})

t.test('a value and a file for the same secret is a problem', async t => {
  const directory = t.testdir({ key: secret })
  const environment = { FANFOLD_TOKEN_KEY: secret, FANFOLD_TOKEN_KEY_FILE: 'key' }
  const [problem] = await problemsOf(loadConfig({ directory, environment }))
  t.match(problem?.message, /both as a value and as a file/)
})

t.test('two configuration files side by side are a problem', async t => {
  const directory = t.testdir({ 'fanfold.yaml': '', 'fanfold.json': '{}' })
  const [problem] = await problemsOf(loadConfig({ directory }))
  t.match(problem, { place: 'fanfold.yaml', message: /stands beside fanfold\.json/ })
})
