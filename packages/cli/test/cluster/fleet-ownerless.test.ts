/* A fleet whose only authority is gone: viewers keep what they have, and writers hear what to do. */
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { RawViewer } from './raw-viewer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/shared'
const path = `/v1/documents/${doc}`

const redis = await RedisServer.start(t, { isDurable: true })
const cluster = await Cluster.open(t)
const { token } = cluster
const options = { 'redis.url': redis.address }
const authority = () =>
  cluster.start({
    name: 'authority',
    roles: ['authority'],
    options: { ...options, log: redis.address },
  })
const first = await authority()
const edge = await cluster.start({ name: 'edge', roles: ['edge'], options })
const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], options })

/** Creates the document, or writes to it, at the edge, and goes no further. */
async function post(at: string, of = ''): Promise<{ status: number; answer: object; to: string }> {
  const response = await fetch(`${at}${path}${of}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { authorization: `Bearer ${token}` },
    body: of === '' ? '{}' : JSON.stringify({ topic: 'n', delta: 1 }),
  })
  const { status, headers } = response
  const answer = (await response.json()) as object
  const to = headers.get('location') ?? ''
  return { status, answer: { ...answer, retryAfter: headers.get('retry-after') }, to }
}

await t.test('an edge leads writers to the authority', async t => {
  await until('the edge knows who writes', async () => (await post(edge.httpUrl)).status === 307)
  t.equal((await post(edge.httpUrl)).to, `${first.httpUrl}${path}`)
  t.equal((await post(first.httpUrl)).status, 201)
  t.match(await post(proxy.httpUrl), { status: 307, to: `${first.httpUrl}${path}` })
})

await t.test('when it is gone writers hear why and what to do, viewers stay', async t => {
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(2)
  await first.kill()
  await viewer.untilTold({ type: 'status', doc, status: 'stale' })
  await until('nobody takes writes', async () => (await post(edge.httpUrl)).status === 503)
  t.match(await post(edge.httpUrl, '/messages/merge'), {
    status: 503,
    answer: {
      code: 'FANFOLD_NO_AUTHORITY',
      message: `no authority takes ${doc}: 0 alive, none with a weight that takes tenant a; start one, or change the tenants of one`,
      retryAfter: '1',
    },
  })
  t.equal(viewer.closeCode, undefined, 'it stays connected')

  const again = await authority()
  await until('there is one again', async () => (await post(edge.httpUrl)).status === 307)
  const { to } = await post(edge.httpUrl, '/messages/merge')
  t.equal(to, `${again.httpUrl}${path}/messages/merge`)
  await until('it writes', async () => {
    return (await post(again.httpUrl, '/messages/merge')).status === 200
  })
  await viewer.untilTold({ type: 'status', doc, status: 'live' })
  await viewer.untilSeq(4)
  t.same(viewer.problems, [])
})
