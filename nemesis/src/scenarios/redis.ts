/* Logs in a Redis that dies, stands still, fails over, and loses a log. */
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@fanfold/client'
import { WebSocket } from 'ws'
import { RedisServer } from '../processes/redis-server.ts'
import type { Seen } from '../seen.ts'
import type { Stage, StageRedis, StageSettings } from '../stage.ts'
import { until } from '../until.ts'
import { happenMsMax, writeElsewhere, writeMany } from './aside.ts'
import { measured, writersWait } from './expectations.ts'
import { ownerOf } from './fleet-stage.ts'
import type { Expectation, Place, Scenario } from './scenario.ts'
import { options, pair } from './stages.ts'

/** Longer than an authority lets its writers wait. */
const awayMs = 8_000

/** An authority with its logs at this address, and an edge. */
const stageAt = (
  address: string,
  redis: StageRedis,
  more: Parameters<typeof options>[0] = {},
): StageSettings => ({
  // The judge wants the whole log: it is not to be trimmed.
  ...pair({
    change: {
      authority: options({ log: address, 'limits.snapshotEveryRecords': 1_000_000, ...more }),
    },
  }),
  redis,
})

/** With one server, which keeps what it has. */
async function withServer({ cleanups }: Place): Promise<StageSettings> {
  const server = await RedisServer.start(ownerOf(cleanups), { isDurable: true })
  return stageAt(server.address, { servers: [server], last: server })
}

/** With a master, a replica that has each write before it is acknowledged, and a sentinel. */
async function withSentinel({ cleanups }: Place): Promise<StageSettings> {
  const end = ownerOf(cleanups)
  const [master, replica] = await RedisServer.startPair(end)
  const sentinel = await RedisServer.startSentinel(end, master)
  const address = `redis+sentinel://127.0.0.1:${sentinel.port}/main`
  const redis = { servers: [master, replica, sentinel], last: replica }
  return stageAt(address, redis, { 'redis.replicas': 1 })
}

/** The server goes away, and comes back; then writes go on. */
async function away(
  { settings, writers }: Stage,
  go: (server: RedisServer) => Promise<void> | void,
  comeBack: (server: RedisServer) => Promise<void> | void,
): Promise<void> {
  const [server] = settings.redis?.servers ?? []
  if (server === undefined) throw new Error('the stage has a Redis')
  await go(server)
  await delay(awayMs)
  const { acknowledged } = await writers.ask('tell')
  await comeBack(server)
  await writers.until('writes go on', one => one.acknowledged > acknowledged, happenMsMax)
}

/** The master dies, its replica takes its place, and the one that died comes back as a replica of that. */
async function failOver({ settings, writers }: Stage): Promise<void> {
  const [master, replica, sentinel] = settings.redis?.servers ?? []
  if (master === undefined || replica === undefined || sentinel === undefined) {
    throw new Error('the stage has a master, a replica and a sentinel')
  }
  await master.kill()
  const { acknowledged } = await writers.ask('tell')
  // It has kept nothing: until everybody is told of the new master it must not be there to be taken for one.
  const isNamed = async (): Promise<boolean> => {
    const [, port] = (await sentinel.client.call(
      'sentinel',
      'get-master-addr-by-name',
      'main',
    )) as [host: string, port: string]
    return Number(port) === replica.port
  }
  await until('the replica is the master', isNamed, happenMsMax)
  await master.restart(['--replicaof', '127.0.0.1', `${replica.port}`])
  await writers.until('writes go on', one => one.acknowledged > acknowledged + 50, happenMsMax)
}

/** The log of a document is gone, as after an eviction: it is missed, and not gone on from as if it were there. */
async function evict(stage: Stage): Promise<void> {
  const { settings, measures } = stage
  const doc = 'a/ledger/aside'
  const lastSeq = await writeMany(stage, doc, 20)
  const token = await stage.audienceToken('open')
  const connection = connect([stage.urlOf('edge-1')], { token, WebSocket })
  const viewer = connection.observe(doc)
  await until('the viewer shows it', () => viewer.seq === lastSeq, happenMsMax)
  const { epoch } = viewer
  const client = settings.redis?.last.client
  const keys = (await client?.keys(`fanfold:{${doc}}:*`)) ?? []
  await client?.del(...keys)
  const missed = await writeElsewhere(stage, doc)
  measures['missed'] = missed.code === 'FANFOLD_LOG_LOST' ? 1 : 0
  const startedAtMs = performance.now()
  const anew = await writeElsewhere(stage, doc)
  measures['epochs'] = (anew.epoch ?? 0) - (epoch ?? 0)
  const shows = (): boolean => viewer.epoch === anew.epoch && viewer.seq === anew.seq
  await until('the viewer shows what is written then', shows, happenMsMax)
  measures['shown'] = performance.now() - startedAtMs
  connection.close()
}

/** Writers are refused in words that they understand, and viewers hear nothing of it. */
const onlyWritersHear = (seen: Seen): Expectation[] => [
  {
    what: 'writes refused as the log does not answer',
    seen: seen.refusals['FANFOLD_LOG_UNREACHABLE'] ?? 0,
    atLeast: 1,
  },
  { what: 'viewers are told that they are stale', seen: seen.stales, atMost: 0 },
]

/** Scenarios of logs in a Redis. */
export const redisScenarios: readonly Scenario[] = [
  {
    name: 'redis-killed',
    does: 'kill -9 of the Redis that has the logs, which is away for 8 s',
    needs: ['redis'],
    seconds: 16,
    stage: withServer,
    run: stage =>
      away(
        stage,
        server => server.kill(),
        server => server.restart(),
      ),
    expects: seen => [writersWait(seen, awayMs + 3_000), ...onlyWritersHear(seen)],
  },
  {
    name: 'redis-paused',
    does: 'SIGSTOP of the Redis that has the logs, for 8 s',
    needs: ['redis'],
    seconds: 16,
    stage: withServer,
    run: stage =>
      away(
        stage,
        server => server.pause(),
        server => server.resume(),
      ),
    expects: seen => [writersWait(seen, awayMs + 3_000), ...onlyWritersHear(seen)],
  },
  {
    name: 'redis-failover',
    does: 'kill -9 of the master of the Redis that has the logs: a sentinel makes its replica the master, and it comes back as a replica of that',
    needs: ['redis'],
    seconds: 20,
    stage: withSentinel,
    run: failOver,
    expects: seen => [
      writersWait(seen, 12_000),
      { what: 'viewers are told that they are stale', seen: seen.stales, atMost: 0 },
    ],
  },
  {
    name: 'redis-log-evicted',
    does: 'all that the Redis has of one document is gone: that is said, and goes on from nothing by a higher epoch',
    needs: ['redis'],
    seconds: 10,
    stage: withServer,
    run: evict,
    expects: seen => [
      measured(seen, 'missed', { what: 'the next write is told what was lost', atLeast: 1 }),
      measured(seen, 'epochs', { what: 'epochs above the one that was lost', atLeast: 1 }),
      measured(seen, 'shown', { what: 'shown to its viewer within, ms', atMost: 5_000 }),
      writersWait(seen, 2_000),
    ],
  },
]
