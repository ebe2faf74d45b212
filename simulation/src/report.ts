/* What is said of worlds, in lines. */
import { type SimulationResult, sometimesSeedsMin } from '@fanfold/simulator'
import type { CampaignResult } from './campaign.ts'
import { repeatCommand } from './repeat-command.ts'
import type { Outcome } from './run-world.ts'

/** Problems of a world that a campaign prints; all are printed when it is run alone. */
const problemsMax = 5

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')

/** How far a campaign is, in one line. */
export function progressLine(result: CampaignResult, elapsedMs: number): string {
  const { seeds, events, virtualMs, failed } = result
  const rate = (events * 1_000) / Math.max(1, elapsedMs)
  return [
    `${grouped(seeds)} seeds`,
    `${grouped(events)} events`,
    `${grouped(rate)} events/s`,
    `${(virtualMs / 3_600_000).toFixed(2)} virtual hours`,
    `${grouped(failed)} failed`,
  ].join(', ')
}

/** What was wrong with a world, and how to run it again. */
export function failureLines({ task, problems }: Outcome): string[] {
  const shown = problems.slice(0, problemsMax).map(problem => `  ${problem}`)
  const rest = problems.length - shown.length
  return [
    `FAILED ${task.world} '${task.seed}'`,
    ...shown,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
    `  ${repeatCommand(task)}`,
  ]
}

/** All of a campaign that has ended. */
export function summaryLines(result: CampaignResult, elapsedMs: number): string[] {
  const seconds = (elapsedMs / 1_000).toFixed(1)
  const missing = result.missing()
  const unlisted = result.failed - result.failures.length
  return [
    ...coverageLines(result),
    '',
    `${progressLine(result, elapsedMs)}; ${result.twice} ran twice; ${seconds} s`,
    ...missing.map(([world, name]) => `NEVER in worlds '${world}': ${name}`),
    ...result.failures.map(({ task }) => `FAILED: ${repeatCommand(task)}`),
    ...(unlisted > 0 ? [`FAILED: ${unlisted} more`] : []),
    result.isRight ? 'all is well' : 'not all is well',
  ]
}

function coverageLines({ coverage }: CampaignResult): string[] {
  return [...coverage].flatMap(([world, one]) => {
    if (one.seeds === 0) return []
    const held = one.seeds < sometimesSeedsMin ? `, from ${sometimesSeedsMin} seeds on` : ''
    return [
      '',
      `worlds '${world}', ${grouped(one.seeds)} seeds (* must happen in some${held}):`,
      `${'seeds'.padStart(8)} ${'times'.padStart(12)}`,
      ...one.rows().map(({ name, seeds, count, isExpected }) => {
        const numbers = `${grouped(seeds).padStart(8)} ${grouped(count).padStart(12)}`
        return `${numbers} ${isExpected ? '*' : ' '} ${name}`
      }),
    ]
  })
}

/** All of one world that was run alone. */
export function worldLines(result: SimulationResult, again: string | undefined): string[] {
  const { seed, options, events, virtualMs, traceHash, recent, counts, tally } = result
  const problems = again === undefined ? result.problems : [...result.problems, again]
  return [
    `options ${JSON.stringify(options)}`,
    '',
    `the last ${recent.length} events:`,
    ...recent.map(line => `  ${line}`),
    '',
    ...[...Object.entries(counts), ...tally].map(
      ([name, count]) => `${grouped(count).padStart(12)}   ${name}`,
    ),
    '',
    `'${seed}': ${grouped(events)} events, ${grouped(virtualMs)} virtual ms, trace ${traceHash}`,
    ...problems.map(problem => `PROBLEM ${problem}`),
    problems.length === 0 ? 'all is well' : 'not all is well',
  ]
}
