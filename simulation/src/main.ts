/*
 * The command: campaigns of worlds, or one world alone. Ends with 0 when all was right, 1 when not,
 * 2 when it was asked for what it does not do, 130 when it was interrupted before.
 */
import { problemKind } from '@fanfold/simulator'
import { runTasks, tasksOf } from './campaign.ts'
import { CampaignResult, failureOf } from './campaign-result.ts'
import { machineFacts } from './machine-facts.ts'
import { drawWorld } from './picture/draw-world.ts'
import { Progress } from './progress.ts'
import { readRegressions, writeRegression } from './regressions.ts'
import { failureLines, progressLine, shrunkLines, summaryLines, worldLines } from './report.ts'
import { sumResultFiles, writeResultFile } from './result-file.ts'
import { describeThrown, differenceOf, runOnce, runTask } from './run-world.ts'
import {
  type CampaignSettings,
  type PictureSettings,
  readSettings,
  type Settings,
  type ShrinkSettings,
  usage,
} from './settings.ts'
import { type Shrunk, shrinkWorld } from './shrink-world.ts'
import type { NamedWorld } from './world-kinds.ts'
import { WorldProcess } from './world-process.ts'

/** Failures of different kinds that a campaign makes smaller at its end, and how long each at most. */
const shrunkMax = 3
const shrinkMsMax = 60_000
/** A world that is being made smaller and takes longer counts as another one. */
const shrinkWorldMaxMs = 30_000

function settingsOrUsage(): Settings | undefined {
  try {
    return readSettings(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return undefined
  }
}

const say = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function runAlone(
  world: NamedWorld,
  { picture, ...window }: PictureSettings,
): Promise<number> {
  try {
    const result = await runOnce(world)
    const again = differenceOf(result, await runOnce(world))
    say(worldLines(result, again, machineFacts()))
    if (picture !== undefined) await drawWorld(world, result, { picture, ...window })
    return result.problems.length === 0 && again === undefined ? 0 : 1
  } catch (error) {
    say([`PROBLEM ${describeThrown(error)}`, 'not all is well'])
    return 1
  }
}

/** Processes for worlds, closed when the command is told to end. */
function openRunners(jobs: number, worldMaxMs?: number) {
  const runners = Array.from({ length: jobs }, () => new WorldProcess({ worldMaxMs }))
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
    for (const runner of runners) runner.close()
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  return {
    runners,
    isInterrupted: () => isInterrupted,
    close: () => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      for (const runner of runners) runner.close()
    },
  }
}

async function runCampaign(settings: CampaignSettings): Promise<number> {
  const startedAtMs = performance.now()
  const elapsedMs = (): number => performance.now() - startedAtMs
  const facts = machineFacts()
  const progress = new Progress(process.stdout, startedAtMs)
  const result = new CampaignResult()
  const { runners, isInterrupted, close } = openRunners(settings.jobs)
  const endMs = (settings.minutes ?? Number.POSITIVE_INFINITY) * 60_000
  await runTasks(
    tasksOf(settings, settings.nodes === undefined ? readRegressions() : []),
    runners,
    () => !isInterrupted() && elapsedMs() < endMs,
    outcome => {
      if (isInterrupted()) return
      result.add(outcome)
      if (outcome.problems.length > 0) progress.write(failureLines(failureOf(outcome), facts))
      progress.tell(progressLine(result, elapsedMs()), performance.now())
    },
  )
  close()
  const tookMs = elapsedMs()
  if (settings.result !== undefined) {
    writeResultFile(settings.result, result.figures(tookMs / 1_000, facts))
  }
  if (settings.isShrinking && !isInterrupted()) await shrinkFailures(result, settings, progress)
  progress.write(summaryLines(result, tookMs, [facts]))
  if (isInterrupted()) progress.write(['interrupted'])
  if (!result.isRight) return 1
  return isInterrupted() ? 130 : 0
}

/** The first failures of each kind, smaller. */
async function shrinkFailures(
  { failures }: CampaignResult,
  { jobs }: CampaignSettings,
  progress: Progress,
): Promise<void> {
  const shrunk = new Set<string>()
  for (const { world, options, problems } of failures) {
    const [kind] = problems.map(problemKind)
    if (kind === undefined || options === undefined || shrunk.has(kind)) continue
    if (shrunk.size === shrunkMax) return
    shrunk.add(kind)
    progress.write(
      shrunkLines(await shrinkNow({ world, options, problems }, jobs, shrinkMsMax, progress)),
    )
  }
}

async function shrinkNow(
  failed: {
    readonly world: NamedWorld
    readonly options: unknown
    readonly problems: readonly string[]
  },
  jobs: number,
  msMax: number,
  progress: Progress,
): Promise<Shrunk> {
  const startedAtMs = performance.now()
  const { runners, isInterrupted, close } = openRunners(jobs, shrinkWorldMaxMs)
  const shrunk = await shrinkWorld({
    ...failed,
    runners,
    mayGoOn: () => !isInterrupted() && performance.now() - startedAtMs < msMax,
    tell: (runs, best) => {
      const size = JSON.stringify(best).length
      progress.tell(
        `shrinking '${failed.world.seed}': ${runs} runs, ${size} bytes`,
        performance.now(),
      )
    },
  })
  close()
  return shrunk
}

async function runShrink(
  world: NamedWorld,
  { keep, minutes, jobs, picture, ...window }: ShrinkSettings,
): Promise<number> {
  const { problems, options } = await runTask({ ...world, isTwice: false })
  const [found] = problems
  if (found === undefined) {
    say(['it does not fail: there is nothing to make smaller'])
    return 1
  }
  const progress = new Progress(process.stdout, performance.now())
  const shrunk = await shrinkNow({ world, options, problems }, jobs, minutes * 60_000, progress)
  progress.write(shrunkLines(shrunk))
  if (keep !== undefined) {
    const { seed, options } = shrunk.world
    const file = writeRegression({ name: keep, world: world.world, seed, found, options })
    progress.write([`kept in ${file}`])
  }
  if (picture !== undefined) {
    await drawWorld(shrunk.world, await runOnce(shrunk.world), { picture, ...window })
  }
  return 0
}

function sumResults(files: readonly string[], into: string | undefined): number {
  let sum: ReturnType<typeof sumResultFiles>
  try {
    sum = sumResultFiles(files)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
  const { result, seconds } = sum
  const figures = result.figures(seconds)
  if (into !== undefined) writeResultFile(into, figures)
  say(summaryLines(result, seconds * 1_000, figures.machines))
  return result.isRight ? 0 : 1
}

function run(settings: Settings): number | Promise<number> {
  switch (settings.kind) {
    case 'one':
      return runAlone(settings.world, settings)
    case 'shrink':
      return runShrink(settings.world, settings)
    case 'sum':
      return sumResults(settings.files, settings.result)
    case 'campaign':
      return runCampaign(settings)
  }
}

const settings = settingsOrUsage()
process.exitCode = settings === undefined ? 2 : await run(settings)
