/* Disks that are full, slow and fail, and deaths around a write. */
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { mountSmallDisk } from '../faults/small-disk.ts'
import { runCommand } from '../processes/run-command.ts'
import type { Stage } from '../stage.ts'
import { within } from '../until.ts'
import { allServed, startCrowd } from './crowd.ts'
import { viewersWait, writersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { pair } from './stages.ts'

/** strace, which puts something into system calls; the node has one thread that makes them. */
const traced = (call: string, inject: string): readonly string[] => [
  ...['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`],
  ...['-e', `inject=${call}:${inject}`],
]
const oneThread = { UV_THREADPOOL_SIZE: '1' }
const underStrace = (call: string, inject: string) => ({
  authority: { wrapper: traced(call, inject), environment: oneThread },
})

/** Longest time until something that must happen happens, ms. */
const happenMsMax = 30_000
const deaths = 3

/**
 * The authority is started again under strace, by which it ends, so many times. It begins without: who
 * watches has to be there before it dies.
 */
async function diesUnderStrace(
  stage: Stage,
  call: string,
  injectAt: (n: number) => string,
): Promise<void> {
  const { fleet, prng } = stage
  const startAgain = async (wrapper: readonly string[]): Promise<void> => {
    await fleet.restart('authority', { wrapper, environment: oneThread })
    const { acknowledged } = await stage.writers.ask('tell')
    await stage.writers.until('writes go on', one => one.acknowledged > acknowledged, happenMsMax)
  }
  await fleet.node('authority').kill()
  for (let death = 1; death <= deaths; death++) {
    await startAgain(traced(call, injectAt(60 + prng.below(150))))
    const { exited } = fleet.node('authority')
    await within('the authority dies', exited, happenMsMax)
    stage.measures['deaths'] = death
  }
  await startAgain([])
}

const diedAndCame = (deathsSeen: number | undefined, ackGapMs: number) => [
  { what: 'deaths', seen: deathsSeen ?? 0, atLeast: deaths, atMost: deaths },
  { what: 'writers wait no longer, ms', seen: ackGapMs, atMost: 5_000 },
]

/** Scenarios of disks. */
export const diskScenarios: readonly Scenario[] = [
  {
    name: 'killed-before-append',
    does: 'the authority dies when it is about to write to a log, three times',
    needs: ['strace'],
    seconds: 16,
    stage: () => pair(),
    run: stage => diesUnderStrace(stage, 'pwrite64', n => `signal=SIGKILL:when=${n}`),
    expects: seen => diedAndCame(seen.measures['deaths'], seen.ackGapMs),
  },
  {
    name: 'killed-before-sync',
    does: 'the authority dies when it has written and is about to sync, three times',
    needs: ['strace'],
    seconds: 16,
    stage: () => pair(),
    run: stage => diesUnderStrace(stage, 'fdatasync', n => `signal=SIGKILL:when=${n}`),
    expects: seen => diedAndCame(seen.measures['deaths'], seen.ackGapMs),
  },
  {
    name: 'killed-after-sync',
    does: 'the authority dies when it has synced and nobody was answered yet, three times',
    needs: ['strace'],
    seconds: 20,
    stage: () => pair({ change: underStrace('fdatasync', 'delay_exit=400000:when=40+') }),
    run: async stage => {
      const { fleet, writers, prng } = stage
      for (let death = 1; death <= deaths; death++) {
        // Nearly all of the time it is in a sync that is over and has not returned.
        await delay(1_000 + prng.below(400))
        await fleet.node('authority').kill()
        const wrapper = death === deaths ? [] : traced('fdatasync', 'delay_exit=400000:when=40+')
        await fleet.restart('authority', { wrapper })
        const { acknowledged } = await writers.ask('tell')
        await writers.until('writes go on', one => one.acknowledged > acknowledged, happenMsMax)
        stage.measures['deaths'] = death
      }
    },
    expects: seen => diedAndCame(seen.measures['deaths'], seen.ackGapMs),
  },
  {
    name: 'killed-after-answer',
    does: 'the authority dies when somebody was just answered, three times',
    needs: [],
    seconds: 16,
    stage: () => pair(),
    run: async stage => {
      const { fleet, writers } = stage
      for (let death = 1; death <= deaths; death++) {
        const { acknowledged } = await writers.ask('tell')
        const goal = acknowledged + 100
        await writers.until('writes go on', one => one.acknowledged >= goal, happenMsMax)
        await fleet.node('authority').kill()
        await fleet.restart('authority')
        stage.measures['deaths'] = death
      }
    },
    expects: seen => diedAndCame(seen.measures['deaths'], seen.ackGapMs),
  },
  {
    name: 'disk-full',
    does: 'the disk of the authority has no room for 3 s: writes are refused, and nothing else',
    needs: ['mount'],
    seconds: 12,
    stage: ({ directory, cleanups }) => {
      const data = join(directory, 'disk')
      mountSmallDisk(data, 8 * 1_048_576, cleanups)
      return pair({ change: { authority: { data } } })
    },
    schedule: () => [{ atMs: 500, fault: 'fill-disk', args: { node: 'authority', ms: 3_000 } }],
    expects: seen => [
      {
        what: 'writes are refused as the log is full',
        seen: seen.refusals['FANFOLD_LOG_FULL'] ?? 0,
        atLeast: 10,
      },
      { what: 'they go on soon after, ms', seen: seen.ackGapMs, atLeast: 2_000, atMost: 4_500 },
      { what: 'viewers are told of no trouble', seen: seen.stales, atMost: 0 },
    ],
  },
  {
    name: 'short-write',
    does: 'the files of the authority end at 200 kB, in the middle of a write, until it is started again',
    needs: ['prlimit'],
    seconds: 16,
    stage: () => pair({ change: { authority: { wrapper: ['prlimit', '--fsize=200000'] } } }),
    run: async stage => {
      await stage.writers.until('writes are refused', ({ refused }) => refused > 10, happenMsMax)
      await delay(500)
      await stage.fleet.node('authority').stop()
      await stage.fleet.restart('authority', { wrapper: [] })
    },
    expects: seen => [
      {
        what: 'writes are refused as the log is full',
        seen: seen.refusals['FANFOLD_LOG_FULL'] ?? 0,
        atLeast: 10,
      },
      { what: 'and go on after the restart, ms', seen: seen.ackGapMs, atMost: 6_000 },
    ],
  },
  {
    name: 'sync-fails',
    does: 'a sync of the log fails: the authority ends by itself, and what was not answered is unknown',
    needs: ['strace'],
    seconds: 13,
    stage: () => pair({ change: underStrace('fdatasync', 'error=EIO:when=80+') }),
    run: async stage => {
      const { fleet, measures } = stage
      const { code } = await within('it ends', fleet.node('authority').exited, happenMsMax)
      measures['exit code'] = code ?? -1
      await fleet.restart('authority', { wrapper: [] })
      await delay(1_000)
    },
    expects: seen => [
      {
        what: 'it ends with a code that says so',
        seen: seen.measures['exit code'] ?? -1,
        atLeast: 1,
        atMost: 127,
      },
      writersWait(seen, 5_000),
    ],
  },
  {
    name: 'slow-disk',
    does: 'each sync takes 200 ms longer: answers are late, and many writes share one',
    needs: ['strace'],
    seconds: 14,
    stage: () =>
      pair({ change: underStrace('fdatasync', 'delay_exit=200000:when=20+'), perSecond: 200 }),
    run: () => delay(5_000),
    expects: seen => [
      { what: 'acknowledged all the same', seen: seen.acknowledged, atLeast: 1_500 },
      writersWait(seen, 1_000),
      viewersWait(seen, 1_500),
    ],
  },
  {
    name: 'no-descriptors',
    does: 'an edge has no file descriptor left for 3 s: it goes on serving those it has',
    needs: ['prlimit'],
    seconds: 13,
    stage: () => pair(),
    run: async stage => {
      const { port, pid } = stage.fleet.node('edge-1')
      const open = readdirSync(`/proc/${pid}/fd`).length
      runCommand('prlimit', '--pid', String(pid), `--nofile=${open + 10}`)
      const sockets = Array.from({ length: 150 }, () => connect({ port, host: '127.0.0.1' }))
      for (const socket of sockets) socket.on('error', () => undefined)
      await delay(3_000)
      for (const socket of sockets) socket.destroy()
      const startedAtMs = performance.now()
      const late = { edges: ['edge-1'], count: 3, rampMs: 0, stalledShare: 0 }
      await allServed(await startCrowd(stage, late))
      stage.measures['until it takes new ones'] = performance.now() - startedAtMs
    },
    expects: seen => [
      viewersWait(seen, 1_000),
      {
        what: 'afterwards it takes new ones within, ms',
        seen: seen.measures['until it takes new ones'] ?? -1,
        atLeast: 0,
        atMost: 2_000,
      },
    ],
  },
]
