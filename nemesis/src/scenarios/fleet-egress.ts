/* What leaves the authority of a fleet, by the kernel's counters and by its own: the same however many edges there are. */
import { setTimeout as delay } from 'node:timers/promises'
import { Networks } from '../processes/networks.ts'
import { metricsOf } from '../processes/node-numbers.ts'
import { RedisServer } from '../processes/redis-server.ts'
import type { Seen } from '../seen.ts'
import { clientsNetwork, type Stage, type StageNode, type StageSettings } from '../stage.ts'
import { until } from '../until.ts'
import { allServed, startCrowd } from './crowd.ts'
import { measured, viewersWait } from './expectations.ts'
import { fleetNode, ownerOf } from './fleet-stage.ts'
import type { Expectation, Place, Scenario } from './scenario.ts'
import { ledger, pair } from './stages.ts'

/** The networks: who is not the authority shares one, as only what leaves the authority is counted. */
const network = { authority: 'authority', redis: 'redis', tree: 'tree' }
/** The region in which edges are added, and one that stays as it is. */
const regions = ['eu', 'us'] as const
/** Edges of the first region, in turn. */
const edgeCounts = [1, 10, 30] as const
/** Edges that share a process. */
const perHost = 10
/** How long what leaves is counted for each, ms. */
const countMs = 10_000
/** Until a region that has grown is served by one stream again, at most, and between looks, ms. */
const settleMsMax = 60_000
const lookMs = 1_000
/** Who is late on a busy machine is not to be taken for gone: others would be sent what it was. */
const patient = { 'limits.linkSilenceMaxMs': '5s', 'limits.memberDeadAfterMs': '20s' }
/** Viewers below an authority whose line is narrow, and the bits a second that it may send. */
const crowdCount = 2_000
const narrow = { rate: '1mbit', bitsPerSecond: 1_000_000 }

/** An authority alone in its network; in each region two proxies, and edges in groups that share a process. */
async function stageWith(
  { cleanups }: Place,
  edges: Readonly<Record<(typeof regions)[number], number>>,
  load: Pick<StageSettings, 'writersPerDocument' | 'perSecond' | 'valueLength'>,
): Promise<StageSettings> {
  const networks = Networks.open([...Object.values(network), clientsNetwork], cleanups)
  const owner = ownerOf(cleanups)
  const place = { address: networks.address('redis'), wrapper: networks.wrapper('redis') }
  const meeting = await RedisServer.start(owner, { network: place })
  const logs = await RedisServer.start(owner, { network: place, isDurable: true })
  const node = (role: 'authority' | 'proxy' | 'edge', name: string, region: string): StageNode => {
    const its = role === 'authority' ? network.authority : network.tree
    // Others are told of it by the address that it listens at.
    const options = { host: networks.address(its), ...patient }
    return { ...fleetNode(role, { name, region, options }, { meeting, logs }), network: its }
  }
  const below = regions.flatMap(region => [
    ...[1, 2].map(index => node('proxy', `${region}-proxy-${index}`, region)),
    ...Array.from({ length: edges[region] }, (_, index) => {
      const host = `${region}-edges-${Math.floor(index / perHost) + 1}`
      return { ...node('edge', `${region}-edge-${index + 1}`, region), host }
    }),
  ])
  return {
    ...pair(),
    ...load,
    nodes: [node('authority', 'authority', 'eu'), ...below],
    viewers: regions.flatMap(region =>
      (['open', 'premium'] as const).map(audience => ({
        name: `${region}-${audience}`,
        edges: [`${region}-edge-1`],
        audience,
      })),
    ),
    isNetworked: true,
    networks,
    redis: { servers: [meeting, logs], last: logs },
  }
}

const networksOf = ({ networks }: Stage): Networks => {
  if (networks === undefined) throw new Error('the stage has networks')
  return networks
}

/** What has left the authority, and what of it the regions have. */
type Egress = {
  /** Bytes on the wire to the tree, headers included, and by the authority's metric, without. */
  readonly wire: number
  readonly sent: number
  /** Bytes of records that the region in which edges come has received from the authority. */
  readonly records: number
  /** The place of the last write. */
  readonly seq: number
}

async function egressOf(stage: Stage): Promise<Egress> {
  const { seqs } = await stage.writers.ask('tell')
  const proxies = stage.settings.nodes.filter(
    ({ roles, region }) => roles.includes('proxy') && region === regions[0],
  )
  const found = await Promise.all(proxies.map(({ name }) => metricsOf(stage, name)))
  const { sum } = await metricsOf(stage, 'authority')
  return {
    wire: networksOf(stage).bytesTo(network.authority, network.tree),
    sent: sum('sent_bytes_total', { to: 'nodes' }),
    // The other one may be a tier below it.
    records: Math.max(...found.map(one => one.sum('received_bytes_total'))),
    seq: seqs[ledger] ?? 0,
  }
}

/** Waits until the authority sends one stream to each region. */
const untilOneEach = (stage: Stage): Promise<void> =>
  until(
    'the authority sends one stream to each region',
    async () => {
      const { sum } = await metricsOf(stage, 'authority')
      if (sum('children') === regions.length) return true
      await delay(lookMs)
      return false
    },
    settleMsMax,
  )

/** What leaves while writers write, for a while. */
async function countEgress(stage: Stage): Promise<Egress> {
  // Nothing is under way when counters are read.
  await stage.quiet()
  await delay(300)
  const before = await egressOf(stage)
  await stage.writers.ask('resume')
  await delay(countMs)
  await stage.quiet()
  await delay(300)
  const after = await egressOf(stage)
  await stage.writers.ask('resume')
  return {
    wire: after.wire - before.wire,
    sent: after.sent - before.sent,
    records: after.records - before.records,
    seq: after.seq - before.seq,
  }
}

/** Viewers come to more and more edges of a region, and each time what leaves the authority is counted. */
async function growRegion(stage: Stage): Promise<void> {
  networksOf(stage).watchBytes(network.authority, network.tree)
  let watched = 1
  for (const count of edgeCounts) {
    if (count > watched) {
      const edges = Array.from(
        { length: count - watched },
        (_, index) => `${regions[0]}-edge-${watched + index + 1}`,
      )
      const size = { count: edges.length, rampMs: 500, stalledShare: 0, isFaithful: true }
      await allServed(await startCrowd(stage, { ...size, edges }))
      watched = count
    }
    await untilOneEach(stage)
    const egress = await countEgress(stage)
    stage.measures[`${count}: wire per change`] = egress.wire / egress.seq
    stage.measures[`${count}: sent per change`] = egress.sent / egress.seq
    stage.measures[`${count}: records per change`] = egress.records / egress.seq
  }
}

/** One number of each count of edges, against that of the first one, in thousandths. */
function sameAsFirst(seen: Seen, of: 'wire' | 'sent', what: string): Expectation[] {
  const at = (count: number): number => seen.measures[`${count}: ${of} per change`] ?? Number.NaN
  const [first, ...more] = edgeCounts
  return more.map(count => ({
    what: `${what} with ${count} edges, of 1,000 with one`,
    seen: (1_000 * at(count)) / at(first),
    atLeast: 980,
    atMost: 1_020,
  }))
}

/** What leaves, against the regions times what one of them has, in thousandths. */
const regionsTimesChanges = (seen: Seen): Expectation[] =>
  edgeCounts.flatMap(count => {
    const records = regions.length * (seen.measures[`${count}: records per change`] ?? Number.NaN)
    const of = (name: string): number =>
      (1_000 * (seen.measures[`${count}: ${name} per change`] ?? Number.NaN)) / records
    return [
      {
        what: `bytes sent with ${count} edges, by the metric, of 1,000 in regions × records`,
        seen: of('sent'),
        atLeast: 1_000,
        atMost: 1_020,
      },
      {
        what: `the same on the wire, headers included`,
        seen: of('wire'),
        atLeast: 1_000,
        atMost: 1_080,
      },
    ]
  })

/** Very many watch what an authority sends over a line that is hardly wide enough for one region. */
async function feedMany(stage: Stage): Promise<void> {
  const { measures } = stage
  const networks = networksOf(stage)
  networks.watchBytes(network.authority, network.tree)
  networks.slow(network.authority, narrow.rate)
  const edges = stage.settings.nodes
    .filter(({ roles }) => roles.includes('edge'))
    .map(({ name }) => name)
  const count = stage.sizes.viewers ?? crowdCount
  const crowd = await startCrowd(stage, { count, edges, rampMs: 4_000, stalledShare: 0 })
  await allServed(crowd)
  await untilOneEach(stage)
  const before = { ...(await crowd.ask('tell')), wire: networks.sentBytes(network.authority) }
  const startedAtMs = performance.now()
  await delay(2 * countMs)
  const after = { ...(await crowd.ask('tell')), wire: networks.sentBytes(network.authority) }
  const seconds = (performance.now() - startedAtMs) / 1_000
  measures['received bits'] = (8 * (after.bytes - before.bytes)) / seconds
  measures['sent bits'] = (8 * (after.wire - before.wire)) / seconds
  measures['viewers'] = after.connected
  // What all may see comes last.
  await stage.quiet()
  await stage.writers.ask('mark')
  const { seqs } = await stage.writers.until('it is written', ({ open }) => open === 0)
  measures['all have it'] = await allServed(crowd, seqs[ledger])
  measures['went back'] = (await crowd.ask('tell')).wentBack
}

/** What so many must get through so little. */
const fed = (seen: Seen): Expectation[] => [
  measured(seen, 'viewers', { what: 'viewers that are connected', atLeast: 1 }),
  measured(seen, 'sent bits', {
    what: 'bits a second that leave the authority, its log included',
    atMost: narrow.bitsPerSecond,
  }),
  measured(seen, 'received bits', {
    what: 'bits a second that viewers receive together',
    atLeast: 100 * narrow.bitsPerSecond,
  }),
  measured(seen, 'all have it', { what: 'all of them have the last write, ms', atMost: 5_000 }),
  measured(seen, 'went back', { what: 'shown an earlier seq', atMost: 0 }),
  viewersWait(seen, 3_000),
]

/** Scenarios of what leaves an authority. */
export const fleetEgressScenarios: readonly Scenario[] = [
  {
    name: 'fleet-egress',
    does: 'viewers come to 1, 10 and 30 edges of one region of two: what leaves the authority stays the same',
    needs: ['networks', 'redis'],
    seconds: 100,
    stage: place =>
      stageWith(
        place,
        { eu: edgeCounts[2], us: 1 },
        { writersPerDocument: 4, perSecond: 2.5, valueLength: 8_000 },
      ),
    run: growRegion,
    expects: seen => [
      ...sameAsFirst(seen, 'sent', 'bytes sent for a change, by the metric,'),
      ...sameAsFirst(seen, 'wire', 'on the wire'),
      ...regionsTimesChanges(seen),
    ],
  },
  {
    name: 'fleet-narrow-authority',
    does: `an authority that may send 1 Mbit/s feeds ${crowdCount} viewers (--viewers) in two regions, who get 100 times that`,
    needs: ['networks', 'redis'],
    seconds: 70,
    stage: place =>
      stageWith(
        place,
        { eu: 2, us: 2 },
        { writersPerDocument: 4, perSecond: 1, valueLength: 2_600 },
      ),
    run: feedMany,
    expects: fed,
  },
]
