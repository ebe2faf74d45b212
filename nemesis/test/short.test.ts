import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCycles } from '../src/cycles.ts'
import { whyNot } from '../src/needs.ts'
import { Cleanups } from '../src/processes/cleanups.ts'
import { runScenario } from '../src/run-scenario.ts'
import { shortChatScenario } from '../src/scenarios/chats.ts'
import { shortFleetScenario } from '../src/scenarios/fleet-short.ts'
import { shortScenario } from '../src/scenarios/short.ts'

t.setTimeout(400_000)
const seed = process.env['FANFOLD_NEMESIS_SEED'] ?? 'short'

for (const scenario of [shortScenario, shortFleetScenario]) {
  const reason = whyNot(scenario.needs)
  await t.test(
    `nothing is lost, doubled or shown wrong in ${scenario.name}, seed ${seed}`,
    { skip: reason ?? false },
    async t => {
      const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
      const outcome = await runScenario(scenario, { seed, sizes: { minutes: 1 }, directory })
      t.same(outcome.problems, [], `load ${outcome.load}, files in ${directory}`)
      const { writes, views } = outcome.verdict ?? {}
      t.ok((writes?.acknowledged ?? 0) > 500, `${writes?.acknowledged} writes are acknowledged`)
      t.ok((views?.deltas ?? 0) > 1_000, `${views?.deltas} changes are shown`)
      if (outcome.problems.length === 0) rmSync(directory, { recursive: true, force: true })
    },
  )
}

const chatReason = whyNot(shortChatScenario.needs)
await t.test(
  `what a crowd says counts once in ${shortChatScenario.name}, seed ${seed}`,
  { skip: chatReason ?? false },
  async t => {
    const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
    const options = { seed, sizes: { minutes: 1 }, directory }
    const { problems, load, seen } = await runScenario(shortChatScenario, options)
    t.same(problems, [], `load ${load}, files in ${directory}`)
    const { counted = 0, 'edges killed': edges = 0 } = seen?.measures ?? {}
    t.ok(counted > 5_000, `${counted} are told to be counted`)
    t.equal(edges, 1)
    if (problems.length === 0) rmSync(directory, { recursive: true, force: true })
  },
)

await t.test(`acknowledged writes outlast deaths of all nodes, seed ${seed}`, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
  const cleanups = new Cleanups()
  t.teardown(() => cleanups.run())
  const options = { cycles: 2, writesPerCycle: 500, seed, directory, cleanups }
  const { verdict, cycles } = await runCycles({ ...options, onCycle: () => undefined })
  t.same([...verdict.writes.problems, ...verdict.views.problems, ...verdict.logProblems], [])
  t.ok(verdict.isRight)
  t.ok(verdict.writes.acknowledged >= 1_000, `${verdict.writes.acknowledged} are acknowledged`)
  t.equal(cycles.length, 2)
  rmSync(directory, { recursive: true, force: true })
})
