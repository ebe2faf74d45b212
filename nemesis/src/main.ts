/*
 * The command: scenarios with real processes, or many deaths in a row. Ends with 0 when all was right, 1
 * when not, 2 when it was asked for what it does not do.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCycles } from './cycles.ts'
import { whyNot } from './needs.ts'
import { Cleanups } from './processes/cleanups.ts'
import { cyclesLines, outcomeLines, type Report, reportMarkdown, type Skipped } from './report.ts'
import { type Outcome, runScenario } from './run-scenario.ts'
import { allScenarios } from './scenarios/all-scenarios.ts'
import { readSettings, type Settings, usage } from './settings.ts'

const say = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n`)
}

function settingsOrUsage(): Settings | undefined {
  try {
    return readSettings(
      process.argv.slice(2),
      allScenarios.map(({ name }) => name),
    )
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return undefined
  }
}

function list(): number {
  for (const { name, does, needs, seconds } of allScenarios) {
    const why = whyNot(needs)
    say([`${name.padEnd(24)} ${String(seconds).padStart(3)} s  ${does}`])
    if (why !== undefined) say([`${' '.repeat(31)}not here: ${why}`])
  }
  return 0
}

async function runScenarios(names: readonly string[], settings: Settings): Promise<number> {
  const { seed, sizes } = settings
  const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
  say([`histories and logs are in ${directory}`])
  const outcomes: Outcome[] = []
  const skipped: Skipped[] = []
  for (const scenario of allScenarios.filter(({ name }) => names.includes(name))) {
    const { name, needs } = scenario
    const why = whyNot(needs)
    if (why !== undefined) {
      skipped.push({ name, why })
      say([`skip ${name}: ${why}`])
      continue
    }
    const place = join(directory, name)
    const outcome = await runScenario(scenario, { seed, sizes, directory: place })
    outcomes.push(outcome)
    say(outcomeLines(outcome))
  }
  writeReport(settings, { command: commandLine(), outcomes, skipped })
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length
  say([`${outcomes.length} scenarios, ${failed} failed, ${skipped.length} not run`])
  return failed === 0 && outcomes.length > 0 ? 0 : 1
}

const commandLine = (): string => `npm run nemesis -- ${process.argv.slice(2).join(' ')}`

function writeReport({ report }: Settings, content: Report): void {
  if (report === undefined) return
  const isJson = report.endsWith('.json')
  writeFileSync(report, isJson ? JSON.stringify(content, null, 1) : reportMarkdown(content))
}

async function cycle(settings: Settings & { readonly kind: 'cycles' }): Promise<number> {
  const { cycles, writesPerCycle, seed, report } = settings
  const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
  say([`histories and logs are in ${directory}`])
  const cleanups = new Cleanups()
  const startedAtMs = performance.now()
  const elapsedSeconds = (): number => (performance.now() - startedAtMs) / 1_000
  try {
    const result = await runCycles({
      cycles,
      writesPerCycle,
      seed,
      directory,
      cleanups,
      onCycle: ({ cycle, kind, acknowledged, awayMs }) => {
        const words = `${kind}, away for ${Math.round(awayMs)} ms, ${acknowledged} acknowledged`
        say([`${elapsedSeconds().toFixed(0).padStart(5)} s  cycle ${cycle}: ${words}`])
      },
    })
    const lines = cyclesLines(result, elapsedSeconds())
    say(lines)
    if (report !== undefined) writeFileSync(report, `${commandLine()}\n${lines.join('\n')}\n`)
    if (result.verdict.isRight) rmSync(join(directory, 'fleet'), { recursive: true, force: true })
    return result.verdict.isRight ? 0 : 1
  } finally {
    cleanups.run()
  }
}

const settings = settingsOrUsage()
if (settings === undefined) process.exitCode = 2
else if (settings.kind === 'list') process.exitCode = list()
else if (settings.kind === 'cycles') process.exitCode = await cycle(settings)
else process.exitCode = await runScenarios(settings.names, settings)
