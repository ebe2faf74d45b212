import { cpus } from 'node:os'
import type { CyclesResult } from './cycles.ts'
import { type Histogram, histogramWords } from './histogram.ts'
import type { Outcome } from './run-scenario.ts'
import { type Expectation, isMet } from './scenarios/scenario.ts'

/** A scenario that could not run here, and why. */
export type Skipped = { readonly name: string; readonly why: string }

/** Everything that a run of scenarios led to. */
export type Report = {
  readonly command: string
  readonly outcomes: readonly Outcome[]
  readonly skipped: readonly Skipped[]
}

const number = (value: number): string =>
  value >= Number.MAX_SAFE_INTEGER ? 'never' : Math.round(value).toLocaleString('en')

/** One expectation and what was seen, in words. */
function expectationWords(expectation: Expectation, load: number): string {
  const { what, seen, atMost, atLeast } = expectation
  const limits = [
    ...(atLeast === undefined ? [] : [`≥ ${number(atLeast)}`]),
    ...(atMost === undefined ? [] : [`≤ ${number(atMost)}`]),
  ]
  const excused = isMet(expectation, 1) ? '' : ' *late, as the machine was busy*'
  const mark = isMet(expectation, load) ? excused : ' **no**'
  return `${what}: ${number(seen)} (${limits.join(', ')})${mark}`
}

/** What was lost, doubled and altered, and how much was judged. */
function judgedWords({ verdict }: Outcome): string {
  if (verdict === undefined) return '–'
  const { writes, views } = verdict
  const { lost, doubled, altered, misplaced, refusedAndLogged, foreign } = writes.faults
  const others = altered + misplaced + refusedAndLogged + foreign
  const { wentBack, gaps, phantoms, different, behind } = views.faults
  return [
    `${number(writes.acknowledged)} acknowledged: ${lost} lost, ${doubled} doubled, ${others} else`,
    `${number(writes.unknownIn + writes.unknownOut)} unknown: ${number(writes.unknownIn)} in`,
    `${number(views.snapshots + views.deltas)} views: ${wentBack + gaps} out of order, ${phantoms} phantoms, ${different} wrong, ${behind} behind`,
  ].join('; ')
}

const histogramsOf = ({ seen }: Outcome): readonly Histogram[] =>
  Object.values(seen?.deaths ?? {}).filter(({ count }) => count > 0)

/** A few lines about one scenario, for a terminal. */
export function outcomeLines(outcome: Outcome): string[] {
  const { name, seconds, load, expectations, problems, directory, seed } = outcome
  const verdict = problems.length === 0 ? 'ok  ' : 'FAIL'
  return [
    `${verdict} ${name}, ${seconds.toFixed(1)} s, load ${load.toFixed(1)}: ${judgedWords(outcome)}`,
    ...expectations.map(one => `       ${expectationWords(one, load)}`),
    ...histogramsOf(outcome).map(one => `       ${histogramWords(one)}`),
    ...problems.map(problem => `     PROBLEM ${problem}`),
    ...(problems.length === 0
      ? []
      : [
          `     its files are in ${directory}`,
          `     again: npm run nemesis -- --scenario ${name} --seed '${seed}'`,
        ]),
  ]
}

/** The table, in Markdown. */
export function reportMarkdown({ command, outcomes, skipped }: Report): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.versions.node}`
  const failed = outcomes.filter(({ problems }) => problems.length > 0)
  return [
    '# Real processes under faults',
    '',
    `\`${command}\` on ${machine}: ${outcomes.length} scenarios, ${failed.length} failed, ${skipped.length} not run.`,
    'Load is how many threads wanted to run for each processor; times may be longer by that factor, up to 3.',
    '',
    '| scenario | does | judged | seen (expected) | load | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...outcomes.map(outcome => {
      const { name, does, load, expectations, problems } = outcome
      const expected = expectations.map(one => expectationWords(one, load))
      const seen = [...expected, ...histogramsOf(outcome).map(histogramWords)].join('<br>')
      const verdict = problems.length === 0 ? 'right' : `**${problems.join('<br>')}**`
      return `| ${name} | ${does} | ${judgedWords(outcome)} | ${seen} | ${load.toFixed(1)} | ${verdict} |`
    }),
    ...skipped.map(({ name, why }) => `| ${name} | not run here: ${why} | | | | |`),
    '',
  ].join('\n')
}

/** What cycles led to, for a terminal. */
export function cyclesLines(result: CyclesResult, seconds: number): string[] {
  const { verdict, cycles, convergedMs } = result
  const { writes, views, logProblems } = verdict
  const away = cycles.map(({ awayMs }) => awayMs).sort((one, other) => one - other)
  const at = (share: number): string =>
    number(away[Math.min(away.length - 1, Math.floor(share * away.length))] ?? 0)
  const kills = cycles.filter(({ kind }) => kind === 'kill').length
  const bytesLost = cycles.reduce((sum, cycle) => sum + cycle.bytesLost, 0)
  return [
    `${kills} kills of the authority and ${cycles.length - kills} losses of all power, ${number(bytesLost)} bytes cut off, ${number(seconds)} s`,
    `${number(writes.acknowledged)} writes acknowledged: ${writes.faults.lost} lost, ${writes.faults.doubled} doubled, ${writes.faults.altered} altered, ${writes.faults.misplaced} misplaced`,
    `${number(writes.refused)} refused: ${writes.faults.refusedAndLogged} in the log; ${number(writes.unknownIn + writes.unknownOut)} unknown: ${number(writes.unknownIn)} in the log; ${writes.faults.foreign} foreign`,
    `${number(views.snapshots + views.deltas)} views: ${views.faults.wentBack} back, ${views.faults.gaps} gaps, ${views.faults.phantoms} phantoms, ${views.faults.different} wrong, ${views.faults.behind} behind in the end`,
    `from a death to the first acknowledgement: median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)} ms; all showed the last write after ${number(convergedMs)} ms`,
    ...[...writes.problems, ...views.problems, ...logProblems].map(one => `PROBLEM ${one}`),
    verdict.isRight ? 'all is well' : 'not all is well',
  ]
}
