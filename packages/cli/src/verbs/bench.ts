import { readDescriptorLimit } from '@fanfold/node'
import { judge } from '../bench/assertion.ts'
import { showBench } from '../bench/bench-progress.ts'
import { benchSummary, benchText } from '../bench/bench-report.ts'
import { runBench } from '../bench/bench-run.ts'
import { benchOptions, readBenchSettings } from '../bench/bench-settings.ts'
import { CommandError } from '../command-error.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** `fanfold bench`. */
export const benchVerb: Verb = {
  name: 'bench',
  meaning:
    'Opens many viewers of a document and measures what reaches them, in which order and how soon. The order is checked for every viewer, and the view itself for one in a hundred: a gap, a repetition, disorder or a view that differs ends it with 4, as does an --assert that does not hold. A write that is late, as those before it are not answered, has its latency counted from when it was due, and not from when it went out at last. All viewers have one token, and see the same.',
  arguments: [{ syntax: '<doc>', meaning: 'Key of the document: <tenant>/<type>/<id>.' }],
  options: benchOptions,
  examples: [
    'bench acme/match/final --viewers 1000 --duration 30s --as $TOKEN',
    `bench acme/match/final --url wss://edge-1.example --url wss://edge-2.example --viewers 5000 --message goal --value '{"team":"home","n":{{n}}}' --rate 5 --write-url wss://authority.example`,
    `bench acme/match/final --viewers 5000 --assert 'p99<150ms' --assert 'missing=0' --json`,
  ],
  run: bench,
}

async function bench(input: VerbInput): Promise<ExitCode> {
  const { output, terminal } = input
  const settings = await readBenchSettings(input, await readDescriptorLimit())
  const { viewers, durationMs, assertions, watching } = settings
  const stream = terminal.err.isTerminal ? process.stderr : undefined
  const { show, stop } = showBench({ viewers, durationMs, output, stream })
  const findings = await runBench(settings, { terminal, show }).finally(stop)
  const { metrics, isInterrupted } = findings
  const judged = assertions.map(assertion => ({ assertion, result: judge(assertion, metrics) }))
  await output.result(
    benchSummary(findings, { doc: watching.doc, judged: judged.map(({ result }) => result) }),
    () => benchText(findings, judged),
  )
  if (metrics.violations !== 0) return exitCodes['check-failed']
  if (isInterrupted) throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal')
  const { stale = 0, away = 0, connected = 0 } = metrics
  if (stale + away >= connected) {
    throw new CommandError('FANFOLD_UNREACHABLE', 'no viewer was up to date in the end')
  }
  return judged.every(({ result }) => result.ok) ? exitCodes.ok : exitCodes['check-failed']
}
