import { existsSync } from 'node:fs'
import { configEnvironment, configTable } from '@fanfold/node'
import t from 'tap'
import { verbs } from '../../src/run-program.ts'
import {
  type ComposeService,
  reachedFrom,
  readCompose,
  readText,
  root,
  serviceOf,
  splitArguments,
} from './compose-file.ts'

const { services, nodes, volumes, networks } = readCompose()
const dockerfile = readText('infra/Dockerfile')
const regions = ['eu', 'us', 'ap']

const optionOf = ({ command }: ComposeService, name: string): string =>
  splitArguments(command).options.get(name) ?? ''
const reaches = (name: string): string[] => reachedFrom(services, serviceOf(services, name))

await t.test('two authorities, and two proxies and an edge in each of three regions', async t => {
  t.same(nodes.map(({ name }) => name).toSorted(), [
    ...['authority-1', 'authority-2', 'edge-ap-1', 'edge-eu-1', 'edge-us-1'],
    ...['proxy-ap-1', 'proxy-ap-2', 'proxy-eu-1', 'proxy-eu-2', 'proxy-us-1', 'proxy-us-2'],
  ])
})

await t.test('every node has a verb, flags and variables that the command has', async t => {
  // One is Node's own.
  const variables = ['NODE_OPTIONS', ...(configEnvironment().match(/^\S+/gm) ?? [])]
  for (const { name, command, environment } of nodes) {
    const { options, positional } = splitArguments(command)
    const verb = verbs.find(one => one.name === positional[0])
    t.equal(verb?.name, 'serve', name)
    const flags = (verb?.options ?? []).flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])
    for (const flag of options.keys()) t.ok(flags.includes(flag), `${name} ${flag}`)
    for (const variable of Object.keys(environment)) {
      t.ok(variables.includes(variable), `${name} ${variable}`)
    }
    t.equal(options.get('--config'), `/secrets/keys/${name}/fanfold.yaml`)
  }
})

await t.test('nodes are given the Redis and no parents, and say where they are', async t => {
  for (const service of nodes) {
    const { name, environment } = service
    t.equal(environment['FANFOLD_REDIS__URL'], 'redis://redis:6379', name)
    t.notOk(service.command.some(text => text.startsWith('--parent')))
    t.equal(optionOf(service, '--advertise'), `ws://${name}:${configTable.port.default}`)
    const isAuthority = optionOf(service, '--roles') === 'authority'
    const log = isAuthority ? environment['FANFOLD_REDIS__URL'] : undefined
    t.equal(environment['FANFOLD_LOG'], log, 'logs are where any authority can take them over')
    t.match(service.after, { redis: 'service_healthy', keys: 'service_completed_successfully' })
  }
})

await t.test(
  'the Redis keeps what it acknowledges, evicts nothing, and is healthy first',
  async t => {
    const { command, volumes: mounted, fields } = serviceOf(services, 'redis')
    const settings = command.join(' ')
    t.match(settings, '--appendonly yes')
    t.match(settings, '--appendfsync always')
    t.match(settings, '--maxmemory-policy noeviction')
    t.same(mounted, ['redis:/data'])
    t.match(fields['healthcheck'], { test: ['CMD', 'redis-cli', '-e', 'ping'] })
  },
)

await t.test('nodes reach the Redis, and nobody else does', async t => {
  const names = nodes.map(({ name }) => name)
  t.same(reaches('redis').toSorted(), names.toSorted())
  for (const region of regions) {
    const proxies = [`proxy-${region}-1`, `proxy-${region}-2`]
    for (const proxy of proxies) {
      t.same(
        ['authority-1', 'authority-2', ...proxies, `edge-${region}-1`].filter(
          name => name !== proxy && !reaches(proxy).includes(name),
        ),
        [],
      )
    }
    const below = reaches(`edge-${region}-1`)
    t.same(below.filter(name => name.startsWith('proxy')).toSorted(), proxies)
    t.notOk(
      below.some(name => name.startsWith('authority')),
      'what is at the core is not at the edge',
    )
  }
  const outside = [...networks].filter(([, { isInternal }]) => !isInternal).map(([name]) => name)
  t.same(outside, ['view'], 'only what viewers reach leads out')
  t.same(
    services
      .filter(one => one.networks.includes('view'))
      .map(({ name }) => name)
      .toSorted(),
    [...regions.map(region => `edge-${region}-1`), 'page'].toSorted(),
  )
  for (const { name, ports, networks: own } of services) {
    if (ports.length > 0) t.ok(own.includes('view'), `${name} can be published`)
    for (const network of own) t.ok(networks.has(network), `${name} ${network}`)
  }
})

await t.test('keys are made for every node, by the services that mount them', async t => {
  const keys = serviceOf(services, 'keys')
  const made = keys.command.slice(1).map(specification => specification.split(':'))
  t.same(made.map(([node]) => node).toSorted(), nodes.map(({ name }) => name).toSorted())
  for (const [node = '', region = '', roles] of made) {
    const service = serviceOf(services, node)
    t.equal(optionOf(service, '--roles'), roles, node)
    t.ok(service.networks.includes(region), `${node} is in ${region}`)
  }
  for (const { name, volumes: mounted } of services) {
    t.equal(
      mounted.some(volume => volume.startsWith('fleet:')),
      name === 'keys',
      `${name}: only who signs has what signs`,
    )
    for (const volume of mounted) t.ok(volumes.includes(volume.split(':')[0] ?? ''), volume)
  }
  t.same(
    volumes.filter(volume => !services.some(one => one.volumes.join().includes(`${volume}:`))),
    [],
    'every volume is of use',
  )
})

await t.test('writers are told of all authorities, and reach nothing else', async t => {
  const feed = serviceOf(services, 'feed')
  const authorities = ['authority-1', 'authority-2']
  t.equal(
    optionOf(feed, '--authority'),
    authorities.map(name => optionOf(serviceOf(services, name), '--advertise')).join(),
  )
  t.same(reaches('feed'), authorities)
  for (const name of authorities) t.equal(feed.after[name], 'service_healthy')
})

await t.test('the page sends viewers to the published port of an edge', async t => {
  const port = optionOf(serviceOf(services, 'page'), '--observe').split(':').at(-1)
  const edge = services.find(({ ports }) => ports.some(({ host }) => host === port))
  t.equal(edge?.name, 'edge-eu-1')
  for (const { name, ports } of nodes) {
    for (const { inside } of ports) t.equal(inside, String(configTable.port.default), name)
  }
  const published = services.flatMap(({ ports }) => ports.map(({ host }) => host))
  t.equal(new Set(published).size, published.length, 'no port is published twice')
})

await t.test('every service is contained, and has time to go', async t => {
  for (const { name, fields } of services) {
    t.equal(fields['read_only'], true, name)
    t.same(fields['cap_drop'], ['ALL'], name)
    t.same(fields['security_opt'], ['no-new-privileges:true'], name)
    t.ok(fields['mem_limit'] !== undefined && fields['pids_limit'] !== undefined, name)
    t.notOk('privileged' in fields || 'cap_add' in fields, name)
    const isOurs = fields['image'] === 'fanfold:local'
    t.equal(fields['user'], isOurs ? undefined : name, `${name} is not root`)
  }
  for (const { name, fields } of nodes) {
    t.notOk('healthcheck' in fields, `${name}: the image says how it is looked at`)
    const graceMs = Number.parseInt(String(fields['stop_grace_period']), 10) * 1_000
    t.ok(graceMs > Number(configTable['limits.drainDeadlineMs'].default), name)
  }
  t.match(dockerfile, /\nUSER node\n/)
  t.match(dockerfile, /\nHEALTHCHECK /)
})

await t.test('every file that the image and its services name exists', async t => {
  const ours = ({ entrypoint, command }: ComposeService): string[] =>
    [...entrypoint, ...command].filter(text => /^(examples|infra|packages)\//.test(text))
  const named = [
    ...services.flatMap(ours),
    ...[...dockerfile.matchAll(/^COPY (?:--from=\w+ \/app\/)?([a-z/.-]+) \S+$/gm)].map(
      ([, path = '']) => path,
    ),
    ...[...dockerfile.matchAll(/ -w (@\S+)/g)].map(([, name = '']) => `node_modules/${name}`),
  ].filter(path => path !== 'node_modules' && path !== '.')
  t.ok(named.length >= 8, `${named.length} files`)
  for (const path of named) t.ok(existsSync(`${root}${path}`), path)
})
