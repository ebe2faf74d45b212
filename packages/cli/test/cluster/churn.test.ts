/*
 * Viewers come and go a thousand times. When the last one has gone, nothing of them is left on any node:
 * no stream, no cohort, no connection and no memory.
 */
import { readdirSync } from 'node:fs'
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { heldBytes, holdsReported } from './held-bytes.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const rounds = 20
const viewersPerRound = 50
const docs = Array.from({ length: 10 }, (_, index) => `a/timing/churn-${index}`)
/** What nodes remember for a while about nobody in particular, such as rings and compiled code. */
const growthBytesMax = 2_097_152
const gauges = ['viewers', 'children', 'cohorts', 'documents'] as const

/** The gauges of a node that are not 0. */
async function left({ adminUrl }: ClusterNode): Promise<string[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  return text
    .split('\n')
    .filter(line => gauges.some(name => line.startsWith(`fanfold_${name}{`)) && !/ 0$/.test(line))
}

/** Open files and sockets of a process of this machine. */
const openFiles = ({ pid }: ClusterNode): number => readdirSync(`/proc/${pid}/fd`).length

await t.test('a thousand viewers that came and went leave nothing behind', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const options = {
    'limits.interestLingerMs': 500,
    'limits.ringAgeMaxMs': '1s',
    'limits.documentIdleCloseMs': '1s',
  }
  const common = { options, nodeArguments: holdsReported }
  const authority = await cluster.start({ name: 'authority', roles: ['authority'], ...common })
  const parents = [authority]
  const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents, ...common })
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy], ...common })
  const nodes = [authority, proxy, edge]
  for (const node of nodes.slice(1)) await untilReady(node)
  const writer = await Writer.open({ url: authority.url, token })
  const write = async (n: number): Promise<void> => {
    for (const doc of docs)
      await writer.send(doc, { message: 'merge', value: { topic: 'n', delta: n } })
  }
  const round = async (n: number): Promise<void> => {
    await write(n)
    const viewers = await Promise.all(
      Array.from({ length: viewersPerRound }, (_, index) =>
        RawViewer.open({ url: edge.url, token, doc: docs[index % docs.length] ?? '' }),
      ),
    )
    await Promise.all(viewers.map(viewer => viewer.untilSeq(2)))
    for (const viewer of viewers) viewer.close()
  }
  const rest = async (): Promise<void> => {
    for (const node of nodes) {
      await until(`${node.name} is at rest`, async () => (await left(node)).length === 0)
    }
  }
  // The first rounds bring what stays: connections, compiled code.
  for (let n = 0; n < 3; n++) await round(n)
  await rest()
  const before = await Promise.all(
    nodes.map(async node => ({ bytes: await heldBytes(node), files: openFiles(node) })),
  )
  for (let n = 0; n < rounds; n++) await round(n)
  await rest()
  for (const [index, node] of nodes.entries()) {
    const { bytes = 0, files = 0 } = before[index] ?? {}
    t.same(await left(node), [], `${node.name} is at rest`)
    await until(`${node.name} has its files closed`, () => openFiles(node) <= files)
    const grown = (await heldBytes(node)) - bytes
    t.ok(grown <= growthBytesMax, `${node.name} holds ${grown} bytes more`)
  }
})
