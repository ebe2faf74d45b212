/* An edge of several processes behind one port: its viewers, what it tells, and how each of them may end. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { connect } from '@fanfold/client'
import { TestAuthority } from '@fanfold/conformance'
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { WebSocket } from 'ws'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { definitionPath } from './definition-path.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/of-many'
const timing = fileURLToPath(new URL('../../../../../examples/timing', import.meta.url))
const viewersCount = 8

type ShownWorker = {
  readonly worker: number
  readonly pid: number
  readonly isReady: boolean
  readonly connections: number
  readonly viewers: number
}
type Topology = {
  readonly edge: { readonly documents: number; readonly viewers: number }
  readonly workers: readonly ShownWorker[]
  readonly document: { readonly tree: { readonly isWhole: boolean; readonly top: ShownNode } }
}
type ShownNode = {
  readonly node: string
  readonly role: string
  readonly viewers: number
  readonly below: readonly ShownNode[]
}

const { address } = await RedisServer.start(t, { isDurable: true })
const cluster = await Cluster.open(t)
const { token } = cluster
const options = { 'redis.url': address }
const authority = await cluster.start({
  name: 'authority',
  roles: ['authority'],
  definitions: [timing, definitionPath('cheers')],
  options: { ...options, log: address },
})
const failing = fileURLToPath(new URL('./failing-worker.js', import.meta.url))

/** What the first edge reads at its start, and again at SIGHUP. */
const files = join(cluster.directory, 'files-of-edge-1')
const issuer = new TestAuthority('authority of tests')
mkdirSync(files)
function configure(quota: string): string {
  const { certificate, privateKey } = issuer.issue({ hosts: ['127.0.0.1'] })
  writeFileSync(join(files, 'chain.pem'), certificate)
  writeFileSync(join(files, 'key.pem'), privateKey)
  writeFileSync(
    join(files, 'fanfold.yaml'),
    `workers: 2
tenants:
  quotas: ['${quota}']
tls:
  certificateFile: chain.pem
  privateKeyFile: key.pem
`,
  )
  return certificate.replace(/-----[^-]+-----|\s/g, '')
}
configure('a viewers=100')
const edge = await cluster.start({ name: 'edge-1', roles: ['edge'], options, directory: files })
const believed = { token, authority: issuer.certificate }
await untilReady(edge)
const writer = await Writer.open({ url: authority.url, token })

let sent = 0
/** Writes so many times; the seq of the last. */
async function write(count: number): Promise<number> {
  let last = 0
  for (let index = 0; index < count; index++) {
    const value = { topic: 'n', delta: ++sent }
    const { type, seq = 0 } = await writer.send(doc, { message: 'merge', value })
    if (type !== 'committed') throw new Error(`it is ${type}`)
    last = seq
  }
  return last
}

const topologyOf = async ({ adminUrl }: ClusterNode): Promise<Topology> =>
  (await (await fetch(`${adminUrl}/admin/topology?doc=${doc}`)).json()) as Topology

const workersOf = async (node: ClusterNode): Promise<readonly ShownWorker[]> =>
  (await topologyOf(node)).workers

/** A number of the node's metrics; the sum over what else has the labels. */
async function metricOf({ adminUrl }: ClusterNode, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const lines = text.split('\n').filter(line => /^[a-z_]+/.exec(line)?.[0] === name)
  const fitting = lines.filter(line => line.includes(labels))
  return fitting.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

/** One that has ended may wait for a while for whoever is to hear of it. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

const observe = ({ url }: ClusterNode, held?: RawViewer['held']): Promise<RawViewer> =>
  RawViewer.open({ url, ...believed, doc, held })

/** One of the SDK's sockets, which believes the edge. */
class BelievingSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { ca: issuer.certificate })
  }
}

/** A connection over TLS alone, and the session that it has. */
async function shake(session?: Buffer): Promise<{ socket: TLSSocket; session: Buffer }> {
  const { port } = edge
  const socket = connectTls({ port, host: '127.0.0.1', ca: issuer.certificate, session })
  // With TLS 1.3 a session comes after the handshake, to who reads; who resumes one is given none.
  socket.resume()
  const given = session ?? once(socket, 'session').then(([first]) => first)
  await once(socket, 'secureConnect')
  return { socket, session: await given }
}

/** The seqs from the first that a viewer was shown live on: each once, in order. */
const isGapless = ({ deltas }: RawViewer): boolean =>
  deltas.every(({ from }, index) => index === 0 || from === deltas[index - 1]?.seq)

await write(1)
const viewers: RawViewer[] = []
for (let index = 0; index < viewersCount; index++) viewers.push(await observe(edge))
const client = connect(edge.url, { token, WebSocket: BelievingSocket })
t.teardown(() => client.close())
const observation = client.observe(doc)

await t.test('viewers are spread over the workers, and get each write once', async t => {
  const seq = await write(20)
  for (const viewer of viewers) await viewer.untilSeq(seq)
  t.ok(viewers.every(isGapless))
  t.same(
    viewers.flatMap(({ problems }) => problems),
    [],
  )
  await until('all are counted', async () => (await topologyOf(edge)).edge.viewers === 9)
  const { edge: shown, workers, document } = await topologyOf(edge)
  t.equal(shown.documents, 1, 'the node has it once')
  t.same(workers.map(worker => worker.viewers).toSorted(), [4, 5])
  t.ok(document.tree.isWhole)
  t.match(document.tree.top, { node: 'authority', below: [{ node: 'edge-1', role: 'edge' }] })
  const seen = async (): Promise<ShownNode | undefined> =>
    (await topologyOf(edge)).document.tree.top.below[0]
  await until('the tree has them too', async () => (await seen())?.viewers === 9)
  t.same((await seen())?.below, [], 'as one edge')
})

await t.test('what is counted is told of the node as a whole', async t => {
  t.equal(await metricOf(edge, 'fanfold_workers'), 2)
  t.equal(await metricOf(edge, 'fanfold_viewers'), 9)
  t.equal(await metricOf(edge, 'fanfold_cohorts'), 2, 'one view, encoded by each worker')
  t.equal(await metricOf(edge, 'fanfold_documents', 'role="proxy"'), 1)
  t.equal(await metricOf(edge, 'fanfold_documents', 'role="edge"'), 2)
  t.equal(await metricOf(edge, 'fanfold_links', 'direction="up"'), 1)
  t.ok((await metricOf(edge, 'fanfold_records_out_total', 'role="edge"')) >= 40)
  for (const worker of ['local-proxy', '1', '2']) {
    const held = await metricOf(edge, 'process_resident_memory_bytes', `worker="${worker}"`)
    t.ok(held > 1e6, `${worker} holds ${held} bytes`)
  }
})

/** Asks the edge over a connection of its own. */
async function post(path: string, body = '{}'): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${token}` }
  const ca = issuer.certificate
  const asked = request(`${edge.httpUrl}${path}`, { method: 'POST', ca, agent: false, headers })
  asked.end(body)
  const [answer] = await once(asked, 'response')
  answer.resume()
  return answer
}

await t.test('workers answer over HTTP as an edge does: they hear crowds, and lead on', async t => {
  const path = `/v1/documents/${doc}`
  const location = `${authority.httpUrl}${path}`
  t.match(await post(path), { statusCode: 307, headers: { location } })
  const cheers = 'a/cheers/of-many'
  const headers = { authorization: `Bearer ${token}` }
  await fetch(`${authority.httpUrl}/v1/documents/${cheers}`, { method: 'POST', headers })
  const clap = `/v1/documents/${cheers}/reducers/clap`
  const heard = await Promise.all([post(clap), post(clap), post(clap), post(clap)])
  t.same(
    heard.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200],
  )
  t.equal(await metricOf(edge, 'fanfold_crowd_messages_total', 'outcome="counted"'), 4)
})

await t.test('a worker is killed: the others see nothing of it, and it is replaced', async t => {
  const passed = async (): Promise<readonly number[]> =>
    (await workersOf(edge)).map(worker => worker.connections)
  await until('nobody else is connected', async () => sumOf(await passed()) === 9)
  const [first, second] = await workersOf(edge)
  process.kill(first?.pid ?? 0, 'SIGSTOP')
  // What is on its way to one that takes nothing is cut with it, and waits for nobody.
  const waiting = Array.from({ length: 6 }, () => connectTcp(edge.port, '127.0.0.1'))
  await until('all are passed', async () => sumOf(await passed()) === 9 + waiting.length)
  const cut = ((await passed())[0] ?? 0) - (first?.connections ?? 0)
  t.ok(cut >= 2 && cut <= 4, `${cut} of ${waiting.length} are dealt to it`)
  process.kill(first?.pid ?? 0, 'SIGKILL')
  await until('they are cut', () => waiting.filter(({ closed }) => closed).length === cut)
  for (const socket of waiting) socket.destroy()
  await until('its viewers are cut off', () => viewers.some(({ closeCode }) => closeCode === 1006))
  const seq = await write(10)
  const left = viewers.filter(({ closeCode }) => closeCode === undefined)
  const lost = viewers.filter(({ closeCode }) => closeCode !== undefined)
  t.equal(lost.length, first?.viewers === 5 ? 4 : first?.viewers, 'and no others')
  for (const viewer of left) await viewer.untilSeq(seq)
  t.ok(left.every(isGapless))
  await edge.untilLogged('worker.ready', 3)
  const back = await Promise.all(lost.map(({ held }) => observe(edge, held)))
  for (const viewer of back) await viewer.untilSeq(seq)
  const last = await write(1)
  viewers.splice(0, viewers.length, ...left, ...back)
  for (const viewer of viewers) await viewer.untilSeq(last)
  t.same(
    viewers.flatMap(({ problems }) => problems),
    [],
  )
  await until('the client is up to date', () => observation.seq >= last)
  await until('all are counted', async () => (await topologyOf(edge)).edge.viewers === 9)
  const workers = await workersOf(edge)
  t.same(workers.map(worker => worker.viewers).toSorted(), [4, 5], 'by how many each has')
  t.not(workers[0]?.pid, first?.pid)
  t.equal(workers[1]?.pid, second?.pid)
  t.equal(await metricOf(edge, 'fanfold_worker_ends_total', 'reason="SIGKILL"'), 1)
  t.equal(await metricOf(edge, 'fanfold_viewers'), 9)
})

await t.test('a session of TLS that one worker gave is resumed at the other', async t => {
  const { socket, session } = await shake()
  // The first one is still there, so this one is the other worker's.
  const next = await shake(session)
  t.ok(next.socket.isSessionReused())
  for (const one of [socket, next.socket]) one.destroy()
})

await t.test('quotas and a certificate are taken anew by the workers', async t => {
  const certificate = configure('a viewers=4')
  edge.signal('SIGHUP')
  await edge.untilLogged('config.reloaded')
  const shown = await Promise.all([shake(), shake()])
  const isNew = ({ socket }: { readonly socket: TLSSocket }): boolean =>
    socket.getPeerCertificate().raw.toString('base64') === certificate
  t.ok(shown.every(isNew), 'at both')
  for (const { socket } of shown) socket.destroy()
  const late = await observe(edge)
  t.match(await late.untilTold({ type: 'refused' }), { code: 'FANFOLD_QUOTA_EXCEEDED' })
  late.close()
  const seq = await write(1)
  for (const viewer of viewers) await viewer.untilSeq(seq)
  t.ok(viewers.every(({ closeCode }) => closeCode === undefined))
})

const startLater = (name: string, nodeArguments: readonly string[] = []): Promise<ClusterNode> =>
  cluster.start({ name, roles: ['edge'], options: { ...options, workers: 2 }, nodeArguments })
const later = Promise.all([startLater('edge-2'), startLater('edge-3', ['--import', failing])])
later.catch(() => undefined)

await t.test('a node drains: viewers are told, and no process is left', async t => {
  const workers = await workersOf(edge)
  const code = await runFanfold(['drain', '--admin-url', edge.adminUrl], {})
  t.equal(code.code, 0, code.errors)
  t.same(await edge.exited, { code: 0, signal: null })
  t.same(new Set(viewers.map(({ closeCode }) => closeCode)), new Set([1012]))
  t.ok(workers.every(({ pid }) => !isAlive(pid)))
})

await t.test('the process that was started is killed, and no worker outlives it', async t => {
  const [other] = await later
  await untilReady(other)
  const viewer = await observe(other)
  await viewer.untilSeq(await write(1))
  const workers = await workersOf(other)
  t.equal(workers.filter(({ pid }) => isAlive(pid)).length, 2)
  await other.kill()
  await until('they end', () => workers.every(({ pid }) => !isAlive(pid)))
  await until('the viewer is cut off', () => viewer.closeCode === 1006)
})

await t.test(
  'a node whose workers do not start says so, and tries less and less often',
  async t => {
    const [, other] = await later
    const ready = await fetch(`${other.adminUrl}/readyz`)
    t.equal(ready.status, 503)
    t.match(await ready.text(), 'no worker serves viewers')
    await other.untilLogged('worker.failing')
    const waits = other.log.flatMap(({ event, worker, waitMs }) =>
      event === 'worker.ended' && worker === 1 ? [Number(waitMs)] : [],
    )
    t.ok(waits.length >= 3, `${waits} ms`)
    const isGrown = (ms: number, index: number): boolean => {
      const step = Math.min(10_000, 100 * 2 ** index)
      return ms >= step / 2 && ms <= step
    }
    t.ok(waits.every(isGrown), `${waits} ms`)
    t.same(await other.stop(), { code: 0, signal: null })
  },
)
