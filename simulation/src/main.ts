/*
 * The command: campaigns of worlds, or one world alone. Ends with 0 when all was right, 1 when not,
 * 2 when it was asked for what it does not do, 130 when it was interrupted before.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DrawnWorld, parseKnownSeeds } from '@fanfold/simulator'
import { CampaignResult, runTasks, tasksOf } from './campaign.ts'
import { Progress } from './progress.ts'
import { failureLines, progressLine, summaryLines, worldLines } from './report.ts'
import { describeThrown, differenceOf, runOnce } from './run-world.ts'
import { type CampaignSettings, readSettings, type Settings, usage } from './settings.ts'
import { WorldProcess } from './world-process.ts'

function settingsOrUsage(): Settings | undefined {
  try {
    return readSettings(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return undefined
  }
}

function runAlone(world: DrawnWorld): number {
  try {
    const result = runOnce(world)
    const again = differenceOf(result, runOnce(world))
    process.stdout.write(`${worldLines(result, again).join('\n')}\n`)
    return result.problems.length === 0 && again === undefined ? 0 : 1
  } catch (error) {
    process.stdout.write(`PROBLEM ${describeThrown(error)}\nnot all is well\n`)
    return 1
  }
}

async function runCampaign(settings: CampaignSettings): Promise<number> {
  const startedAtMs = performance.now()
  const elapsedMs = (): number => performance.now() - startedAtMs
  const progress = new Progress(process.stdout, startedAtMs)
  const result = new CampaignResult(settings.worlds)
  const runners = Array.from({ length: settings.jobs }, () => new WorldProcess())
  const endMs = (settings.minutes ?? Number.POSITIVE_INFINITY) * 60_000
  let isInterrupted = false
  process.once('SIGINT', () => {
    isInterrupted = true
    for (const runner of runners) runner.close()
  })
  await runTasks(
    tasksOf(settings, knownSeeds()),
    runners,
    () => !isInterrupted && elapsedMs() < endMs,
    outcome => {
      if (isInterrupted) return
      result.add(outcome)
      if (outcome.problems.length > 0) progress.write(failureLines(outcome))
      progress.tell(progressLine(result, elapsedMs()), performance.now())
    },
  )
  for (const runner of runners) runner.close()
  progress.write(summaryLines(result, elapsedMs()))
  if (isInterrupted) progress.write(['interrupted'])
  if (!result.isRight) return 1
  return isInterrupted ? 130 : 0
}

function knownSeeds(): readonly DrawnWorld[] {
  const file = fileURLToPath(import.meta.resolve('@fanfold/simulator/seeds.txt'))
  return parseKnownSeeds(readFileSync(file, 'utf8'))
}

const settings = settingsOrUsage()
if (settings === undefined) process.exitCode = 2
else if (settings.kind === 'one') process.exitCode = runAlone(settings.world)
else process.exitCode = await runCampaign(settings)
