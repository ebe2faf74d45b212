/*
 * A node whose link carries far less than is written. It is held back, and what it cannot be sent is not
 * kept for it: when that has left the ring it gets a snapshot. Only what leaves the network of its parent
 * is slow.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { heldBytes, holdsReported } from './held-bytes.ts'
import { NetworkNamespaces, namespacesSkip } from './network-namespaces.ts'
import { RemoteFeed } from './remote-feed.ts'
import { jumps, RemoteViewer, strangers } from './remote-viewer.ts'

t.setTimeout(400_000)
const doc = 'a/timing/slow'
const near = 1
const far = 2
const rate = '64kbit'
/** 0.8 MB a second for a line that carries 8 kB; a snapshot, which halves, takes it about five seconds. */
const load = { messagesPerSecond: 100, valueBytes: 8_192, topics: 8 }
/**
 * What waits on the line is up to two seconds old, and answers wait behind it: a peer that answers so
 * late is not gone.
 */
const patient = { 'limits.linkSilenceMaxMs': '20s' }
const warmUpMs = 5_000
const measureMs = 20_000
/** Of 16 MB that are written meanwhile. */
const growthBytesMax = 4_194_304

await t.test(
  'a child on a slow link gets snapshots and costs its parent nothing',
  { skip: namespacesSkip },
  async t => {
    const nets = NetworkNamespaces.open(t, 2)
    const cluster = await Cluster.open(t)
    const { token } = cluster
    const wrapper = nets.wrapper(near)
    const farWrapper = nets.wrapper(far)
    const authority = await cluster.start({
      name: 'authority',
      roles: ['authority'],
      options: { host: '0.0.0.0', 'limits.ringRecordsMax': 256, ...patient },
      nodeArguments: holdsReported,
      wrapper,
    })
    const edge = await cluster.start({
      name: 'edge',
      roles: ['edge'],
      parents: [authority],
      // Its viewer takes a while for each state that it looks at, and is not to lag for that.
      options: { 'limits.viewerBudgetBytes': '64MiB' },
      wrapper,
    })
    const proxy = await cluster.start({
      name: 'proxy',
      roles: ['proxy'],
      parents: [{ url: nets.url(near, authority) }],
      options: { 'limits.creditBytes': 65_536, ...patient },
      wrapper: farWrapper,
    })
    const below = await cluster.start({
      name: 'below',
      roles: ['edge'],
      parents: [proxy],
      wrapper: farWrapper,
    })
    const feed = await RemoteFeed.open(t, { wrapper, url: authority.url, token, doc, ...load })
    const healthy = await RemoteViewer.open(t, { wrapper, url: edge.url, token, doc })
    const slow = await RemoteViewer.open(t, { wrapper: farWrapper, url: below.url, token, doc })

    nets.slow(near, rate)
    await delay(warmUpMs)
    const bytesBefore = await heldBytes(authority)
    const { snapshots: snapshotsBefore, seq: seqBefore } = slow.now
    await delay(measureMs)
    const grown = (await heldBytes(authority)) - bytesBefore
    t.ok(grown <= growthBytesMax, `the memory of the parent stays flat: ${grown} bytes`)
    // A link carries each record by itself: viewers get a new view only when it brought a snapshot.
    await slow.until(({ snapshots }) => snapshots > snapshotsBefore, { deadlineMs: 60_000 })
    t.ok(slow.now.seq > seqBefore, 'who watches below goes on by snapshots')
    const late = healthy.lines.map(({ at, newest }) => at - newest).toSorted((a, b) => a - b)
    const lateMs = late[Math.ceil(late.length * 0.99) - 1] ?? 0
    t.comment(`99 % of the changes came to the other child within ${lateMs} ms`)
    t.ok(lateMs <= 1_000, `the other child is not delayed: ${lateMs} ms`)

    nets.unslow(near)
    const lastSeq = await feed.stop()
    for (const viewer of [slow, healthy]) await viewer.until(({ seq }) => seq >= lastSeq)
    t.equal(slow.now.hash, healthy.now.hash, 'in the end it has the same state')
    t.same([...slow.now.problems, ...healthy.now.problems], [], 'ranges adjoin')
    t.same(jumps(healthy.lines), [], 'below the other child each change comes by itself')
    t.same(strangers(slow.lines, healthy.lines), [], 'each state below was a state of the document')
    const lost = proxy.log.filter(({ event }) => event === 'link.parent-lost')
    t.same(lost, [], 'the link was there all the time')
  },
)
