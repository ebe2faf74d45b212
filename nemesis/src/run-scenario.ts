/*
 * One scenario from beginning to end: a stage, its faults, the judgement, and what was expected.
 */
import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '@fanfold/kernel'
import { applySchedule } from './faults/apply-schedule.ts'
import type { Schedule } from './faults/schedule.ts'
import type { RunVerdict } from './judge-run.ts'
import { MachineLoad } from './machine-load.ts'
import { Cleanups } from './processes/cleanups.ts'
import { type Expectation, isMet, type Scenario } from './scenarios/scenario.ts'
import { type Seen, seenOf } from './seen.ts'
import type { Sizes } from './sizes.ts'
import { Stage } from './stage.ts'

/** What came of a scenario. */
export type Outcome = {
  readonly name: string
  readonly does: string
  readonly seed: string
  readonly directory: string
  readonly seconds: number
  /** Threads that wanted to run for each processor, on average. */
  readonly load: number
  readonly schedule: Schedule
  readonly expectations: readonly Expectation[]
  readonly verdict: RunVerdict | undefined
  readonly seen: Seen | undefined
  /** What is wrong, in words; empty when all is right. */
  readonly problems: readonly string[]
}

/** How a scenario is run. */
export type RunOptions = {
  readonly seed: string
  /** For scenarios that are as long and as large as they are told. */
  readonly sizes: Sizes
  /** Where everything of it goes; it is made. */
  readonly directory: string
}

/** Under load before the first fault and after the last, ms. */
const steadyMs = 1_000
const convergeMsMaxDefault = 5_000

/** Runs it; whatever is wrong is said in the outcome. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Outcome> {
  const { seed, directory, sizes } = options
  const { name, does } = scenario
  const startedAtMs = performance.now()
  const prng = new Prng(`${seed}/${name}`)
  const schedule = scenario.schedule?.(prng.fork('schedule'), sizes) ?? []
  const cleanups = new Cleanups()
  const machine = new MachineLoad()
  const base = { name, does, seed, directory, schedule }
  const problems: string[] = []
  let result: { readonly verdict: RunVerdict; readonly seen: Seen } | undefined
  try {
    mkdirSync(directory, { recursive: true })
    const stageSeed = `${seed}/${name}/stage`
    result = await play(scenario, { schedule, directory, seed: stageSeed, sizes, cleanups })
  } catch (error) {
    problems.push(describe(error))
  } finally {
    cleanups.run()
  }
  const seconds = (performance.now() - startedAtMs) / 1_000
  const load = machine.stop()
  if (result === undefined) {
    const nothing = { expectations: [], verdict: undefined, seen: undefined }
    return { ...base, seconds, load, problems, ...nothing }
  }
  const { verdict, seen } = result
  problems.push(...verdict.writes.problems, ...verdict.views.problems, ...verdict.logProblems)
  const expectations = [
    { what: 'viewers show the last write, ms', seen: seen.convergedMs, atMost: limitOf(scenario) },
    ...scenario.expects(seen, load),
  ]
  for (const expectation of expectations) {
    if (!isMet(expectation, load))
      problems.push(`${expectation.what}: ${Math.round(expectation.seen)}`)
  }
  return { ...base, seconds, load, expectations, verdict, seen, problems }
}

const limitOf = ({ convergeMsMax = convergeMsMaxDefault }: Scenario): number => convergeMsMax

async function play(
  scenario: Scenario,
  options: {
    readonly schedule: Schedule
    readonly directory: string
    readonly seed: string
    readonly sizes: Sizes
    readonly cleanups: Cleanups
  },
): Promise<{ readonly verdict: RunVerdict; readonly seen: Seen }> {
  const { schedule, directory, seed, sizes, cleanups } = options
  const settings = await scenario.stage({ directory, cleanups, sizes })
  const stage = new Stage({ settings, directory, seed, sizes, cleanups })
  await stage.open()
  const startedAtMs = Date.now()
  await delay(steadyMs)
  await applySchedule(stage, schedule)
  await scenario.run?.(stage)
  await delay(steadyMs)
  const pausedAtMs = Date.now()
  await stage.quiet()
  // Who never gets there must not keep the histories from being judged.
  const convergedMs = await stage
    .converge(3 * limitOf(scenario))
    .catch(error => neverConverged(stage, error))
  const { measures, phases, deaths } = stage
  const verdict = await stage.close()
  const times = { startedAtMs, pausedAtMs }
  const happened = { times, verdict, convergedMs, measures, phases, deaths }
  const seen = await seenOf(stage.files, happened)
  return { verdict, seen }
}

function neverConverged(stage: Stage, error: unknown): number {
  stage.write('not-converged.json', describe(error))
  return Number.MAX_SAFE_INTEGER
}

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `: ${describe(error.cause)}`
  return `${error.message}${cause}`
}
