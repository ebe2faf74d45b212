/*
 * A viewer whose line carries less than is written. Only what leaves the network of the node is slow, and
 * nothing tells the node but the viewer's answers.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { NetworkNamespaces, namespacesSkip } from './network-namespaces.ts'
import { RemoteFeed } from './remote-feed.ts'
import { jumps, RemoteViewer, strangers } from './remote-viewer.ts'

t.setTimeout(400_000)
const doc = 'a/timing/slow'
const near = 1
const far = 2
/**
 * 8 kB a second, and half as much again is written: patches of 600 bytes. A change of all topics takes
 * the line 0.75 s, so that just before the next one arrives the state is 1.5 s old at best.
 */
const rate = '64kbit'
const load = { messagesPerSecond: 20, valueBytes: 480, topics: 10 }
/** Until it is known how slow the line is, it is further behind once. */
const warmUpMs = 8_000
const measureMs = 20_000
const sampleEveryMs = 100

await t.test(
  'a viewer at 64 kbit/s stays at most 2 s behind, and nobody else notices',
  { skip: namespacesSkip },
  async t => {
    const nets = NetworkNamespaces.open(t, 2)
    const cluster = await Cluster.open(t)
    const { token } = cluster
    const wrapper = nets.wrapper(near)
    const node = await cluster.start({
      name: 'node',
      roles: ['authority', 'edge'],
      options: { host: '0.0.0.0' },
      wrapper,
    })
    const feed = await RemoteFeed.open(t, { wrapper, url: node.url, token, doc, ...load })
    const healthy = await RemoteViewer.open(t, { wrapper, url: node.url, token, doc })
    nets.slow(near, rate)
    const url = nets.url(near, node)
    const slow = await RemoteViewer.open(t, { wrapper: nets.wrapper(far), url, token, doc })

    await delay(warmUpMs)
    const fromMs = Date.now()
    await delay(measureMs)
    const lags = slow.lags({ fromMs, toMs: fromMs + measureMs, everyMs: sampleEveryMs })
    const sorted = lags.toSorted((one, other) => one - other)
    const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
    const all = `median ${quantile(0.5)}, 99 % ${quantile(0.99)}, all ${quantile(1)} ms`
    t.comment(`it is behind by: ${all}`)
    t.ok(quantile(0.99) <= 2_000, `99 % of the time it is at most 2 s behind: ${all}`)
    t.ok(quantile(1) <= 4_000, `and never more than 4 s: ${all}`)
    t.ok(slow.now.deltas < healthy.now.deltas / 2, 'it gets many changes in one')

    nets.unslow(near)
    const lastSeq = await feed.stop()
    for (const viewer of [slow, healthy]) await viewer.until(({ seq }) => seq >= lastSeq)
    t.equal(slow.now.hash, healthy.now.hash, 'in the end it has the same state')
    t.same([...slow.now.problems, ...healthy.now.problems], [], 'ranges adjoin')
    t.equal(slow.now.closeCode, undefined, 'it was never disconnected')
    t.same(jumps(healthy.lines), [], 'who is not slow gets each change by itself')
    t.same(strangers(slow.lines, healthy.lines), [], 'each state of it was a state of the document')
  },
)
