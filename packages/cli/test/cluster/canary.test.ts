/*
 * What may not be seen does not leave: every byte that an edge sends to its viewers, and a parent to a
 * node below a ceiling, is searched for what they may not have, in every form. Each place has its
 * control: where its marker may be, it is found.
 */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { WebSocket } from 'ws'
import {
  breakings,
  failings,
  fillings,
  isRefused,
  mendings,
  type Place,
  places,
  type ViewerName,
  viewFillings,
  viewMendings,
} from './canary-places.ts'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { definitionPath } from './definition-path.ts'
import { withPiecesUnpacked } from './link-bytes.ts'
import { formsFound } from './marker.ts'
import { textsInMemory } from './process-memory.ts'
import { RawViewer } from './raw-viewer.ts'
import { Relay } from './relay.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const doc = 'a/canary/x'
const viewDoc = 'a/canary-view/x'
const cluster = await Cluster.open(t)
const authority = await cluster.start({
  name: 'authority',
  roles: ['authority'],
  definitions: [definitionPath('canary'), definitionPath('canary-view')],
})

/** The link from the authority to one node, with what may cross it. */
type Link = { readonly name: string; readonly ceiling: number; readonly relay: Relay }
const links: Link[] = []

async function below(name: string, role: 'proxy' | 'edge', ceiling: number): Promise<ClusterNode> {
  const relay = await Relay.open(t, authority.port)
  links.push({ name, ceiling, relay })
  return await cluster.start({ name, roles: [role], parents: [relay], ceiling })
}

const low = await below('low', 'proxy', 0)
const lowEdge = await cluster.start({ name: 'low-edge', roles: ['edge'], parents: [low] })
const midEdge = await below('mid-edge', 'edge', 1)
const highEdge = await below('high-edge', 'edge', 239)
const nodes = [authority, low, lowEdge, midEdge, highEdge]
for (const node of nodes) await untilReady(node)

/** A viewer whose bytes are kept. */
type Watched = { readonly name: ViewerName; readonly viewer: RawViewer; readonly relay: Relay }
const watched: Watched[] = []
/** Who was there all the time, and so has seen all that it may. */
const witnesses: Watched[] = []

async function watch(
  name: ViewerName,
  edge: ClusterNode,
  claims: Readonly<Record<string, unknown>>,
  from?: string,
): Promise<Watched> {
  const relay = await Relay.open(t, edge.port)
  const tag = places.audienceTag.marker
  const token = await cluster.viewerToken({ ...claims, tag }, name)
  const about = name === 'watcher' ? viewDoc : doc
  const viewer = await RawViewer.open({ url: relay.url, token, doc: about, from })
  const one = { name, viewer, relay }
  watched.push(one)
  return one
}

await t.test('viewers are shown what they may see, before and after a rule failed', async t => {
  const writer = await Writer.open({ url: authority.url, token: cluster.token })
  await writer.sendAll(doc, [{ message: 'put', value: { path: ['open', 'n'], value: 0 } }])
  await writer.sendAll(viewDoc, [{ message: 'put', value: { name: 'shown', value: '' } }])
  const leaver = await watch('public', lowEdge, {})
  witnesses.push(
    await watch('public', lowEdge, {}),
    await watch('alice', lowEdge, {}),
    await watch('premium', lowEdge, { plan: 'premium' }),
    await watch('one', midEdge, { level: 1 }),
    await watch('two', highEdge, { level: 2, plan: 'premium' }),
    await watch('watcher', lowEdge, {}),
    await watch('watcher', midEdge, {}),
    await watch('watcher', highEdge, {}),
  )
  for (const { viewer } of watched) {
    await until('it has a view', () => viewer.snapshots.length === 1)
  }
  leaver.viewer.close()
  const position = leaver.viewer.position
  const lastSeq = await writer.sendAll(doc, fillings)
  await writer.sendAll(viewDoc, viewFillings)
  const [witness] = witnesses
  await until('all of it is seen', () => (witness?.viewer.seq ?? 0) >= lastSeq)
  const resumed = await watch('public', lowEdge, {}, position)
  await until('it resumes', () => resumed.viewer.seq >= lastSeq)
  for (const message of failings) t.ok(isRefused(await writer.send(doc, message)))
  await writer.sendAll(doc, breakings)
  for (const { viewer } of witnesses) {
    await viewer.untilTold({ type: 'status', status: 'stale', code: 'FANFOLD_RULE_FAILED' })
  }
  await watch('public', lowEdge, {})
  await writer.sendAll(viewDoc, viewMendings)
  await writer.sendAll(doc, mendings)
  await watch('public', lowEdge, {})
  for (const { name, viewer } of watched) {
    if (viewer === leaver.viewer || viewer === resumed.viewer) continue
    const isAtEnd = (): boolean => {
      const end = name === 'watcher' ? viewer.state?.['End'] : read(viewer.state?.['open'], 'End')
      return end === true || end === places.end.marker
    }
    await until(`${name} sees the end`, isAtEnd)
    t.same(viewer.problems, [], name)
  }
})

await t.test('no byte that a viewer may not see is sent to it', async t => {
  for (const { name, relay } of watched) {
    t.same(
      misplaced(relay.bytes, place => place.viewers.includes(name)),
      [],
      name,
    )
  }
})

await t.test('and each may see is found in what it is sent', async t => {
  for (const { name, relay } of witnesses) {
    const isSeen = ({ viewers }: Place): boolean => viewers.includes(name)
    t.same(missing(relay.bytes, isSeen), [], name)
  }
})

await t.test('no byte above the ceiling of a link crosses it', async t => {
  for (const { name, ceiling, relay } of links) {
    const mayCross = ({ label = Number.POSITIVE_INFINITY }: Place): boolean => label <= ceiling
    const bytes = withPiecesUnpacked(relay.bytes)
    t.same(misplaced(bytes, mayCross), [], name)
    t.same(missing(bytes, mayCross), [], `and what may cross to ${name} did`)
  }
})

await t.test('no log, no page for operators and no file of a low node has any of it', async t => {
  const nothing = (): boolean => false
  for (const node of nodes) {
    const lines = [...node.output, ...node.errors]
    t.ok(lines.some(line => line.includes('node.started')))
    t.same(misplaced(Buffer.from(lines.join('\n')), nothing), [], `the log of ${node.name}`)
    for (const path of ['/metrics', '/readyz', '/topology', '/']) {
      const page = await fetch(`${node.adminUrl}${path}`)
      const bytes = Buffer.from(await page.arrayBuffer())
      t.same(misplaced(bytes, nothing), [], `${path} of ${node.name}`)
    }
  }
  for (const { name } of [low, lowEdge, midEdge]) {
    t.same(misplaced(filesBelow(join(cluster.directory, name)), nothing), [], `files of ${name}`)
  }
  const kept = filesBelow(join(cluster.directory, 'authority'))
  const isKept = ({ marker }: Place): boolean => marker === places.mixedDeeper.marker
  t.same(missing(kept, isKept), [], 'the search finds what the authority keeps')
})

await t.test('the memory of a node below a ceiling holds nothing of what is above it', async t => {
  const labelled = Object.values(places).filter(({ label = 0 }: Place) => label > 0)
  const above = labelled.map(({ marker }) => marker)
  t.ok(above.length > 2)
  for (const { name, pid } of [low, lowEdge]) {
    const [open, end] = [places.openValue.marker, places.end.marker]
    const found = textsInMemory(pid, [...above, open, end])
    t.same(found, [open, end], `${name} has what is public, and no more`)
  }
  t.ok(textsInMemory(highEdge.pid, above).length > 0, 'the search finds it where it may be')
})

await t.test(
  'compression that a viewer offers is declined, so that the bytes are the text',
  async t => {
    const token = await cluster.viewerToken({})
    for (const { port } of [lowEdge, authority]) {
      const socket = new WebSocket(
        `ws://127.0.0.1:${port}/v1/${port === lowEdge.port ? 'observe' : 'write'}`,
        ['fanfold.v1', `bearer.${port === lowEdge.port ? token : cluster.token}`],
        { perMessageDeflate: true },
      )
      await once(socket, 'open')
      t.equal(socket.extensions, '')
      socket.terminate()
    }
    for (const { name, relay } of [...watched, ...links]) {
      const handshake = relay.bytes.toString('latin1').split('\r\n\r\n', 1).join().toLowerCase()
      t.match(handshake, /^http\/1\.1 101 /, name)
      t.notMatch(handshake, 'sec-websocket-extensions', name)
    }
  },
)

/** Places that are found where they may not be, and in which forms. */
function misplaced(bytes: Buffer, isAllowed: (place: Place) => boolean): string[] {
  return Object.entries(places)
    .filter(([, place]) => !isAllowed(place))
    .map(([name, { marker }]) => ({ name, forms: formsFound(bytes, marker) }))
    .filter(({ forms }) => forms.length > 0)
    .map(({ name, forms }) => `${name}: ${forms.join(', ')}`)
}

/** Places that should be found, and are not. */
function missing(bytes: Buffer, isExpected: (place: Place) => boolean): string[] {
  return Object.entries(places)
    .filter(([, place]) => isExpected(place))
    .filter(([, { marker }]) => !formsFound(bytes, marker).includes('text'))
    .map(([name]) => name)
}

function read(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
}

/** All files below a directory in one, with their names. */
function filesBelow(directory: string): Buffer {
  if (!existsSync(directory)) return Buffer.alloc(0)
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  return Buffer.concat(
    files.flatMap(({ parentPath, name }) => [
      Buffer.from(`${parentPath}/${name}\n`),
      readFileSync(join(parentPath, name)),
    ]),
  )
}
