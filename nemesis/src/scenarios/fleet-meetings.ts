/* The Redis where the members of a fleet meet is away, stands still, forgets, fails over or evicts: the tree stays. */
import { setTimeout as delay } from 'node:timers/promises'
import { RedisServer } from '../processes/redis-server.ts'
import type { Seen } from '../seen.ts'
import type { Stage, StageSettings } from '../stage.ts'
import { until } from '../until.ts'
import { happenMsMax } from './aside.ts'
import { allServed, startCrowd } from './crowd.ts'
import { measured, viewersWait, writersWait } from './expectations.ts'
import { fleetAt, fleetStage, ownerOf, serversOf, smallFleetSize } from './fleet-stage.ts'
import { untilWritesGoOn, whoHas } from './fleets.ts'
import type { Expectation, Place, Scenario } from './scenario.ts'

/** Longer than a node is believed to be alive. */
const awayMsDefault = 9_000
const awayMsOf = ({ sizes }: Stage): number => 1_000 * (sizes.awaySeconds ?? awayMsDefault / 1_000)
/** An authority that cannot be sure that others see it writes for so long, ms. */
const doubtAfterMs = 4_000
/** What has room beside what members say, bytes, and what else is written there until they are evicted. */
const roomBytes = 262_144
const filler = 'x'.repeat(16_384)
const fillEveryMs = 100
/** 20 messages a second. */
const pace = { writersPerDocument: 4, perSecond: 5 }

/** Viewers who come while members cannot meet are shown the document. */
async function newcomers(stage: Stage): Promise<void> {
  const startedAtMs = performance.now()
  const edges = ['edge-1', 'edge-2']
  await allServed(await startCrowd(stage, { edges, count: 4, rampMs: 0, stalledShare: 0 }))
  stage.measures['newcomers'] = performance.now() - startedAtMs
}

/** The server goes away, somebody comes meanwhile, and it is there again. */
export async function meetingAway(
  stage: Stage,
  go: (server: RedisServer) => Promise<void> | void,
  comeBack: (server: RedisServer) => Promise<void> | void,
): Promise<void> {
  const { measures } = stage
  const { meeting } = serversOf(stage)
  const before = await whoHas(stage, 'edge-1')
  const ms = awayMsOf(stage)
  const goneAtMs = performance.now()
  await go(meeting)
  await delay(ms / 2)
  await newcomers(stage)
  await delay(Math.max(0, ms - (performance.now() - goneAtMs)))
  await comeBack(meeting)
  const backAtMs = performance.now()
  await untilWritesGoOn(stage)
  measures['away'] = backAtMs - goneAtMs
  measures['writes go on'] = performance.now() - backAtMs
  await delay(2_000)
  const after = await whoHas(stage, 'edge-1')
  measures['moved'] = Number(before.owner !== after.owner) + Number(before.proxy !== after.proxy)
}

/** A fleet whose members meet in a Redis with a replica that a sentinel makes the master when it is lost. */
async function withSentinel({ cleanups }: Place): Promise<StageSettings> {
  const owner = ownerOf(cleanups)
  const [master, replica] = await RedisServer.startPair(owner)
  const sentinel = await RedisServer.startSentinel(owner, master)
  const logs = await RedisServer.start(owner, { isDurable: true })
  const meeting = { address: `redis+sentinel://127.0.0.1:${sentinel.port}/main` }
  const servers = [master, replica, sentinel, logs]
  return { ...fleetAt({ meeting, logs }, smallFleetSize), ...pace, redis: { servers, last: logs } }
}

/** The master is lost while its replica lacks the last seconds, among them that somebody was placed. */
async function failOver(stage: Stage): Promise<void> {
  const [master, replica, sentinel] = stage.settings.redis?.servers ?? []
  if (master === undefined || replica === undefined || sentinel === undefined) {
    throw new Error('the stage has a master, a replica and a sentinel')
  }
  const before = await whoHas(stage, 'edge-1')
  replica.pause()
  await delay(2_000)
  await master.kill()
  replica.resume()
  await until(
    'the replica is the master',
    async () => /^role:master/m.test(await replica.client.info('replication')),
    happenMsMax,
  )
  await master.restart(['--replicaof', '127.0.0.1', `${replica.port}`])
  await untilWritesGoOn(stage)
  await newcomers(stage)
  await delay(5_000)
  stage.measures['moved'] = Number(before.owner !== (await whoHas(stage, 'edge-1')).owner)
}

/** It has room for little more than it has, and takes any key for what is written next. */
async function evict(stage: Stage): Promise<void> {
  const { client } = serversOf(stage).meeting
  const before = await whoHas(stage, 'edge-1')
  const numberOf = async (section: string, name: string): Promise<number> =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info(section))?.[1])
  const used = await numberOf('memory', 'used_memory')
  await client.config('SET', 'maxmemory-policy', 'allkeys-random')
  await client.config('SET', 'maxmemory', used + roomBytes)
  const endMs = performance.now() + awayMsOf(stage)
  for (let count = 0; performance.now() < endMs; count++) {
    await client.set(`filler:${count}`, filler).catch(() => undefined)
    await delay(fillEveryMs)
  }
  stage.measures['evicted'] = await numberOf('stats', 'evicted_keys')
  await newcomers(stage)
  await client.config('SET', 'maxmemory', 0)
  await untilWritesGoOn(stage)
  await delay(2_000)
  stage.measures['moved'] = Number(before.owner !== (await whoHas(stage, 'edge-1')).owner)
}

/** Whatever becomes of the place to meet, viewers keep what they have, and nobody takes another's place. */
const theTreeStays = (seen: Seen): Expectation[] => [
  { what: 'viewers lose their connection', seen: seen.linesLost, atMost: 0 },
  measured(seen, 'moved', { what: 'documents that became those of others', atMost: 0 }),
  measured(seen, 'newcomers', {
    what: 'who comes meanwhile is shown it within, ms',
    atMost: 5_000,
  }),
]

/** Who cannot be sure that others see it writes nothing, says so, and goes on when it can. */
export const doubtIsTold = (seen: Seen): Expectation[] => {
  const { away: awayMs = 0 } = seen.measures
  return [
    {
      what: 'writes refused as the authority is in doubt',
      seen: seen.refusals['FANFOLD_COORDINATOR_UNREACHABLE'] ?? 0,
      atLeast: 1,
    },
    { what: 'viewers are told that they are stale', seen: seen.stales, atLeast: 1 },
    writersWait(seen, awayMs - doubtAfterMs + 4_000),
    measured(seen, 'writes go on', { what: 'writes go on once it is back, ms', atMost: 5_000 }),
  ]
}

/** Nobody is in doubt. */
const goesOn = (seen: Seen, waitMsMax: number): Expectation[] => [
  ...theTreeStays(seen),
  writersWait(seen, waitMsMax),
  viewersWait(seen, waitMsMax + 500),
  { what: 'viewers are told that they are stale', seen: seen.stales, atMost: 0 },
]

/** Scenarios of the place where members meet. */
export const fleetMeetingScenarios: readonly Scenario[] = [
  {
    name: 'fleet-meeting-killed',
    does: 'kill -9 of the Redis where members meet, which keeps nothing and is away for 9 s (--away): nobody is taken for dead',
    needs: ['redis'],
    seconds: 24,
    stage: place => fleetStage(place, smallFleetSize, pace),
    run: stage =>
      meetingAway(
        stage,
        server => server.kill(),
        server => server.restart(),
      ),
    expects: seen => [...theTreeStays(seen), ...doubtIsTold(seen)],
  },
  {
    name: 'fleet-meeting-paused',
    does: 'SIGSTOP of the Redis where members meet, for 9 s (--away): nobody is taken for dead',
    needs: ['redis'],
    seconds: 24,
    stage: place => fleetStage(place, smallFleetSize, pace),
    run: stage =>
      meetingAway(
        stage,
        server => server.pause(),
        server => server.resume(),
      ),
    expects: seen => [...theTreeStays(seen), ...doubtIsTold(seen)],
  },
  {
    name: 'fleet-meeting-flushed',
    does: 'the Redis where members meet is emptied every 3 s for 9 s (--away): nobody notices',
    needs: ['redis'],
    seconds: 22,
    stage: place => fleetStage(place, smallFleetSize, pace),
    run: async stage => {
      const before = await whoHas(stage, 'edge-1')
      for (const endMs = performance.now() + awayMsOf(stage); performance.now() < endMs; ) {
        await serversOf(stage).meeting.client.flushall()
        await delay(3_000)
      }
      await newcomers(stage)
      stage.measures['moved'] = Number(before.owner !== (await whoHas(stage, 'edge-1')).owner)
    },
    expects: seen => goesOn(seen, 1_500),
  },
  {
    name: 'fleet-meeting-failed-over',
    does: 'kill -9 of the master of the Redis where members meet, whose replica lacks the last 2 s and becomes the master',
    needs: ['redis'],
    seconds: 28,
    stage: withSentinel,
    run: failOver,
    expects: seen => goesOn(seen, 3_000),
  },
  {
    name: 'fleet-meeting-evicted',
    does: 'the Redis where members meet has no room, and evicts what they say, for 9 s (--away)',
    needs: ['redis'],
    seconds: 24,
    stage: place => fleetStage(place, smallFleetSize, pace),
    run: evict,
    expects: seen => [
      measured(seen, 'evicted', { what: 'keys that it evicted', atLeast: 5 }),
      ...goesOn(seen, 1_500),
    ],
  },
]
