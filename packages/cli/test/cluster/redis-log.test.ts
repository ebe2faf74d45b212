/* Authorities whose logs are in a Redis: what one leaves the next takes over, and the Redis may go away. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/shared'
const merge = (delta: number) => ({ message: 'merge', value: { topic: 'n', delta } })

await t.test('an authority with an empty disk goes on where another was killed', async t => {
  const redis = await RedisServer.start(t, { isDurable: true })
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const options = { log: redis.address }
  const first = await cluster.start({ name: 'first', roles: ['authority'], options })
  const { port } = first
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [first] })
  await untilReady(edge)
  const writer = await Writer.open({ url: first.url, token })
  for (let count = 1; count <= 5; count++) {
    t.match(await writer.send(doc, merge(count), `id-${count}`), { type: 'committed', epoch: 1 })
  }
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(7)
  await first.kill()

  // Its own name and directory, at the address that the edge knows.
  const second = await cluster.start({ name: 'second', roles: ['authority'], options, port })
  t.notOk(existsSync(join(cluster.directory, 'second', 'documents')), 'nothing is on its disk')
  const heir = await Writer.open({ url: second.url, token })
  t.match(await heir.send(doc, merge(9), 'id-5'), { type: 'committed', epoch: 1, seq: 7 }, 'an id')
  t.match(await heir.send(doc, merge(6), 'id-6'), { type: 'committed', epoch: 2, seq: 9 })
  await viewer.untilSeq(9)
  t.same(viewer.state, { n: 6 })
  t.same(viewer.problems, [])
})

await t.test('of two authorities that are alive at once one commits', async t => {
  const redis = await RedisServer.start(t)
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const options = { log: redis.address }
  const one = await cluster.start({ name: 'one', roles: ['authority'], options })
  const two = await cluster.start({ name: 'two', roles: ['authority'], options })
  const [first, second] = await Promise.all(
    [one, two].map(({ url }) => Writer.open({ url, token })),
  )
  t.match(await first?.send(doc, merge(1)), { type: 'committed', epoch: 1, seq: 3 })
  t.match(await second?.send(doc, merge(2)), { type: 'committed', epoch: 2, seq: 5 })
  const fenced = { type: 'rejected', code: 'FANFOLD_FENCED' }
  t.match(await first?.send(doc, merge(3)), fenced)
  t.match(await second?.send(doc, merge(4)), { type: 'committed', epoch: 2, seq: 6 })
  t.match(await first?.send(doc, merge(5)), fenced, 'and stays so')
})

await t.test('while the Redis is away viewers go on, and writers hear why they cannot', async t => {
  const redis = await RedisServer.start(t, { isDurable: true })
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const options = { log: redis.address }
  const authority = await cluster.start({ name: 'authority', roles: ['authority'], options })
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [authority] })
  await untilReady(edge)
  const writer = await Writer.open({ url: authority.url, token })
  t.match(await writer.send(doc, merge(1)), { type: 'committed', seq: 3 })
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(3)

  await redis.kill()
  const other = await Writer.open({ url: authority.url, token })
  const waiting = other.send(doc, merge(2), 'in doubt')
  await until('writes are refused', async () => {
    const { type, code } = await writer.send(doc, merge(3))
    return type === 'rejected' && code === 'FANFOLD_LOG_UNREACHABLE'
  })
  const late = await RawViewer.open({ url: edge.url, token, doc })
  await late.untilSeq(3)
  t.same(late.state, { n: 1 }, 'who comes now sees what there is')
  const metrics = await (await fetch(`${authority.adminUrl}/metrics`)).text()
  t.match(metrics, /^fanfold_log_unreachable_total\{?.* [1-9]/m)

  await redis.restart()
  t.match(await waiting, { type: 'committed', seq: 4 }, 'what was in doubt is known')
  let answer = await writer.send(doc, merge(4))
  await until('writing goes on', async () => {
    if (answer.type !== 'committed') answer = await writer.send(doc, merge(4))
    return answer.type === 'committed'
  })
  for (const each of [viewer, late]) {
    await each.untilSeq(answer.seq ?? 0)
    t.same(each.state, { n: 4 })
    t.same(each.problems, [])
  }
})

await t.test('a Redis that is not there, or may evict logs, is an error at the start', async t => {
  const redis = await RedisServer.start(t)
  const cluster = await Cluster.open(t)
  const options = { log: redis.address }
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  const evicting = cluster.start({ name: 'evicting', roles: ['authority'], options })
  await t.rejects(evicting, { message: /maxmemory-policy noeviction.*FANFOLD_LOG_UNFIT/s })
  await redis.kill()
  const absent = cluster.start({ name: 'absent', roles: ['authority'], options })
  await t.rejects(absent, { message: /does not answer.*FANFOLD_LOG_UNREACHABLE/s })
})
