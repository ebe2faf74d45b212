/* What is said of worlds, in lines. */
import type { CampaignResult, Failure } from './campaign-result.ts'
import { coverageLines, crossingLines } from './coverage-lines.ts'
import { grouped } from './grouped.ts'
import type { MachineFacts } from './machine-facts.ts'
import { repeatCommand } from './repeat-command.ts'
import type { Shrunk } from './shrink-world.ts'
import type { WorldResult } from './world-kinds.ts'

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

const factsLine = ({ commit, node, cpu, cores }: MachineFacts): string =>
  `commit ${commit}, node ${node}, ${cores} cores of ${cpu}`

/** What was wrong with a world, with what it was run, and how to run it again. */
export function failureLines(failure: Failure, facts: MachineFacts): string[] {
  const { world, problems, problemCount, options } = failure
  const rest = problemCount - problems.length
  return [
    `FAILED ${world.world} '${world.seed}'`,
    ...problems.map(problem => `  ${problem}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
    `  commit ${facts.commit}, node ${facts.node}`,
    ...(options === undefined ? [] : [`  options ${JSON.stringify(options)}`]),
    `  ${commandOf(failure)}`,
  ]
}

const commandOf = ({ world, regression }: Failure): string =>
  repeatCommand({ ...world, regression })

/** All of a campaign that has ended. */
export function summaryLines(
  result: CampaignResult,
  elapsedMs: number,
  machines: readonly MachineFacts[],
): string[] {
  const seconds = (elapsedMs / 1_000).toFixed(1)
  const { twice, regressions } = result
  const unlisted = result.failed - result.failures.length
  return [
    ...result.kinds.flatMap(kind => [...coverageLines(kind), ...crossingLines(kind)]),
    '',
    ...machines.map(factsLine),
    `${progressLine(result, elapsedMs)}; ${regressions} regressions; ${twice} ran twice; ${seconds} s`,
    ...result
      .missing()
      .map(([{ world, nodes }, name]) => `NEVER in worlds '${world}'${sizeOf(nodes)}: ${name}`),
    ...result.failures.map(failure => `FAILED: ${commandOf(failure)}`),
    ...(unlisted > 0 ? [`FAILED: ${unlisted} more`] : []),
    result.isRight ? 'all is well' : 'not all is well',
  ]
}

const sizeOf = (nodes: number | undefined): string =>
  nodes === undefined ? '' : ` of ${nodes} nodes`

/** What a world came to that was made smaller. */
export function shrunkLines({ world, problems, runs, isLeast }: Shrunk): string[] {
  return [
    `SHRUNK ${world.world} '${world.seed}' by ${runs} runs${isLeast ? '' : ', until the time was over'}`,
    ...problems.slice(0, 3).map(problem => `  ${problem}`),
    `  ${repeatCommand(world)}`,
  ]
}

/** All of one world that was run alone. */
export function worldLines(
  result: WorldResult,
  again: string | undefined,
  facts: MachineFacts,
): string[] {
  const { seed, options, events, virtualMs, traceHash, recent, happenings, crossings } = result
  const problems = again === undefined ? result.problems : [...result.problems, again]
  return [
    `options ${JSON.stringify(options)}`,
    '',
    `the last ${recent.length} events:`,
    ...recent.map(line => `  ${line}`),
    '',
    ...happenings.map(([name, count]) => `${grouped(count).padStart(12)}   ${name}`),
    ...crossings.map(
      ([effect, fault, count]) => `${grouped(count).padStart(12)}   ${effect} amid ${fault}`,
    ),
    '',
    `commit ${facts.commit}, node ${facts.node}`,
    `'${seed}': ${grouped(events)} events, ${grouped(virtualMs)} virtual ms, trace ${traceHash}`,
    ...problems.map(problem => `PROBLEM ${problem}`),
    problems.length === 0 ? 'all is well' : 'not all is well',
  ]
}
