/* A document that very many edges want: tiers of proxies form below each other, and go when it has cooled. */
import { setTimeout as delay } from 'node:timers/promises'
import type { ConfigName } from '@fanfold/node'
import type { Seen } from '../seen.ts'
import type { Sizes } from '../sizes.ts'
import type { Stage, StageNode, StageSettings } from '../stage.ts'
import { until } from '../until.ts'
import { allServed, startCrowd } from './crowd.ts'
import { measured, viewersWait, writersWait } from './expectations.ts'
import { fleetNode, startServers, type TreeNode, topologyOf } from './fleet-stage.ts'
import type { Expectation, Place, Scenario } from './scenario.ts'
import { pair } from './stages.ts'

/** Nodes that have the document from one proxy, at most. */
const budget = 8
const sizeDefaults = { proxies: 10, edges: 10, hosted: 40 }
/** Proxies and edges that share a process. */
const perHost = { proxy: 12, edge: 20 }
/** Viewers that stay when all others have gone, each at an edge that is a process of its own. */
const staying = 4
/** Longest time until the tree has its form, and until it has collapsed: half a minute of it is waited for. */
const formedMsMax = 180_000
const collapsedMsMax = 180_000
/** One edge more wants the document each time, ms. */
const comeMs = 200
/** How often the tree is looked at, ms: everybody in it is asked. */
const lookMs = 2_000

/** So many nodes on a machine say seldom that they are there, and are late. */
const patient: Readonly<Partial<Record<ConfigName, string>>> = {
  'limits.memberHeartbeatMs': '5s',
  'limits.memberDeadAfterMs': '30s',
  'limits.linkSilenceMaxMs': '10s',
}

const sizeOf = ({ proxies, edges, hosted }: Sizes): Required<typeof sizeDefaults> => ({
  proxies: proxies ?? sizeDefaults.proxies,
  edges: Math.max(staying, edges ?? sizeDefaults.edges),
  hosted: hosted ?? sizeDefaults.hosted,
})

async function hotStage(place: Place): Promise<StageSettings> {
  const servers = await startServers(place)
  const { proxies, edges, hosted } = sizeOf(place.sizes)
  const node = (role: 'authority' | 'proxy' | 'edge', name: string): StageNode => {
    const roomy = role === 'proxy' ? { 'limits.treeChildrenMax': budget } : {}
    return fleetNode(role, { name, options: { ...patient, ...roomy } }, servers)
  }
  const together = (role: 'proxy' | 'edge', from: number, count: number): StageNode[] =>
    Array.from({ length: count }, (_, index) => {
      const host = `${role}-host-${Math.floor(index / perHost[role]) + 1}`
      return { ...node(role, `${role}-${from + index}`), host }
    })
  return {
    ...pair(),
    perSecond: 2,
    nodes: [
      node('authority', 'authority-1'),
      ...Array.from({ length: edges }, (_, index) => node('edge', `edge-${index + 1}`)),
      ...together('proxy', 1, proxies),
      ...together('edge', edges + 1, hosted),
    ],
    viewers: Array.from({ length: staying }, (_, index) => ({
      name: `v${index}`,
      edges: [`edge-${index + 1}`],
      audience: index % 2 === 0 ? 'open' : 'premium',
    })),
    redis: { servers: [servers.meeting, servers.logs], last: servers.logs },
  }
}

/** The form of a tree. */
type Form = {
  readonly isWhole: boolean
  readonly edges: number
  readonly proxies: number
  /** Proxies between the authority and the edge that is furthest away. */
  readonly tiers: number
  /** The most nodes that one proxy serves. */
  readonly childrenMost: number
}

/** What the tree is like that is told of. */
function formOf(top: TreeNode, isWhole: boolean): Form {
  const waiting = [{ node: top, tiers: 0 }]
  const form = { isWhole, edges: 0, proxies: 0, tiers: 0, childrenMost: 0 }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, tiers } = next
    const isProxy = node.role === 'proxy'
    if (isProxy) {
      form.proxies++
      form.childrenMost = Math.max(form.childrenMost, node.children ?? 0)
    } else if (node.role === 'edge') {
      form.edges++
      form.tiers = Math.max(form.tiers, tiers)
    }
    for (const below of node.below)
      waiting.push({ node: below, tiers: isProxy ? tiers + 1 : tiers })
  }
  return form
}

/** Looks at the tree until it is as it should be; how it is then, and the most that a proxy served at any look. */
async function untilForm(
  stage: Stage,
  what: string,
  wanted: { readonly is: (form: Form) => boolean; readonly msMax: number },
): Promise<Form & { readonly ms: number; readonly childrenEver: number }> {
  const startedAtMs = performance.now()
  let form: Form | undefined
  let childrenEver = 0
  const looked: object[] = []
  try {
    await until(
      what,
      async () => {
        const { tree } = (await topologyOf(stage, 'authority-1')).document
        form = formOf(tree.top, tree.isWhole)
        childrenEver = Math.max(childrenEver, form.childrenMost)
        looked.push({ ms: Math.round(performance.now() - startedAtMs), ...form })
        if (wanted.is(form)) return true
        await delay(lookMs)
        return false
      },
      wanted.msMax,
    )
  } finally {
    stage.write(`${what.replaceAll(' ', '-')}.json`, looked)
  }
  if (form === undefined) throw new Error('the tree was not looked at')
  return { ...form, ms: performance.now() - startedAtMs, childrenEver }
}

/** Everybody comes, and but for some goes again. */
async function heatAndCool(stage: Stage): Promise<void> {
  const { measures, settings, sizes } = stage
  const edges = settings.nodes.filter(({ roles }) => roles.includes('edge')).map(({ name }) => name)
  const crowd = await startCrowd(stage, {
    edges,
    count: edges.length,
    rampMs: edges.length * comeMs,
    stalledShare: 0,
    isFaithful: true,
  })
  const formed = await untilForm(stage, 'a tree of tiers', {
    is: ({ isWhole, edges: found, childrenMost }) =>
      isWhole && found === edges.length && childrenMost <= budget,
    msMax: formedMsMax,
  })
  const { seqs } = await stage.writers.ask('tell')
  await allServed(crowd, Math.min(...Object.values(seqs)) - 1)
  const { edges: own, hosted } = sizeOf(sizes)
  measures['own'] = own
  measures['hosted'] = hosted
  measures['formed'] = formed.ms
  measures['tiers'] = formed.tiers
  measures['proxies'] = formed.proxies
  measures['children'] = formed.childrenMost
  measures['children ever'] = formed.childrenEver
  measures['went back'] = (await crowd.ask('tell')).wentBack
  crowd.end()
  const collapsed = await untilForm(stage, 'a tree of one', {
    is: ({ proxies, tiers, edges: found }) => proxies === 1 && tiers === 1 && found === staying,
    msMax: collapsedMsMax,
  })
  measures['collapsed'] = collapsed.ms
}

/** The fewest tiers of proxies that can serve so many edges, none more nodes than it may. */
const tiersLeast = (edges: number): number => Math.ceil(Math.log(edges) / Math.log(budget))

function formsAndCollapses(seen: Seen): Expectation[] {
  const { own = 0, hosted = 0 } = seen.measures
  const least = tiersLeast(own + hosted)
  return [
    measured(seen, 'own', { what: 'edges that are processes of their own', atLeast: staying }),
    measured(seen, 'hosted', { what: 'edges that share processes' }),
    measured(seen, 'formed', {
      what: 'all edges have it and no proxy serves too many after, ms',
      atMost: 120_000,
    }),
    measured(seen, 'tiers', { what: 'tiers of proxies', atLeast: least, atMost: least + 1 }),
    measured(seen, 'proxies', {
      what: 'proxies in the tree',
      atLeast: Math.ceil((own + hosted - 1) / (budget - 1)),
    }),
    measured(seen, 'children', { what: 'most nodes below one of them', atMost: budget }),
    measured(seen, 'children ever', { what: 'and while they came, at any look' }),
    measured(seen, 'collapsed', {
      what: 'one proxy serves those who stay, after all others have gone, ms',
      atMost: 120_000,
    }),
    measured(seen, 'went back', { what: 'shown an earlier seq', atMost: 0 }),
    writersWait(seen, 2_000),
    viewersWait(seen, 5_000),
  ]
}

/** Scenarios of documents that are hot. */
export const fleetHotDocumentScenarios: readonly Scenario[] = [
  {
    name: 'fleet-hot-document',
    does: `${sizeDefaults.edges + sizeDefaults.hosted} edges (--edges, --hosted) want one document of proxies that may serve ${budget} each: tiers form, and collapse when it has cooled`,
    needs: ['redis'],
    seconds: 150,
    stage: hotStage,
    run: heatAndCool,
    expects: formsAndCollapses,
    convergeMsMax: 8_000,
  },
]
