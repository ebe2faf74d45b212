import type { Observation } from '@fanfold/client'
import { changeJson, changeText, isAfter, parsePlace } from '../change-text.ts'
import { CommandError } from '../command-error.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import {
  connectionOptions,
  openConnection,
  readConnectionOptions,
  silenceError,
  viewStateOption,
} from '../open-connection.ts'
import type { Output } from '../output.ts'
import { raceSilence } from '../race-silence.ts'
import { TailState } from '../tail-state.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** `fanfold tail`. */
export const tailVerb: Verb = {
  name: 'tail',
  meaning:
    'Shows the changes of a document as they come, the first one with the whole view; with --json a line each: {kind, from, seq, epoch, time, patch}.',
  arguments: [{ syntax: '<doc>', meaning: 'Key of the document: <tenant>/<type>/<id>.' }],
  options: [
    ...connectionOptions,
    viewStateOption,
    {
      flags: '--max-rate <n>',
      meaning: 'So many deltas per second at most; what comes between is part of the next one.',
    },
    { flags: '--from <epoch:seq>', meaning: 'Shows only what comes after this place of the log.' },
    { flags: '--until-seq <n>', meaning: 'Ends with the change that reaches this seq.' },
    {
      flags: '--hash',
      meaning:
        'Applies the changes, and ends with a line {epoch, seq, sha256, ranges, changes}: SHA-256 of the canonical JSON, and whether all ranges adjoin.',
    },
  ],
  examples: [
    'tail acme/match/final --as $TOKEN',
    'tail acme/match/final --json | jq -c .patch',
    'tail acme/match/final --max-rate 2',
    'tail acme/match/final --until-seq 5000 --hash --quiet',
  ],
  run: tail,
}

async function tail(input: VerbInput): Promise<ExitCode> {
  const {
    arguments: [doc = ''],
    options,
    output,
    terminal,
  } = input
  const settings = readConnectionOptions(options, terminal)
  const viewState = options.json('viewState')
  const maxRate = options.number('maxRate', { max: 1_000 })
  const from = options.text('from')
  const place = from === undefined ? undefined : parsePlace(from)
  const untilSeq = options.integer('untilSeq', { min: 1, max: Number.MAX_SAFE_INTEGER })
  const state = options.isSet('hash') ? new TailState() : undefined
  const { connection, trouble, refused } = openConnection(settings)
  const { interrupted } = terminal
  try {
    const observation = connection.observe(doc, { viewState, maxRate })
    const end = (): void => observation.close()
    interrupted.addEventListener('abort', end, { once: true })
    await raceSilence(firstViewOf(observation), {
      terminal,
      refused,
      timeoutMs: settings.timeoutMs,
      late: () => silenceError(settings, trouble()),
    })
    const stopNotes = noteStatus(observation, output)
    for await (const change of observation) {
      state?.take(change)
      // With --quiet and --hash the last line is all that was asked for.
      const isShown = isAfter(change, place) && !(output.isQuiet && state !== undefined)
      if (isShown) await output.line(output.isJson ? changeJson(change) : changeText(change))
      if (untilSeq !== undefined && change.seq >= untilSeq) break
    }
    stopNotes()
  } catch (error) {
    const isOver = error instanceof CommandError && error.code === 'FANFOLD_INTERRUPTED'
    if (!isOver) throw error
  } finally {
    connection.close()
  }
  if (state === undefined) return exitCodes.ok
  const { summary } = state
  await output.line(JSON.stringify(summary))
  return summary.ranges === 'adjoin' ? exitCodes.ok : exitCodes['check-failed']
}

/** Resolves with the first view; rejects when the server refuses the document. */
const firstViewOf = (observation: Observation): Promise<void> =>
  new Promise((resolve, reject) => {
    observation.onStatus((status, error) => {
      if (status === 'live' || status === 'stale') resolve()
      else if (status === 'closed') error === undefined ? resolve() : reject(error)
    })
  })

/** Says when the document goes stale and comes back. */
function noteStatus(observation: Observation, output: Output): () => void {
  let said = 'live again'
  return observation.onStatus((status, error) => {
    if (status !== 'stale' && status !== 'live') return
    const why = error?.code ?? 'the node is not heard from'
    const text = status === 'live' ? 'live again' : `stale: ${why}, trying again`
    if (text === said) return
    said = text
    output.note(`fanfold tail: ${text}`).catch(() => undefined)
  })
}
