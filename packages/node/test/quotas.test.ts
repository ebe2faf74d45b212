/* Tenants that are bounded at a whole node, with real sockets. */
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { startVictim, tokenFor, until, type Victim } from './hostile-rig.ts'

const [bounded, free] = ['acme/board/final', 'other/board/final'] as const
const rounds = 100

const read = async ({ adminPort }: Victim, path: string): Promise<string> =>
  await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()

type NodeFrame = Readonly<Record<string, unknown>>

/** A client that answers pings, and keeps what it is told. */
class Client {
  readonly frames: NodeFrame[] = []
  closeCode: number | undefined
  readonly #socket: WebSocket

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => this.frames.push(JSON.parse(String(data))))
    socket.on('close', code => {
      this.closeCode = code
    })
  }

  static async open(t: Test, url: string, token: string): Promise<Client> {
    const socket = new WebSocket(url, ['fanfold.v1', `bearer.${token}`])
    t.teardown(() => socket.terminate())
    const client = new Client(socket)
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
    return client
  }

  send(frame: unknown): void {
    this.#socket.send(JSON.stringify(frame))
  }
}

const deltasOf = (viewer: Client): NodeFrame[] =>
  viewer.frames.filter(({ type }) => type === 'delta')

/** The last value that a viewer of the whole document was shown. */
function shown(viewer: Client): unknown {
  const last = viewer.frames.findLast(({ type }) => type === 'delta' || type === 'snapshot')
  if (last?.['type'] === 'snapshot') return (last['view'] as { any: unknown }).any
  const patch = (last?.['patch'] ?? []) as { path: string; value: unknown }[]
  return patch.find(({ path }) => path === '/any')?.value
}

/** Ranges that do not adjoin. */
function gapsIn(frames: readonly NodeFrame[]): string[] {
  let seq: unknown
  return frames.flatMap(frame => {
    if (frame['type'] !== 'snapshot' && frame['type'] !== 'delta') return []
    const before = seq
    seq = frame['seq']
    const isNext = frame['type'] === 'snapshot' || frame['from'] === before
    return isNext ? [] : [`${frame['from']}>${frame['seq']} after ${before}`]
  })
}

/** A node, one that writes to it, and viewers of a document. */
async function start(t: Test, quotas: readonly string[]) {
  const node = await startVictim(t, { 'tenants.quotas': quotas })
  const token = await tokenFor()
  const url = `ws://127.0.0.1:${node.port}/v1`
  const writer = await Client.open(t, `${url}/write`, token)
  let asked = 0
  const write = async (doc: string, value: unknown): Promise<NodeFrame> => {
    const at = asked++
    const id = `${at}`
    writer.send({ type: 'send', doc, message: 'keep', value, id })
    await until(() => writer.frames.length > at, `an answer to ${id}`)
    return writer.frames[at] ?? {}
  }
  const watch = async (doc: string): Promise<Client> => {
    const viewer = await Client.open(t, `${url}/observe`, token)
    viewer.send({ type: 'observe', doc })
    await until(() => viewer.frames.length > 0, `an answer about ${doc}`)
    return viewer
  }
  return { node, token, write, watch }
}

await t.test(
  'a tenant over its bytes is shown less often, and another one each change',
  async t => {
    const { node, write, watch } = await start(t, ['acme bytesPerSecond=2KiB'])
    for (const doc of [bounded, free]) await write(doc, 'first')
    const ofBounded = await Promise.all([1, 2, 3].map(() => watch(bounded)))
    const ofFree = await Promise.all([1, 2, 3].map(() => watch(free)))
    for (let round = 1; round <= rounds; round++) {
      for (const doc of [bounded, free]) await write(doc, round)
    }
    await until(() => ofFree.every(viewer => shown(viewer) === rounds), 'the free see the last')
    for (const viewer of ofFree) t.equal(deltasOf(viewer).length, rounds)
    for (const viewer of ofBounded) {
      const { length } = deltasOf(viewer)
      t.ok(length > 0 && length < rounds / 2, `${length} of ${rounds}`)
    }
    t.match(JSON.parse(await read(node, '/admin/topology')).quotas, [
      {
        tenant: 'acme',
        whole: { bytesPerSecondMax: 2_048 },
        here: { bytesPerSecondMax: 2_048 },
        used: { documents: 1, viewers: 3 },
      },
    ])
    const metrics = await read(node, '/metrics')
    t.match(metrics, /fanfold_quota_refusals_total\{tenant="acme",what="bytes".*\} [1-9]/)
    t.match(metrics, /fanfold_quota_viewers\{tenant="acme".*\} 3/)
    t.match(metrics, /fanfold_quota_documents\{tenant="acme".*\} 1/)
    t.match(metrics, /fanfold_quota_sent_bytes_total\{tenant="acme".*\} [1-9]/)
    t.notMatch(metrics, /tenant="other"/)
    t.equal(node.logged().split('"quota.spent"').length, 2, 'it is said once')
    node.reconfigure({ 'tenants.quotas': [] })
    await until(() => ofBounded.every(viewer => shown(viewer) === rounds), 'all see the last')
    await write(bounded, 'last')
    await write(bounded, 'very last')
    await until(() => ofBounded.every(viewer => shown(viewer) === 'very last'), 'and go on')
    for (const viewer of [...ofBounded, ...ofFree]) {
      t.same(gapsIn(viewer.frames), [])
      t.equal(viewer.closeCode, undefined)
      t.notOk(viewer.frames.some(({ type }) => type === 'refused'))
    }
  },
)

await t.test('what a tenant has too many of is refused, until it may have more', async t => {
  const { node, token, write, watch } = await start(t, ['acme documents=2 viewers=2'])
  for (const doc of [bounded, 'acme/board/semis', free]) {
    t.match(await write(doc, 1), { type: 'committed' })
  }
  const refused = { code: 'FANFOLD_QUOTA_EXCEEDED', message: /^tenant acme has as many/ }
  t.match(await write('acme/board/third', 1), { type: 'rejected', ...refused })
  const url = `http://127.0.0.1:${node.port}/v1/documents/acme/board/third/messages/keep`
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: '1',
  })
  t.match([answer.status, await answer.json()], [429, refused])
  const viewers = [await watch(bounded), await watch('acme/board/semis')]
  for (const viewer of viewers) t.match(viewer.frames, [{ type: 'snapshot' }])
  const third = await watch(bounded)
  t.match(third.frames, [{ type: 'refused', doc: bounded, ...refused, retryAfter: Number }])
  t.match((await watch(free)).frames, [{ type: 'snapshot' }])
  const metrics = await read(node, '/metrics')
  t.match(metrics, /fanfold_quota_refusals_total\{tenant="acme",what="documents".*\} 2/)
  t.match(metrics, /fanfold_quota_refusals_total\{tenant="acme",what="viewers".*\} 1/)
  t.equal(node.logged().split('"quota.refused"').length, 3, 'each is said once')
  node.reconfigure({ 'tenants.quotas': ['acme documents=3 viewers=1'] })
  t.match(await write('acme/board/third', 1), { type: 'committed' })
  t.match(await write(bounded, 2), { type: 'committed' })
  await until(() => viewers[0] !== undefined && shown(viewers[0]) === 2, 'who is there is served')
  node.reconfigure({ 'tenants.quotas': ['acme viewers=3'] })
  third.send({ type: 'observe', doc: bounded })
  await until(() => third.frames.some(({ type }) => type === 'snapshot'), 'a snapshot')
  for (const viewer of viewers) t.equal(viewer.closeCode, undefined)
})
