/*
 * Many small worlds in which nodes and viewers join late, come back, lag, and get damaged or lost what
 * they are sent. Each must be right, and together they must have gone every way there is.
 *
 * With a seed as its argument this program runs that world alone.
 */
import { sha256 } from '@fanfold/conformance'
import t from 'tap'
import { drawCatchUpOptions } from '../src/drawn-options.ts'
import { type SimulationResult, simulate } from '../src/index.ts'
import { Tally } from '../src/tally.ts'

t.setTimeout(240_000)

/** The first ones, and those of many more in which a parent got no credit any more from an edge. */
const seeds = [...Array.from({ length: 58 }, (_, index) => index), 428, 1057].map(
  number => `catch-up ${number}`,
)

/** What must have happened at least once in all worlds together. */
const sometimes = [
  'caught-up tail',
  'caught-up snapshot',
  'caught-up snapshot-elsewhere',
  'caught-up replay',
  'pieces asked for again',
  'join refused FANFOLD_NO_TAIL',
  'resume at one before the end of a ring, by tail',
  'resume at the end of a ring, by tail',
  'resume at one after the end of a ring, by snapshot',
  'lag caught up by delta',
  'lag caught up by snapshot',
  'paced delta over several',
  'views in pieces',
  'warm-read found',
  'proxy ended',
  'proxy drained',
  'signal hand-over',
  'signal head',
  'signal presence',
  'want-parents 2',
  'worker-encoded',
  'worker-viewed',
  'worker-failed',
  'frames damaged',
  'pieces lost',
] as const

function run(seed: string): SimulationResult {
  const result = simulate({ seed, sha256, ...drawCatchUpOptions(seed) })
  const command = `node packages/simulator/dist/test/catch-up.test.js '${seed}'`
  t.same(result.problems, [], `no problems: ${command}`)
  return result
}

const [, , only] = process.argv
if (only !== undefined) {
  const { recent, counts, tally } = run(only)
  t.comment(JSON.stringify({ counts, tally, recent }, undefined, 1))
} else {
  t.test('whoever catches up, and whatever is in the way, ends where the log is', async t => {
    const total = new Tally()
    for (const seed of seeds) {
      const { tally, counts } = run(seed)
      for (const [name, count] of tally) total.add(name, count)
      total.add('views in pieces', counts.viewsInPieces)
      total.add('frames damaged', counts.damaged)
      total.add('pieces lost', counts.lost)
    }
    for (const name of sometimes) t.ok(total.count(name) > 0, name)
  })
}
