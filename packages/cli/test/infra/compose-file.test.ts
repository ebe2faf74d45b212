import { existsSync } from 'node:fs'
import t from 'tap'
import { verbs } from '../../src/run-program.ts'
import { readCompose, readText, root, serviceOf, splitArguments } from './compose-file.ts'

const { services, volumes } = readCompose()
const nodes = services.filter(service => service.entrypoint.length === 0)
const dockerfile = readText('infra/Dockerfile')

await t.test('every node is started with a verb and flags that the command has', async t => {
  t.same(
    nodes.map(({ name }) => name),
    ['authority', 'proxy-eu', 'proxy-us', 'edge-eu', 'edge-us'],
  )
  for (const { name, command } of nodes) {
    const { options, positional } = splitArguments(command)
    const verb = verbs.find(one => one.name === positional[0])
    t.equal(verb?.name, 'serve', name)
    const flags = (verb?.options ?? []).flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])
    for (const flag of options.keys()) t.ok(flags.includes(flag), `${name} ${flag}`)
    t.equal(options.get('--config'), `/secrets/keys/${name}/fanfold.yaml`)
  }
})

await t.test('a parent is a service that is healthy before, on a network of both', async t => {
  for (const service of services) {
    const { name, command, after, networks } = service
    for (const [, host = ''] of command.join(' ').matchAll(/ws:\/\/([a-z][a-z-]*):9600/g)) {
      t.equal(after[host], 'service_healthy', `${name} after ${host}`)
      const shared = serviceOf(services, host).networks.filter(one => networks.includes(one))
      t.not(shared.length, 0, `${name} reaches ${host}`)
    }
  }
})

await t.test('edges reach their proxy, and neither the authority nor the other region', async t => {
  for (const region of ['eu', 'us']) {
    t.same(serviceOf(services, `edge-${region}`).networks, [region])
    t.same(serviceOf(services, `proxy-${region}`).networks, ['core', region])
  }
})

await t.test('keys are made for every node, by the services that mount them', async t => {
  const keys = serviceOf(services, 'keys')
  const made = keys.command.slice(1).map(specification => specification.split(':'))
  t.same(
    made.map(([node]) => node),
    nodes.map(({ name }) => name),
  )
  for (const [node = '', region, roles] of made) {
    const { options } = splitArguments(serviceOf(services, node).command)
    t.equal(options.get('--region'), region, node)
    t.equal(options.get('--roles'), roles, node)
  }
  for (const { name, volumes: mounted } of services) {
    t.equal(
      mounted.some(volume => volume.startsWith('fleet:')),
      name === 'keys',
      `${name}: only who signs has what signs`,
    )
    for (const volume of mounted) t.ok(volumes.includes(volume.split(':')[0] ?? ''), volume)
  }
})

await t.test('the page sends viewers to the published port of an edge', async t => {
  const { options } = splitArguments(serviceOf(services, 'page').command)
  const port = options.get('--observe')?.split(':').at(-1)
  const edge = services.find(({ ports }) => ports.some(({ host }) => host === port))
  t.equal(edge?.name, 'edge-eu')
})

await t.test('every service is contained', async t => {
  for (const { name, fields } of services) {
    t.equal(fields['read_only'], true, name)
    t.same(fields['cap_drop'], ['ALL'], name)
    t.same(fields['security_opt'], ['no-new-privileges:true'], name)
    t.ok(fields['mem_limit'] !== undefined && fields['pids_limit'] !== undefined, name)
    t.notOk('privileged' in fields || 'cap_add' in fields || 'user' in fields, name)
  }
  t.match(dockerfile, /\nUSER node\n/)
})

await t.test('every file that the image and its services name exists', async t => {
  const ours = ({ entrypoint, command }: (typeof services)[number]): string[] =>
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
