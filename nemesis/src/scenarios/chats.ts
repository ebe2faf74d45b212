/* What a crowd says goes up a tree of real processes, and is counted once, whatever dies, stands still or is cut off. */
import { fileURLToPath } from 'node:url'
import type { ChatChoice } from '../clients/chat-recording.ts'
import { Networks } from '../processes/networks.ts'
import { RedisServer } from '../processes/redis-server.ts'
import type { Seen } from '../seen.ts'
import type { Sizes } from '../sizes.ts'
import { clientsNetwork, type Stage, type StageSettings } from '../stage.ts'
import { ChatSpeakers, choiceFor, otherThanRecorded, wrongKinds } from './chat-speakers.ts'
import {
  chatCore as core,
  chatRegions as regions,
  type Struck,
  strikeAny,
  strikeEach,
  struckNames,
} from './chat-strikes.ts'
import { measured } from './expectations.ts'
import { fleetAt, fleetStage, ownerOf } from './fleet-stage.ts'
import type { Expectation, Place, Scenario } from './scenario.ts'
import { ledger } from './stages.ts'

const sizeDefaults = { proxies: 6, edges: 8, speed: 100 }
/** A proxy has so many below it: four edges of a region are below two proxies, and these below a third. */
const childrenMax = 2

const definition = (name: string): string =>
  fileURLToPath(new URL(`../../../definitions/${name}.ts`, import.meta.url))

/** Times of the machine are no matter here: who is late is not to be taken for gone. */
const patient = { 'limits.linkSilenceMaxMs': '5s', 'limits.memberDeadAfterMs': '20s' }

const optionsOf = {
  authority: { ...patient, definitions: [definition('ledger'), definition('chat')].join(',') },
  proxy: { ...patient, 'limits.treeChildrenMax': childrenMax },
  // At a thousand times the speed one viewer says in a second what it said in a quarter of an hour.
  edge: {
    ...patient,
    'limits.framesPerSecondMax': 10_000,
    'limits.crowdMessagesPerViewerPerSecond': 1_000,
    'limits.crowdMessagesPerViewerBurst': 10_000,
    'limits.crowdIdsPerViewerMax': 65_536,
  },
}

/** Some writes beside what the crowd says: they are judged as well. */
const beside = { writersPerDocument: 1, perSecond: 2, docs: [ledger] }

const sizeOf = ({ proxies, edges }: Sizes) => ({
  regions,
  proxies: proxies ?? sizeDefaults.proxies,
  edges: edges ?? sizeDefaults.edges,
  viewers: 2,
  options: optionsOf,
})

const chatStage = (place: Place): Promise<StageSettings> =>
  fleetStage(place, sizeOf(place.sizes), beside)

/** The same, each region and what they meet in a network of its own. */
async function networkedStage(place: Place): Promise<StageSettings> {
  const networks = Networks.open([core, ...regions, clientsNetwork], place.cleanups)
  const owner = ownerOf(place.cleanups)
  const network = { address: networks.address(core), wrapper: networks.wrapper(core) }
  const meeting = await RedisServer.start(owner, { network })
  const logs = await RedisServer.start(owner, { network, isDurable: true })
  const settings = fleetAt({ meeting, logs }, sizeOf(place.sizes), beside)
  return {
    ...settings,
    ...beside,
    nodes: settings.nodes.map(node => {
      const its = node.roles.includes('authority') ? core : (node.region ?? core)
      const options = { ...node.options, host: networks.address(its) }
      return { ...node, network: its, options }
    }),
    isNetworked: true,
    networks,
    redis: { servers: [meeting, logs], last: logs },
  }
}

/** How a chat is replayed. */
type Replay = {
  readonly choice: ChatChoice
  readonly speed: number
  /** What is done meanwhile; how often each thing happened. */
  readonly strike?: (stage: Stage, goesOn: () => boolean) => Promise<Struck>
}

const replayOf = ({ minutes, speed = sizeDefaults.speed }: Sizes) => ({
  choice: choiceFor(speed, minutes * 60_000),
  speed,
})

/** Says it, with all that happens meanwhile, and compares what the document has with what was said. */
async function replay(stage: Stage, { strike, ...chat }: Replay): Promise<void> {
  const { measures } = stage
  const speakers = await ChatSpeakers.open(stage, chat)
  await speakers.begin()
  Object.assign(measures, await strike?.(stage, () => !speakers.isSaid))
  await speakers.untilTold(lateMsMax)
  const result = await speakers.result()
  stage.write('chat.json', result)
  const { sum, seconds, latency, refused } = result
  measures['speed'] = chat.speed
  measures['said'] = sum.said - sum.rejected
  measures['counted'] = sum.counted
  measures['unknown'] = sum.unknown
  measures['lost'] = sum.lost
  measures['shown'] = sum.shown
  measures['refused'] = refused
  measures['a second'] = sum.counted / seconds
  measures['p50'] = latency.p50
  measures['p99'] = latency.p99
  measures['wrong'] = wrongKinds(result).length
  measures['other'] = otherThanRecorded(result, chat.choice).length
}

/** How late the viewers may be with what they say, ms: they are processes of a machine that is busy. */
const lateMsMax = 300_000

/** What is told of each replay. */
const told = (seen: Seen): Expectation[] => [
  measured(seen, 'speed', { what: 'times as fast as it was' }),
  measured(seen, 'said', { what: 'said, in messages and reactions', atLeast: 1_000 }),
  measured(seen, 'counted', { what: 'of that told to be counted', atLeast: 1_000 }),
  measured(seen, 'shown', { what: 'of that in the document' }),
  measured(seen, 'wrong', {
    what: 'kinds of which fewer are there than were told to be counted, or more than may be',
    atMost: 0,
  }),
  measured(seen, 'refused', { what: 'rejected for good', atMost: 0 }),
  measured(seen, 'a second', { what: 'counted a second, as fast as it was said' }),
  measured(seen, 'p50', { what: 'half are told to be counted within, in ms' }),
  measured(seen, 'p99', { what: '99 of 100 within, in ms' }),
]

/** Where everybody was told, the document has what the recording has. */
const asRecorded = (seen: Seen): Expectation =>
  measured(seen, 'other', {
    what: 'kinds of which there are not as many as the recording has',
    atMost: 0,
  })

/** What must come of one in which no edge dies, and nobody loses a connection. */
const whole = (seen: Seen): Expectation[] => [
  ...told(seen),
  measured(seen, 'unknown', { what: 'told that nobody knows', atMost: 0 }),
  measured(seen, 'lost', { what: 'connection lost before anything was told', atMost: 0 }),
  asRecorded(seen),
]

/** What must come of one in which anything happens. */
const struck = (seen: Seen): Expectation[] => [
  ...told(seen),
  measured(seen, 'unknown', { what: 'told that nobody knows' }),
  measured(seen, 'lost', { what: 'connection lost before anything was told' }),
  ...(seen.measures['unknown'] === 0 && seen.measures['lost'] === 0 ? [asRecorded(seen)] : []),
  ...struckNames.map(what => measured(seen, what, { what })),
]

/** What every change is tried with: a drawn chat, and nodes of each role die in it. */
export const shortChatScenario: Scenario = {
  name: 'chat-short',
  does: 'viewers of a drawn chat say it at two edges, while an edge, both proxies and the authority die and the Redis with the logs stands still',
  needs: ['redis'],
  seconds: 40,
  stage: place => chatStage({ ...place, sizes: { ...place.sizes, proxies: 2, edges: 2 } }),
  run: stage =>
    replay(stage, {
      choice: { folder: undefined, untilMs: Number.MAX_SAFE_INTEGER },
      speed: 4,
      strike: strikeEach,
    }),
  expects: struck,
  convergeMsMax: 30_000,
}

/** Scenarios of crowds that say something. */
export const chatScenarios: readonly Scenario[] = [
  {
    name: 'chat-replayed',
    does: 'viewers of a recorded chat say it again at the edges of two regions, below two tiers, --speed (100) times as fast, for --minutes',
    needs: ['redis'],
    seconds: 60,
    stage: chatStage,
    run: stage => replay(stage, replayOf(stage.sizes)),
    expects: whole,
    convergeMsMax: 30_000,
  },
  {
    name: 'chat-struck',
    does: 'the same, while edges, proxies, authorities and Redis are killed and paused, and regions are cut off, at random',
    needs: ['redis', 'networks'],
    seconds: 90,
    stage: networkedStage,
    run: stage => replay(stage, { ...replayOf(stage.sizes), strike: strikeAny }),
    expects: struck,
    convergeMsMax: 30_000,
  },
]
