import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisServer } from '@fanfold/nemesis'
import { configTable } from '@fanfold/node'
import t, { type Test } from 'tap'
import { verbs } from '../../src/run-program.ts'
import { ClusterNode } from '../cluster/cluster-node.ts'
import { runFanfold } from '../cluster/fanfold-command.ts'
import { readText, root, splitArguments } from './compose-file.ts'
import { untilReady } from './compose-tree.ts'
import {
  type Fields,
  fieldsOf,
  listOf,
  type PodContainer,
  type PodSet,
  podSetsOf,
  readManifests,
  selects,
} from './manifests.ts'

t.setTimeout(400_000)

const manifests = readManifests()
const sets = podSetsOf(manifests)
const nodes = sets.filter(({ labels }) => labels['fanfold/role'] !== undefined)
const ofKind = (kind: string) => manifests.filter(one => one.kind === kind)
const all = ({ initContainers, containers }: PodSet): readonly PodContainer[] => [
  ...initContainers,
  ...containers,
]
const environmentOf = ({ fields }: PodContainer): readonly Fields[] => listOf(fields['env'] ?? [])

await t.test('three regions, each with proxies and edges, and two authorities', async t => {
  const names = nodes.map(({ name, manifest }) => {
    return `${name} ${fieldsOf(manifest.fields['spec'])['replicas']}`
  })
  t.same(names.toSorted(), [
    'authority 2',
    'edge-ap 3',
    'edge-eu 3',
    'edge-us 3',
    'proxy-ap 2',
    'proxy-eu 2',
    'proxy-us 2',
  ])
  t.ok(manifests.every(({ kind, namespace }) => kind === 'Namespace' || namespace === 'fanfold'))
})

await t.test('every container of a node is a verb and flags that the command has', async t => {
  for (const set of nodes) {
    for (const { name, args } of all(set)) {
      const { options, positional } = splitArguments(args)
      const verb = verbs.find(one => one.name === positional[0])
      const used =
        verb?.run === undefined || positional[0] === 'token'
          ? verb?.verbs?.find(one => one.name === positional[1])
          : verb
      t.ok(used, `${set.name} ${name}`)
      const flags = (used?.options ?? []).flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])
      for (const flag of options.keys()) t.ok(flags.includes(flag), `${set.name} ${name} ${flag}`)
    }
  }
})

await t.test('what a command takes from its environment is there', async t => {
  for (const set of sets) {
    for (const container of all(set)) {
      const known = new Set(environmentOf(container).map(({ name }) => String(name)))
      const used = container.args.join(' ').matchAll(/\$\((\w+)\)/g)
      for (const [, name = ''] of used) t.ok(known.has(name), `${set.name} ${name}`)
      for (const { value, valueFrom } of environmentOf(container)) {
        if (typeof value === 'string') continue
        const { configMapKeyRef } = fieldsOf(valueFrom)
        if (configMapKeyRef === undefined) continue
        const { name, key } = fieldsOf(configMapKeyRef)
        const map = ofKind('ConfigMap').find(one => one.name === name)
        t.ok(fieldsOf(map?.fields['data'])[String(key)], `${set.name}: ${name} has ${key}`)
      }
    }
  }
})

await t.test('the key of the fleet is where identities are made, and in no node', async t => {
  const readme = readText('infra/README.md')
  for (const { name, spec, initContainers, containers } of nodes) {
    const mountsOf = ({ fields }: PodContainer): unknown[] =>
      listOf(fields['volumeMounts']).map(mount => mount['name'])
    t.ok(
      initContainers.every(one => mountsOf(one).includes('fleet-key')),
      name,
    )
    t.notOk(
      containers.some(one => mountsOf(one).includes('fleet-key')),
      name,
    )
    const volumes = listOf(spec['volumes'])
    for (const container of [...initContainers, ...containers]) {
      for (const mounted of mountsOf(container)) {
        t.ok(
          volumes.some(volume => volume['name'] === mounted),
          `${name}: ${mounted}`,
        )
      }
    }
    for (const { secret } of volumes) {
      if (secret === undefined) continue
      const { secretName } = fieldsOf(secret)
      t.ok(readme.includes(`create secret generic ${secretName}`), `${secretName} is explained`)
    }
  }
})

await t.test('a node is dialled by the name that it says', async t => {
  const services = ofKind('Service')
  for (const { name, manifest, labels, containers } of nodes) {
    const { serviceName } = fieldsOf(manifest.fields['spec'])
    const service = services.find(one => one.name === serviceName)
    t.equal(service?.name, name)
    const { clusterIP, selector, publishNotReadyAddresses } = fieldsOf(service?.fields['spec'])
    t.equal(clusterIP, 'None', 'each pod has a name of its own')
    t.equal(publishNotReadyAddresses, true, 'one waits for the other to be ready')
    t.ok(selects(fieldsOf(selector), labels), name)
    const region = labels['fanfold/region']
    const said = splitArguments(containers[0]?.args ?? []).options.get('--advertise') ?? ''
    const host = said.replace('$(REGION)', String(region)).replace('$(POD_NAMESPACE)', 'fanfold')
    t.equal(host, `ws://$(POD_NAME).${name}.fanfold.svc:9600`)
  }
  for (const { name, fields } of services) {
    const selector = fieldsOf(fieldsOf(fields['spec'])['selector'])
    t.equal(
      sets.filter(({ labels }) => selects(selector, labels)).length,
      1,
      `${name} is of one set`,
    )
  }
})

await t.test('sets and budgets are of one region each', async t => {
  for (const { name, selector, labels } of sets) {
    t.ok(selects(selector, labels), name)
    t.equal(sets.filter(set => selects(selector, set.labels)).length, 1, name)
  }
  const budgets = ofKind('PodDisruptionBudget')
  for (const { name, labels } of nodes) {
    const selectorOf = ({ fields }: { fields: Fields }): Fields =>
      fieldsOf(fieldsOf(fieldsOf(fields['spec'])['selector'])['matchLabels'])
    t.equal(budgets.filter(budget => selects(selectorOf(budget), labels)).length, 1, name)
  }
})

await t.test('every pod is contained, bounded, watched, and has time to go', async t => {
  for (const set of sets) {
    const { name, spec } = set
    t.equal(spec['automountServiceAccountToken'], false, name)
    t.match(spec['securityContext'], {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    for (const { fields } of all(set)) {
      t.match(fields['securityContext'], {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      const { requests, limits } = fieldsOf(fields['resources'])
      t.ok(fieldsOf(limits)['memory'] !== undefined && requests !== undefined, name)
    }
  }
  const drainMs = Number(configTable['limits.drainDeadlineMs'].default)
  for (const { name, spec, containers } of nodes) {
    t.ok(
      Number(spec['terminationGracePeriodSeconds']) * 1_000 > drainMs,
      `${name} outlives limits.drainDeadlineMs`,
    )
    const [node] = containers
    t.notOk('lifecycle' in (node?.fields ?? {}), `${name}: SIGTERM drains, nothing goes before it`)
    t.match(node?.fields['livenessProbe'], { httpGet: { path: '/healthz', port: 'admin' } })
    t.match(node?.fields['readinessProbe'], { httpGet: { path: '/readyz', port: 'admin' } })
  }
})

await t.test('ports are those on which nodes listen', async t => {
  const ports = { public: configTable.port.default, admin: configTable.adminPort.default }
  for (const { name, manifest, labels, containers } of nodes) {
    const named = listOf(containers[0]?.fields['ports']).map(port => {
      return [port['name'], port['containerPort']]
    })
    t.same(Object.fromEntries(named), ports, name)
    const { metadata } = fieldsOf(fieldsOf(manifest.fields['spec'])['template'])
    t.match(fieldsOf(metadata)['annotations'], { 'prometheus.io/port': String(ports.admin) })
    for (const { fields } of ofKind('Service')) {
      const { selector, ports: served } = fieldsOf(fields['spec'])
      if (!selects(fieldsOf(selector), labels)) continue
      t.match(listOf(served), [{ name: 'public', port: ports.public }])
    }
  }
})

await t.test('nodes are given the Redis and no parents', async t => {
  const redis = ofKind('Service').find(({ name }) => name === 'redis')
  const [port] = listOf(fieldsOf(redis?.fields['spec'])['ports'])
  const address = `redis://redis:${port?.['port']}`
  for (const { name, containers } of nodes) {
    const { options } = splitArguments(containers[0]?.args ?? [])
    t.equal(options.get('--redis'), address, name)
    t.notOk(options.has('--parent'), name)
    const isAuthority = options.get('--roles') === 'authority'
    t.equal(options.get('--log'), isAuthority ? address : undefined, name)
  }
})

await t.test('the Redis keeps what it says it has, and only nodes reach it', async t => {
  const redis = sets.find(({ name }) => name === 'redis')
  const args = redis?.containers[0]?.args.join(' ') ?? ''
  t.match(args, '--maxmemory-policy noeviction')
  t.match(args, '--appendfsync always')
  const [policy] = ofKind('NetworkPolicy')
  t.match(policy?.fields['spec'], {
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'redis' } },
    ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'fanfold/role' }] } }] }],
  })
})

/** What the pods of a test share with those of the manifests: volumes are directories, names this machine's. */
class PodsHere {
  readonly #directory = mkdtempSync(join(tmpdir(), 'fanfold-pods-'))
  readonly #redis: string
  readonly #test: Test

  constructor(t: Test, redis: string) {
    this.#test = t
    this.#redis = redis
    t.teardown(() => rmSync(this.#directory, { recursive: true, force: true }))
  }

  /** The key of the fleet, that of viewers, and the token of admin ports. */
  async makeSecrets(): Promise<void> {
    const fleet = join(this.#directory, 'fleet')
    await this.#run(['token', 'fleet', '--out', fleet])
    const viewers = join(this.#directory, 'viewers')
    await this.#run(['token', 'key', '--ed25519', '--out', join(fleet, 'tokens.pem')])
    writeFileSync(join(this.#directory, 'token'), 'an-admin-token-for-tests-0123456789')
    writeFileSync(`${viewers}.pub`, readFileSync(join(fleet, 'tokens.pem.pub')))
  }

  /** Makes the identity of a pod of the set, and starts its node. */
  async start({ name, labels, initContainers, containers }: PodSet): Promise<ClusterNode> {
    const environment = {
      POD_NAME: `${name}-0`,
      POD_NAMESPACE: 'fanfold',
      REGION: String(labels['fanfold/region']),
      FLEET_PUBLIC_KEY: readFileSync(join(this.#directory, 'fleet', 'fleet.pub'), 'utf8').trim(),
    }
    for (const { args } of initContainers) await this.#run(this.#translate(args, environment))
    const [{ args } = { args: [] }] = containers
    const node = await ClusterNode.start({
      name: environment.POD_NAME,
      arguments: [...this.#translate(args, environment), '--port=0', '--admin-port=0'],
      environment: {},
    })
    this.#test.teardown(() => node.kill())
    return node
  }

  #translate(args: readonly string[], environment: Readonly<Record<string, string>>): string[] {
    return args
      .filter(argument => !/^--(advertise|host|admin-host)=/.test(argument))
      .map(argument =>
        argument
          .replaceAll(/\$\((\w+)\)/g, (_, name: string) => environment[name] ?? '')
          .replace('redis://redis:6379', this.#redis)
          .replace('=/viewers/tokens.pub', `=${this.#directory}/viewers.pub`)
          .replace('=/admin/token', `=${this.#directory}/token`)
          .replace(/=\/(identity|fleet)/, `=${this.#directory}/$1`)
          .replace(/^examples\//, `${root}examples/`),
      )
  }

  async #run(args: readonly string[]): Promise<void> {
    const { code, errors } = await runFanfold(args, {})
    if (code !== 0) throw new Error(`fanfold ${args.join(' ')}: ${errors}`)
  }
}

await t.test('the commands of the pods, run as processes, form a fleet', async t => {
  const redis = await RedisServer.start(t, { isDurable: true })
  const pods = new PodsHere(t, redis.address)
  await pods.makeSecrets()
  const wanted = ['authority', 'proxy-eu', 'edge-eu']
  const started: ClusterNode[] = []
  for (const set of sets) {
    if (wanted.includes(set.name)) started.push(await pods.start(set))
  }
  await Promise.all(started.map(untilReady))
  const [some] = started
  const tree = await runFanfold(['tree', '--json'], {
    FANFOLD_ADMIN_URL: some?.adminUrl ?? '',
    FANFOLD_ADMIN_TOKEN: 'an-admin-token-for-tests-0123456789',
  })
  t.equal(tree.code, 0, tree.errors)
  const { fleet } = JSON.parse(tree.output) as { fleet: { members: { node: string }[] } }
  t.same(
    fleet.members.map(({ node }) => node).toSorted(),
    wanted.map(name => `${name}-0`).toSorted(),
  )
  const exits = await Promise.all(started.map(node => node.stop()))
  t.ok(exits.every(({ code }) => code === 0))
})
