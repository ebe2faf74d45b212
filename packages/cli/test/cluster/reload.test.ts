/* A definition that changes under its viewers: nobody is cut off, and nobody sees by the wrong rules. */
import { join } from 'node:path'
import type { JsonObject } from '@fanfold/document'
import { logRecords, until } from '@fanfold/nemesis'
import { mintToken } from '@fanfold/node'
import type { LogRecord } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { startCommand } from '../command-process.ts'
import { Cluster, tokenKey } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import {
  laneCount,
  laneSeqs,
  lanesProject,
  laneView,
  saveLanes,
  secondDefinitionSeq,
  stateAfter,
  step,
  steps,
  strayPaths,
} from './lanes.ts'
import { RawViewer } from './raw-viewer.ts'
import { canonicalHash } from './recording.ts'
import { SteadyFeed } from './steady-feed.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const doc = 'a/lanes/x'
const viewerCount = 1_000
const messagesPerSecond = 200
const lanes = Array.from({ length: laneCount / 2 }, (_, lane) => lane)

const recordsOf = (data: string): LogRecord[] =>
  [...logRecords(data, doc)].map(({ record }) => record)

const laneToken = async (lane: number): Promise<string> =>
  await mintToken({
    key: tokenKey,
    subject: `viewer-${lane}`,
    documents: ['**'],
    allow: ['observe'],
    ttlMs: 3_600_000,
    claims: { lane },
  })

await t.test('a definition is saved under 1,000 live viewers', async t => {
  const directory = t.testdir({})
  const project = lanesProject(directory)
  const data = join(directory, 'data')
  const dev = await startCommand(
    t,
    ['dev', project, '--port', '0', '--admin-port', '0', '--data', data, '--json'],
    { FANFOLD_TOKEN_KEY: tokenKey },
  )
  const { observeUrls, writeUrl, token } = JSON.parse(dev.firstLine)
  const baseUrl = (url: string): string => url.replace(/\/v1\/\w+$/, '')
  const edges: string[] = observeUrls.map(baseUrl)
  const tokens = await Promise.all(lanes.map(laneToken))
  const join1 = async (index: number): Promise<Watching> => {
    const lane = index % lanes.length
    const url = edges[Math.floor(index / lanes.length) % edges.length] ?? ''
    const viewer = await RawViewer.open({ url, token: tokens[lane] ?? '', doc })
    return { viewer, lane }
  }
  const writer = await Writer.open({ url: baseUrl(writeUrl), token })
  await writer.sendAll(
    doc,
    lanes.flatMap(lane => [step(2 * lane), step(2 * lane + 1)]),
  )
  const watching: Watching[] = []
  for (let index = 0; index < viewerCount; index += 50) {
    const some = Array.from({ length: 50 }, (_, at) => join1(index + at))
    watching.push(...(await Promise.all(some)))
  }
  for (const { viewer } of watching) {
    await until('each has a view', () => viewer.snapshots.length === 1)
  }
  const firstSeqs = watching.map(({ viewer }) => viewer.seq)

  const feed = new SteadyFeed({ writer, doc, from: laneCount, step, messagesPerSecond })
  await feed.untilSent(300)
  saveLanes(project, 'lanes-after')
  await until('the log has the new definition', () => {
    return recordsOf(data).filter(({ kind }) => kind === 'definition').length === 2
  })
  await feed.untilSent(feed.count + 300)
  const lastSeq = await feed.stop()
  const late = await Promise.all([join1(0), join1(lanes.length + 1)])

  const records = recordsOf(data)
  const definitionSeq = secondDefinitionSeq(records)
  t.ok(definitionSeq < lastSeq, `the definition changed at ${definitionSeq} of ${lastSeq}`)
  const state = stateAfter(feed.count)
  for (const { viewer, lane } of [...watching, ...late]) {
    const view = laneView(state, lane, true)
    await until(`a viewer of lane ${lane} is at the end`, () => isAt(viewer, view))
  }
  const problems = watching.flatMap(({ viewer, lane }, index) => {
    const fromSeq = firstSeqs[index] ?? 0
    const expected = laneSeqs(records, { lane, fromSeq, definitionSeq })
    const seqs = viewer.deltas.map(({ seq }) => seq)
    return [
      ...viewer.problems,
      ...(viewer.closeCode === undefined ? [] : [`closed with ${viewer.closeCode}`]),
      ...(viewer.snapshots.length === 1 ? [] : [`${viewer.snapshots.length} snapshots`]),
      ...(String(seqs) === String(expected)
        ? []
        : [`lane ${lane}: deltas ${seqs}, expected ${expected}`]),
      ...strayPaths(viewer, lane, definitionSeq),
    ]
  })
  t.same(problems.slice(0, 5), [], 'no disconnect, no gap, no frame by the wrong rules')
  t.equal(watching.length, viewerCount)
  for (const { viewer } of late) t.same(viewer.problems, [], 'who joins later, too')
  for (const { viewer } of [...watching, ...late]) viewer.close()
  t.equal(await dev.end('SIGINT'), 0)
})

await t.test(
  'an authority that comes back with another definition moves viewers at once',
  async t => {
    const cluster = await Cluster.open(t)
    const project = lanesProject(cluster.directory)
    const settings = {
      name: 'authority',
      roles: ['authority', 'edge'] as const,
      definitions: [project],
    }
    const authority = await cluster.start(settings)
    const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents: [authority] })
    const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy] })
    for (const node of [proxy, edge]) await untilReady(node)
    const writer = await Writer.open({ url: authority.url, token: cluster.token })
    const count = laneCount + 1
    await writer.sendAll(doc, steps(count))
    writer.close()
    const state = stateAfter(count)
    const watch = async (t: Test, node: ClusterNode, lane: number, isAfter: boolean) => {
      const viewer = await RawViewer.open({ url: node.url, token: await laneToken(lane), doc })
      await until('it has a view', () => viewer.snapshots.length === 1)
      t.same(viewer.state, laneView(state, lane, isAfter), `the first view at ${node.name}`)
      return { viewer, lane }
    }
    const before = [await watch(t, edge, 1, false), await watch(t, edge, 2, false)]
    t.same(await authority.stop(), { code: 0, signal: null })
    saveLanes(project, 'lanes-after')
    const again = await cluster.start({ ...settings, port: authority.port })
    const data = join(cluster.directory, 'authority')
    for (const { viewer, lane } of before) {
      const view = laneView(state, lane, true)
      await until('who was there is moved', () => isAt(viewer, view))
    }
    const definitionSeq = secondDefinitionSeq(recordsOf(data))
    for (const { viewer, lane } of before) {
      t.same(
        viewer.deltas.map(({ seq }) => seq),
        [definitionSeq],
        'by one delta',
      )
      t.same(strayPaths(viewer, lane, definitionSeq), [])
      t.equal(viewer.snapshots.length, 1)
      t.same(viewer.problems, [])
    }
    const late = await cluster.start({ name: 'late-edge', roles: ['edge'], parents: [proxy] })
    await untilReady(late)
    for (const node of [edge, late, again]) {
      const { viewer } = await watch(t, node, 3, true)
      t.same(viewer.problems, [])
    }
    t.same(await again.stop(), { code: 0, signal: null })
    const third = await cluster.start({ ...settings, port: authority.port })
    await watch(t, third, 4, true)
    const definitions = recordsOf(data).filter(({ kind }) => kind === 'definition')
    t.equal(definitions.length, 2, 'the same definition again makes no record')
  },
)

await t.test('who joins first after a restart sees by the new rules, too', async t => {
  const cluster = await Cluster.open(t)
  const project = lanesProject(cluster.directory)
  const settings = { name: 'authority', roles: ['authority'] as const, definitions: [project] }
  const first = await cluster.start(settings)
  const writer = await Writer.open({ url: first.url, token: cluster.token })
  await writer.sendAll(doc, steps(laneCount))
  writer.close()
  const state = stateAfter(laneCount)
  t.same(await first.stop(), { code: 0, signal: null })
  saveLanes(project, 'lanes-after')
  const second = await cluster.start(settings)
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [second] })
  await untilReady(edge)
  for (const lane of [0, 5]) {
    const viewer = await RawViewer.open({ url: edge.url, token: await laneToken(lane), doc })
    await until('it has a view', () => viewer.snapshots.length > 0)
    t.same(viewer.state, laneView(state, lane, true))
    t.same(viewer.deltas, [], 'the first frame is by the new rules')
  }
})

type Watching = { readonly viewer: RawViewer; readonly lane: number }

function isAt({ state = {} }: RawViewer, view: JsonObject): boolean {
  return canonicalHash(state) === canonicalHash(view)
}
