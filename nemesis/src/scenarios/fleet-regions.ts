/* A fleet of three regions under load: nodes of all roles die, and a proxy comes. */
import { setTimeout as delay } from 'node:timers/promises'
import { awayMax, drawDeaths } from '../faults/random-deaths.ts'
import type { Seen } from '../seen.ts'
import type { Sizes } from '../sizes.ts'
import type { Stage, StageSettings } from '../stage.ts'
import { until } from '../until.ts'
import { measured, viewersWait, writersWait } from './expectations.ts'
import { fleetNode, fleetStage, serversOf, topologyOf } from './fleet-stage.ts'
import type { Expectation, Place, Scenario } from './scenario.ts'

const regions = ['eu', 'us', 'ap']
const sizeDefaults = { rounds: 20, proxies: 6, edges: 10, viewers: 200 }
/** Each of them has its own proxy in a region, and its own authority. */
const twoDocs = ['a/ledger/0', 'a/ledger/1']
/** 20 messages a second, of so many writers that what few of them wrote is less than all of it: else a snapshot is. */
const pace = { writersPerDocument: 20, perSecond: 0.5 }
/** So many that a proxy that comes is bound to get some of them, and who watches those. */
const viewersOfMany = 72
const manyDocs = Array.from({ length: 24 }, (_, index) => `a/ledger/${index}`)
/** From a round to the next one, at least, and up to twice as long, ms. */
const roundMs = 4_000
/** How long a node is dead before it is started, at most, and until it must listen again, ms. */
const downMsMax = 4_000
const backMsMax = 60_000
/** After a proxy has come, or the last one back, ms: longer than it takes to be known. */
const settleMs = 8_000

const sizeOf = ({ proxies, edges, viewers }: Sizes) => ({
  proxies: proxies ?? sizeDefaults.proxies,
  edges: edges ?? sizeDefaults.edges,
  viewers: viewers ?? sizeDefaults.viewers,
})

const threeRegions = (place: Place): Promise<StageSettings> =>
  fleetStage(place, { regions, ...sizeOf(place.sizes) }, { ...pace, docs: twoDocs })

/** Nodes of any roles die, again and again, and are started again; a round begins while some are still away. */
export async function killRounds(stage: Stage, rounds: number): Promise<void> {
  const { prng, settings } = stage
  const mortals = settings.nodes.map(({ name, roles: [role = ''], region = '' }) => {
    return { name, role, region }
  })
  const away = new Set<string>()
  const under: Promise<void>[] = []
  for (let round = 0; round < rounds; round++) {
    await until('some are back', () => away.size < awayMax, backMsMax)
    for (const name of drawDeaths(prng, mortals, away)) {
      away.add(name)
      const isBack = stage.kill(name, prng.below(downMsMax)).finally(() => away.delete(name))
      isBack.catch(() => undefined)
      under.push(isBack)
    }
    await delay(roundMs + prng.below(roundMs))
  }
  await Promise.all(under)
  stage.write('deaths.json', stage.deaths)
  stage.measures['rounds'] = rounds
  await delay(settleMs)
}

/** What must be so of those who live on. */
function healed({ deaths, resumes, measures }: Seen): Expectation[] {
  if (deaths === undefined) return [{ what: 'nodes that died', seen: 0, atLeast: 1 }]
  const { viewerIsBack, followers, authority, writers } = deaths
  const connections = resumes.resumed + resumes.snapshots
  return [
    { what: 'rounds of deaths', seen: measures['rounds'] ?? 0, atLeast: 1 },
    {
      what: '99 of 100 viewers that lost an edge are shown something new within, ms',
      seen: viewerIsBack.p99,
      atMost: 1_000,
    },
    { what: 'longest silence as proxies or edges died, ms', seen: followers.most, atMost: 2_500 },
    { what: 'longest silence as an authority died, ms', seen: authority.most, atMost: 6_000 },
    { what: 'a document is written again within, ms', seen: writers.most, atMost: 6_000 },
    {
      what: 'connections that went on from a ring, of 100',
      seen: (100 * resumes.resumed) / Math.max(1, connections),
      atLeast: 0,
    },
    {
      what: 'snapshots though few changes were missed, of 100 connections',
      seen: (100 * resumes.snapshotsForFew) / Math.max(1, connections),
      atMost: 10,
    },
  ]
}

/** A proxy comes to a region, and what it has to serve is served by it while everybody goes on. */
async function addProxy(stage: Stage): Promise<void> {
  const { measures, settings } = stage
  const name = `proxy-${sizeOf(stage.sizes).proxies + 1}`
  const [region = ''] = regions
  const before = (await stage.viewers.ask('tell')).seqs
  const startedAtMs = performance.now()
  await stage.startNode(fleetNode('proxy', { name, region }, serversOf(stage)))
  let its: readonly string[] = []
  await until(
    'it serves what is its share',
    async () => {
      const found = await Promise.all(
        settings.docs.map(doc => topologyOf(stage, name, doc).then(({ document }) => document)),
      )
      const isItsOwn = found.map(({ regions: all }) => {
        return all.find(one => one.region === region)?.proxies[0] === name
      })
      its = settings.docs.filter((_, index) => isItsOwn[index])
      const served = (await topologyOf(stage, name)).proxy?.documents ?? 0
      return its.length > 0 && served >= its.length
    },
    backMsMax,
  )
  measures['its share'] = its.length
  measures['until it has it'] = performance.now() - startedAtMs
  await delay(settleMs)
  const after = (await stage.viewers.ask('tell')).seqs
  measures['least shown'] = Math.min(
    ...Object.entries(after).map(([viewer, seq]) => seq - (before[viewer] ?? 0)),
  )
}

/** Scenarios of three regions. */
export const fleetRegionScenarios: readonly Scenario[] = [
  {
    name: 'fleet-proxy-added',
    does: 'a proxy is started in a region of three, under load: it takes its share of 24 documents, and nobody notices',
    needs: ['redis'],
    seconds: 60,
    stage: place =>
      fleetStage(
        place,
        { regions, ...sizeOf(place.sizes), viewers: place.sizes.viewers ?? viewersOfMany },
        { docs: manyDocs, writersPerDocument: 1, perSecond: 4 },
      ),
    run: addProxy,
    expects: seen => [
      measured(seen, 'its share', {
        what: 'documents of 24 that it has to serve, and serves',
        atLeast: 3,
        atMost: 14,
      }),
      measured(seen, 'until it has it', { what: 'from its start, ms', atMost: 10_000 }),
      measured(seen, 'least shown', { what: 'changes that each viewer was shown', atLeast: 5 }),
      { what: 'viewers are shown a snapshot', seen: seen.resets, atMost: 0 },
      { what: 'viewers are told that they are stale', seen: seen.stales, atMost: 0 },
      viewersWait(seen, 2_000),
      writersWait(seen, 1_000),
    ],
  },
  {
    name: 'fleet-regions-killed',
    does: 'kill -9 of one or two nodes of any roles, chosen at random, in a fleet of three regions, --rounds (20) times, some while others are away',
    needs: ['redis'],
    seconds: 120,
    stage: threeRegions,
    run: stage => killRounds(stage, stage.sizes.rounds ?? sizeDefaults.rounds),
    expects: healed,
    convergeMsMax: 8_000,
  },
]
