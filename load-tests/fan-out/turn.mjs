import { setTimeout as wait } from 'node:timers/promises'
import { processorSeconds, residentKib } from './processes.mjs'
import { startWatchers } from './watchers.mjs'

/** Deltas a second of the paced phase, which nobody can join. */
const perSecond = 5
/** How many deltas are under way at any time of the saturated phase. */
export const underWay = 4
const warmMs = 2_000
const settleMs = 1_500
/** The longest that the last deltas of a turn may take before they count as missing. */
const lastMs = 10_000

/**
 * One server's turn: starts it, opens its viewers, and says what it did in each of the two phases, what an idle
 * viewer holds of its memory, and how many deliveries were missing or repeated.
 *
 * A server says its `pids`, what its `viewers` are to do, and takes `publish(number)` and `stop()`.
 */
export async function measureTurn(start, { count, seconds }) {
  const server = await start(count)
  const watchers = startWatchers()
  let pacer
  try {
    const emptyKib = residentKib(server.pids)
    await watchers.ask('open', { count, ...server.viewers })
    await wait(settleMs)
    const idleKib = (residentKib(server.pids) - emptyKib) / count
    let number = 0
    const during = async isSaturated => {
      await watchers.ask('begin', { isSaturated })
      const before = processorSeconds(server.pids)
      await wait(seconds * 1_000)
      const tookSeconds = processorSeconds(server.pids) - before
      const { deliveries, ...rest } = await watchers.ask('end')
      return {
        ...rest,
        perProcessorSecond: deliveries / tookSeconds,
        perSecond: deliveries / seconds,
      }
    }
    pacer = setInterval(() => server.publish(++number), 1_000 / perSecond)
    await wait(warmMs)
    const paced = await during(false)
    clearInterval(pacer)
    await wait(settleMs)
    watchers.onDone = () => server.publish(++number)
    for (let index = 0; index < underWay; index++) server.publish(++number)
    await wait(warmMs)
    const saturated = await during(true)
    watchers.onDone = () => undefined
    const faults = await watchers.ask('settle', { number, withinMs: lastMs })
    return { paced, saturated, idleKib, ...faults }
  } finally {
    clearInterval(pacer)
    watchers.stop()
    await server.stop()
  }
}
