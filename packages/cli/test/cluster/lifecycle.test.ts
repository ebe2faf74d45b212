import { until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const merge = (delta: number) => ({ message: 'merge', value: { topic: 'n', delta } })

/** The answer to a request about a document. */
async function request(
  { httpUrl }: ClusterNode,
  token: string,
  method: 'POST' | 'DELETE',
  path: string,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const response = await fetch(`${httpUrl}/v1/documents/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  })
  const body: Readonly<Record<string, unknown>> = JSON.parse(await response.text())
  return { status: response.status, body }
}

await t.test('a document is created and deleted by HTTP, and its viewers are told', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents: [authority] })
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy] })
  await untilReady(edge)
  await untilReady(proxy)
  const doc = 'a/timing/short-lived'

  const absent = await RawViewer.open({ url: edge.url, token, doc })
  await absent.untilTold({ type: 'refused', doc, code: 'FANFOLD_NO_DOCUMENT' })
  t.match(await request(authority, token, 'DELETE', doc), { status: 404 })

  t.match(await request(authority, token, 'POST', doc), {
    status: 201,
    body: { doc, epoch: 1, seq: 2 },
  })
  t.match(await request(authority, token, 'POST', doc), {
    status: 409,
    body: { code: 'FANFOLD_EXISTS' },
  })
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(1)
  t.same(viewer.state, {})
  const writer = await Writer.open({ url: authority.url, token })
  t.match(await writer.send(doc, merge(1)), { type: 'committed', seq: 3 })
  await viewer.untilSeq(3)

  t.match(await request(authority, token, 'DELETE', doc), { status: 200, body: { seq: 4 } })
  await viewer.untilTold({ type: 'left', doc, reason: 'deleted' })
  t.match(await writer.send(doc, merge(2)), { type: 'rejected', code: 'FANFOLD_DELETED' })
  t.match(await request(authority, token, 'POST', doc), {
    status: 410,
    body: { code: 'FANFOLD_DELETED' },
  })
  t.match(await request(authority, token, 'POST', `${doc}/messages/merge`), { status: 410 })
  const late = await RawViewer.open({ url: edge.url, token, doc })
  await late.untilTold({ type: 'refused', doc, code: 'FANFOLD_DELETED' })

  t.match(await authority.stop(), { code: 0 })
  const again = await cluster.start({ name: 'authority', roles: ['authority', 'edge'] })
  t.match(await request(again, token, 'POST', doc), { status: 410 }, 'also after a restart')
  const afterwards = await RawViewer.open({ url: again.url, token, doc })
  await afterwards.untilTold({ type: 'refused', doc, code: 'FANFOLD_DELETED' })
  t.same([...viewer.problems, ...late.problems, ...afterwards.problems], [])
})

await t.test('an id commits once, also after the authority was started anew', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const doc = 'a/timing/once'
  const settings = { name: 'authority', roles: ['authority', 'edge'] as const }
  const first = await cluster.start(settings)
  const writer = await Writer.open({ url: first.url, token })
  const answer = await writer.send(doc, merge(1), 'the-id')
  t.match(answer, { type: 'committed', seq: 3 })
  t.same(await writer.send(doc, merge(9), 'the-id'), answer, 'the second time it answers the same')
  await first.stop()
  const second = await cluster.start(settings)
  const secondWriter = await Writer.open({ url: second.url, token })
  t.same(await secondWriter.send(doc, merge(9), 'the-id'), answer)
  await second.kill()
  const third = await cluster.start(settings)
  const thirdWriter = await Writer.open({ url: third.url, token })
  t.same(await thirdWriter.send(doc, merge(9), 'the-id'), answer)
  const viewer = await RawViewer.open({ url: third.url, token, doc })
  await viewer.untilSeq(3)
  t.equal(viewer.seq, 3, 'asking again made no record')
  t.same(viewer.state, { n: 1 })
})

await t.test('every role answers for its health, readiness and metrics', async t => {
  const cluster = await Cluster.open(t)
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents: [authority] })
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy] })
  for (const node of [authority, proxy, edge]) {
    await untilReady(node)
    const health = await fetch(`${node.adminUrl}/healthz`)
    t.equal(health.status, 200, node.name)
    const mode = node === authority ? { mode: 'alone' } : { mode: 'parents', parents: 1 }
    t.same(await health.json(), { status: 'ok', ...mode })
    t.same(await (await fetch(`${node.adminUrl}/readyz`)).json(), { ready: true, reasons: [] })
    const metrics = await fetch(`${node.adminUrl}/metrics`)
    t.equal(metrics.status, 200)
    t.match(metrics.headers.get('content-type'), /^text\/plain/)
    t.match(await metrics.text(), /^fanfold_build_info\{.*\} 1$/m)
    t.equal((await fetch(`${node.httpUrl}/metrics`)).status, 404, 'not on the public port')
  }
  await authority.kill()
  await until('the proxy is not ready', async () => {
    return (await fetch(`${proxy.adminUrl}/readyz`)).status === 503
  })
  t.equal((await fetch(`${proxy.adminUrl}/healthz`)).status, 200, 'without a parent it is healthy')
  t.equal((await fetch(`${edge.adminUrl}/readyz`)).status, 200, 'the edge has its parent')
})

await t.test(
  'edges serve stale while the authority is away, and resume from where they are',
  async t => {
    const cluster = await Cluster.open(t)
    const { token } = cluster
    const doc = 'a/timing/away'
    const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
    const { port } = authority
    const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents: [authority] })
    const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy] })
    await untilReady(edge)
    await untilReady(proxy)
    const writer = await Writer.open({ url: authority.url, token })
    await writer.send(doc, merge(1))
    const viewer = await RawViewer.open({ url: edge.url, token, doc })
    await viewer.untilSeq(2)
    await writer.sendAll(doc, [merge(2), merge(3)])
    await viewer.untilSeq(4)
    await authority.stop()
    await viewer.untilTold({ type: 'status', doc, status: 'stale' })

    const during = await RawViewer.open({ url: edge.url, token, doc })
    await during.untilSeq(4)
    await during.untilTold({ type: 'status', doc, status: 'stale' })
    t.same(
      during.state,
      { n: 3 },
      'who joins meanwhile gets what there is, and is told how old it is',
    )

    await cluster.start({ name: 'authority', roles: ['authority'], port })
    await viewer.untilTold({ type: 'status', doc, status: 'live' })
    await during.untilTold({ type: 'status', doc, status: 'live' })
    const again = await Writer.open({ url: authority.url, token })
    const { seq = 0 } = await again.send(doc, merge(4))
    for (const one of [viewer, during]) {
      await one.untilSeq(seq)
      t.same(one.state, { n: 4 })
      t.equal(one.snapshots.length, 1, 'no second snapshot')
      t.equal(one.epoch, 2)
      t.same(one.problems, [])
    }
    for (const node of [proxy, edge]) {
      t.same(
        node.log.filter(({ event }) => event === 'stream.resync'),
        [],
        'no stream began anew',
      )
    }
  },
)

await t.test('an operator asks a proxy to go, and its viewers go on by the next one', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const proxies = [
    await cluster.start({ name: 'proxy-1', roles: ['proxy'], parents: [authority] }),
    await cluster.start({ name: 'proxy-2', roles: ['proxy'], parents: [authority] }),
  ]
  const [first] = proxies
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: proxies })
  await untilReady(edge)
  const doc = 'a/timing/drained'
  const writer = await Writer.open({ url: authority.url, token })
  await writer.send(doc, merge(1))
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(3)
  const asked = await runFanfold(['drain', '--json'], {
    FANFOLD_ADMIN_URL: first?.adminUrl ?? '',
  })
  t.equal(asked.code, 0, asked.errors)
  t.match(JSON.parse(asked.output), { gone: true })
  t.match(await first?.exited, { code: 0 })
  await writer.send(doc, merge(2))
  await viewer.untilSeq(4)
  t.equal(viewer.snapshots.length, 1, 'from where it was')
})

await t.test('an edge whose proxy dies goes on by the next one, its viewers with it', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const doc = 'a/timing/orphans'
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const [one, two] = await Promise.all(
    ['proxy-1', 'proxy-2'].map(name =>
      cluster.start({ name, roles: ['proxy'], parents: [authority] }),
    ),
  )
  if (one === undefined || two === undefined) throw new Error('two proxies were started')
  await untilReady(one)
  await untilReady(two)
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [one, two] })
  const neighbour = await cluster.start({ name: 'neighbour', roles: ['edge'], parents: [two] })
  await untilReady(edge)
  await untilReady(neighbour)
  const writer = await Writer.open({ url: authority.url, token })
  await writer.send(doc, merge(1))
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(2)
  // The next proxy has the document too, and with it what the edge will lack.
  const other = await RawViewer.open({ url: neighbour.url, token, doc })
  await other.untilSeq(2)
  await one.kill()
  const lastSeq = await writer.sendAll(
    doc,
    Array.from({ length: 100 }, (_, n) => merge(n + 2)),
  )
  await viewer.untilSeq(lastSeq)
  t.same(viewer.state, { n: 101 })
  t.equal(viewer.snapshots.length, 1, 'no second snapshot')
  await other.untilSeq(lastSeq)
  t.same([...viewer.problems, ...other.problems], [])
})
