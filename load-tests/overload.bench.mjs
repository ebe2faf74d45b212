// Twice the load that an edge can carry. First one delta is under way at a time, which nobody can join: so many a second
// it carries. Then deltas come twice as often, whether the last one has arrived or not, for two stretches of time: what
// waits must not grow from one to the other, so deltas leave together, and more arrive in a second than before.
//
// Authority and edge share a core, the viewers have the other. Needs Linux and two cores.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { residentKib } from './fan-out/processes.mjs'
import { startFanfold } from './fan-out/servers.mjs'
import { startWatchers } from './fan-out/watchers.mjs'
import { report } from './report.mjs'

const count = Number(process.env.VIEWERS ?? 2_000)
const rounds = Number(process.env.ROUNDS ?? 3)
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 5)
const warmMs = 2_000
/** The longest that a cohort rests before it is written to again, ms. */
const flushMs = 5
const stepMs = 1
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-overload-'))

async function measureRound() {
  const server = await startFanfold(directory, { native: false, watchesLoop: true })
  const watchers = startWatchers()
  let number = 0
  let done = 0
  let timer
  try {
    await watchers.ask('open', { count, ...server.viewers })
    watchers.onDone = which => {
      done = which
      server.publish(++number)
    }
    server.publish(++number)
    const stretch = async () => {
      await server.loop()
      await watchers.ask('begin', { isSaturated: true })
      const from = done
      await wait(seconds * 1_000)
      const { deliveries, p99Ms } = await watchers.ask('end')
      const { maxMs } = await server.loop()
      const carried = (done - from) / seconds
      const kib = residentKib(server.pids)
      return { carried, deliveries, p99Ms, maxMs, waiting: number - done, kib }
    }
    await wait(warmMs)
    const alone = await stretch()
    watchers.onDone = which => {
      done = which
    }
    const perMs = (2 * alone.carried) / 1_000
    let [owed, atMs] = [0, performance.now()]
    timer = setInterval(() => {
      const nowMs = performance.now()
      for (owed += (nowMs - atMs) * perMs; owed >= 1; owed--) server.publish(++number)
      atMs = nowMs
    }, stepMs)
    await wait(warmMs)
    const stretches = [await stretch(), await stretch()]
    clearInterval(timer)
    const { missing, repeated } = await watchers.ask('settle', { number, withinMs: 10_000 })
    if (missing + repeated > 0) throw new Error(`${missing} missing, ${repeated} repeated`)
    return { alone, stretches }
  } finally {
    clearInterval(timer)
    watchers.stop()
    await server.stop()
  }
}

try {
  const played = []
  for (let round = 0; round < rounds; round++) played.push(await measureRound())
  const say = (what, unit, figure, held = {}) => {
    report({ bench: `overload: ${what}`, unit, values: played.map(figure), ...held })
  }
  const sweepMs = ({ alone }) => 1_000 / alone.carried
  say('deltas to all viewers, one at a time', 'deltas/s', ({ alone }) => alone.carried)
  say('one at a time, p99', 'ms', ({ alone }) => alone.p99Ms)
  for (const [index, name] of ['first stretch', 'second stretch'].entries()) {
    const at = ({ stretches }) => stretches[index]
    say(`twice as often, ${name}, deltas to all viewers`, 'deltas/s', round => at(round).carried)
    say(`twice as often, ${name}, p99`, 'ms', round => at(round).p99Ms)
    say(`twice as often, ${name}, deltas that wait`, 'deltas', round => at(round).waiting)
    say(`twice as often, ${name}, longest turn of the edge`, 'ms', round => at(round).maxMs)
  }
  say(
    'twice as often, p99 to the flush interval and one sweep',
    'times',
    round => round.stretches[1].p99Ms / (flushMs + sweepMs(round)),
    { ceiling: 1 },
  )
  say(
    'twice as often, deliveries to one at a time',
    'times',
    ({ alone, stretches }) => stretches[1].deliveries / alone.deliveries,
  )
  say(
    'twice as often, memory, second stretch to first',
    'times',
    ({ stretches }) => stretches[1].kib / stretches[0].kib,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
