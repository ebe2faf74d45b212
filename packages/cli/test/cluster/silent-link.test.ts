/*
 * Networks that are cut without a word: no connection ends, and nothing arrives any more. What is not
 * heard of for so long is gone.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { NetworkNamespaces, namespacesSkip } from './network-namespaces.ts'
import { RemoteFeed } from './remote-feed.ts'
import { RemoteViewer, strangers } from './remote-viewer.ts'

t.setTimeout(400_000)
const doc = 'a/timing/cut'
const authorityNet = 1
const edgeNet = 2
const viewerNet = 3
/** Of links between nodes, and of viewers, ms. */
const silenceMaxMs = { link: 1_000, viewer: 31_000 }
/** For a machine that has other things to do, ms. */
const slackMs = 2_000
const load = { messagesPerSecond: 20, valueBytes: 100, topics: 4 }

await t.test(
  'a parent that falls silent is noticed, and viewers go from stale to live where they are',
  { skip: namespacesSkip },
  async t => {
    const nets = NetworkNamespaces.open(t, 2)
    const cluster = await Cluster.open(t)
    const { token } = cluster
    const near = nets.wrapper(authorityNet)
    const wrapper = nets.wrapper(edgeNet)
    const authority = await cluster.start({
      name: 'authority',
      roles: ['authority', 'edge'],
      options: { host: '0.0.0.0' },
      wrapper: near,
    })
    const parents = [{ url: nets.url(authorityNet, authority) }]
    const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents, wrapper })
    const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy], wrapper })
    const urls = { near: authority.url, far: edge.url }
    const feed = await RemoteFeed.open(t, { wrapper: near, url: urls.near, token, doc, ...load })
    const every = await RemoteViewer.open(t, { wrapper: near, url: urls.near, token, doc })
    const viewer = await RemoteViewer.open(t, { wrapper, url: urls.far, token, doc })
    await viewer.until(({ deltas }) => deltas > 0)

    nets.unplug(authorityNet)
    const cutAtMs = Date.now()
    const stale = await viewer.until(({ told }) => told.at(-1)?.['status'] === 'stale')
    const noticedMs = stale.at - cutAtMs
    t.comment(`the viewer is told after ${noticedMs} ms`)
    t.ok(noticedMs <= silenceMaxMs.link + slackMs, `it is told in time: ${noticedMs} ms`)
    const ageMs = stale.at - Number(stale.told.at(-1)?.['since'])
    t.ok(ageMs >= 0 && ageMs <= noticedMs + slackMs, `and how old what it has is: ${ageMs} ms`)
    const [lost] = proxy.log.filter(({ event }) => event === 'link.parent-lost')
    t.match(lost?.['reason'], /^silent/, 'the proxy knows why')
    await delay(2_000)
    t.equal(viewer.now.deltas, stale.deltas, 'meanwhile it is shown what it has')

    nets.plug(authorityNet)
    await viewer.until(({ told }) => told.at(-1)?.['status'] === 'live')
    const lastSeq = await feed.stop()
    for (const one of [viewer, every]) await one.until(({ seq }) => seq >= lastSeq)
    const { hash, problems, snapshots, closeCode } = viewer.now
    t.equal(hash, every.now.hash, 'then it has what was written meanwhile')
    t.same(problems, [], 'ranges adjoin')
    t.equal(snapshots, 1, 'it goes on from where it was')
    t.equal(closeCode, undefined, 'it was connected all the time')
    t.same(strangers(viewer.lines, every.lines), [], 'each state was a state of the document')
  },
)

await t.test(
  'viewers whose line is cut are dropped when they were not heard of for long enough',
  { skip: namespacesSkip },
  async t => {
    const nets = NetworkNamespaces.open(t, viewerNet)
    const cluster = await Cluster.open(t)
    const { token } = cluster
    const near = nets.wrapper(edgeNet)
    const wrapper = nets.wrapper(viewerNet)
    const node = await cluster.start({
      name: 'node',
      roles: ['authority', 'edge'],
      options: { host: '0.0.0.0' },
      wrapper: near,
    })
    const feed = await RemoteFeed.open(t, { wrapper: near, url: node.url, token, doc, ...load })
    const quiet = { doc: 'a/timing/quiet', url: node.url, token, wrapper: near }
    await (await RemoteFeed.open(t, { ...quiet, ...load })).stop()
    const healthy = await RemoteViewer.open(t, { ...quiet, doc })
    const far = { url: nets.url(edgeNet, node), token, wrapper }
    const busy = await RemoteViewer.open(t, { ...far, doc })
    const idle = await RemoteViewer.open(t, { ...far, doc: quiet.doc })
    await busy.until(({ deltas }) => deltas > 0)

    nets.unplug(viewerNet)
    const cutAtMs = Date.now()
    const dropped = (): number => {
      const metrics = nets.fetch(edgeNet, `${node.adminUrl}/metrics`)
      const closes = metrics.matchAll(/^fanfold_viewer_closes_total\{reason="(.*?)".*\} (\d+)$/gm)
      // Who was sent something and has not confirmed it may be called slow just before that.
      const counts = [...closes].map(([, reason = '', count]) => {
        return ['silent', 'too-slow'].includes(reason) ? Number(count) : 0
      })
      return counts.reduce((sum, count) => sum + count, 0)
    }
    await delay(silenceMaxMs.viewer - 5_000)
    // Seen late, on a machine that has other things to do, it was no earlier for that.
    let firstMs: number | undefined
    const areDropped = (): boolean => {
      const count = dropped()
      if (count > 0) firstMs ??= Date.now() - cutAtMs
      return count === 2
    }
    await until('both are dropped', areDropped, 20_000)
    t.comment(`they are dropped after ${firstMs} to ${Date.now() - cutAtMs} ms`)
    t.ok(Number(firstMs) >= silenceMaxMs.viewer - 2_000, `not at once: ${firstMs} ms`)
    const lastSeq = await feed.stop()
    await healthy.until(({ seq }) => seq >= lastSeq)
    t.equal(healthy.now.closeCode, undefined, 'a viewer that answers stays')
    t.same(
      [healthy.now, busy.now, idle.now].flatMap(({ problems }) => problems),
      [],
      'ranges adjoin',
    )
  },
)
