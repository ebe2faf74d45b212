import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Connection } from '@fanfold/client'
import { CommandError, usageError } from '../command-error.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { showProgress } from '../feed/feed-progress.ts'
import { FeedReport } from '../feed/feed-report.ts'
import { judgeRefusal } from '../feed/judge-refusal.ts'
import { OrderedSender } from '../feed/ordered-sender.ts'
import { lineBytesMax, lineId, playRecording, refusalReason } from '../feed/play-recording.ts'
import { recordingId } from '../feed/recording-id.ts'
import { recordingLines } from '../feed/recording-lines.ts'
import { watchProgress } from '../feed/watch-progress.ts'
import {
  connectionOptions,
  openConnection,
  readConnectionOptions,
  silenceError,
} from '../open-connection.ts'
import { type Options, parseJson } from '../options.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** Bytes of the lines under way at a time. */
const windowBytesMax = 8_388_608
/** A node stops reading from a writer with so many writes that are not answered. */
const inFlightMax = 4_096
/** The client gives up on no line by itself, as that could put a later one before it: 24 days, ms. */
const sendTimeoutMs = 2_147_483_647

/** `fanfold feed`. */
export const feedVerb: Verb = {
  name: 'feed',
  meaning:
    'Plays a recording into a document: each line is a message. A line is a JSON object; `ms` says when it was recorded, and all its members but `seq` and `ms` are the value. Lines commit in their order, each once: the same recording played again within the ten minutes and 65,536 commits for which an authority remembers ids commits nothing twice, so a play that was broken off can simply be started again. Lines that are of no use are counted and skipped.',
  arguments: [
    { syntax: '<recording>', meaning: 'A file of NDJSON; compressed when it ends in .gz.' },
  ],
  options: [
    { flags: '--doc <key>', meaning: 'The document that the recording is played into.' },
    { flags: '--message <name>', meaning: 'The message that a line becomes.', default: 'merge' },
    {
      flags: '--speed <n>',
      meaning: 'How many times as fast as it was recorded, or max.',
      default: '1',
    },
    { flags: '--from-line <n>', meaning: 'The first line that is sent.', default: '1' },
    {
      flags: '--initial <file>',
      meaning: 'JSON of the state to start with, sent as {state} before line 1.',
    },
    {
      flags: '--initial-message <name>',
      meaning: 'The message that carries the state to start with.',
      default: 'start',
    },
    { flags: '--value-field <name>', meaning: 'The one member of a line that is the value.' },
    {
      flags: '--in-flight <n>',
      meaning:
        'Lines under way at a time. With more than one a play is faster, and stops with FANFOLD_DISORDER should a line be put off, as by a full disk, and a later one find room: the document then no longer follows the recording.',
      default: '1',
    },
    {
      flags: '--run <name>',
      meaning: 'Names this play: under another name each line commits again.',
    },
    {
      flags: '--give-up-after <duration>',
      meaning: 'How long the authority may take no line before the play stops.',
      default: '5m',
    },
    ...connectionOptions,
  ],
  examples: [
    'feed race.ndjson.gz --doc acme/timing/monza --as $TOKEN',
    'feed race.ndjson --doc acme/timing/monza --initial state.json --speed max --json',
    'feed race.ndjson --doc acme/timing/monza --speed max --in-flight 1024',
    'feed race.ndjson --doc acme/timing/monza --speed 10 --from-line 12001',
  ],
  run: feed,
}

type FeedOptions = {
  readonly path: string
  readonly doc: string
  readonly message: string
  readonly speed: number | 'max'
  readonly fromLine: number
  readonly initial: string | undefined
  readonly initialMessage: string
  readonly valueField: string | undefined
  readonly inFlight: number
  readonly run: string
  readonly giveUpAfterMs: number
}

function readFeedOptions(options: Options, path: string): FeedOptions {
  const speed = parseSpeed(options.required('speed'))
  return {
    path,
    doc: options.required('doc'),
    message: options.required('message'),
    speed,
    fromLine: options.integer('fromLine', { min: 1, max: Number.MAX_SAFE_INTEGER }) ?? 1,
    initial: options.text('initial'),
    initialMessage: options.required('initialMessage'),
    valueField: options.text('valueField'),
    inFlight: options.integer('inFlight', { min: 1, max: inFlightMax }) ?? 1,
    run: options.text('run') ?? '',
    giveUpAfterMs: options.duration('giveUpAfter', { minMs: 100, maxMs: 86_400_000 }),
  }
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return text
  const speed = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (speed > 0) return speed
  throw usageError(`--speed is a number over 0, or max, got ${text}`)
}

async function feed(input: VerbInput): Promise<ExitCode> {
  const {
    arguments: [recording = ''],
    options,
    output,
    terminal,
  } = input
  const { clock } = terminal
  const settings = readConnectionOptions(options, terminal)
  const play = readFeedOptions(options, resolve(terminal.directory, recording))
  const { size } = await stat(play.path)
  const state = await readInitial(play, terminal.directory)
  const { doc, message, initialMessage, valueField = '', run } = play
  const id = await recordingId(play.path, [message, initialMessage, valueField, run])
  const report = new FeedReport()
  let bytesRead = 0
  const { connection, trouble, refused } = openConnection(settings, {
    sendTimeoutMs,
    inFlightMax: play.inFlight + 1,
    inFlightBytesMax: 2 * windowBytesMax + 2 * lineBytesMax,
  })
  const sender = makeSender(connection, { play, id, report, clock })
  refused.catch((error: unknown) => sender.fail(error))
  const startedAt = clock.now()
  const stopWatch = watchProgress({
    clock,
    isWaiting: () => sender.waitingCount > 0,
    reached: () => report.reached,
    isConnected: () => connection.status === 'connected',
    firstTimeoutMs: settings.timeoutMs,
    timeoutMs: play.giveUpAfterMs,
    interrupted: terminal.interrupted,
    unreachable: () => silenceError(settings, trouble()),
    onGiveUp: error => {
      sender.fail(error)
      connection.close()
    },
  })
  const stopProgress = showProgress({
    bytesTotal: size,
    position: () => ({ bytes: bytesRead, report }),
    output,
    stream: terminal.err.isTerminal ? process.stderr : undefined,
  })
  try {
    if (state !== undefined) await sender.add(state)
    await playRecording({
      lines: recordingLines(play.path, {
        lineBytesMax,
        onRead: bytes => {
          bytesRead = bytes
        },
      }),
      sender,
      report,
      clock,
      speed: play.speed,
      fromLine: play.fromLine,
      valueField: play.valueField,
      signal: terminal.interrupted,
    })
    if (terminal.interrupted.aborted) {
      throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal')
    }
  } catch (error) {
    const next = Math.max(play.fromLine, report.reached + 1)
    await output.note(
      `stopped after line ${next - 1}; to go on: fanfold feed ${basename(play.path)} --doc ${doc} --from-line ${next}`,
    )
    throw error
  } finally {
    stopProgress()
    stopWatch()
    connection.close()
  }
  const seconds = (clock.now() - startedAt) / 1_000
  await output.result(report.summary(seconds), () => report.text(seconds))
  return exitCodes.ok
}

/** Number under which the initial state goes ahead of line 1. */
const initialNumber = 0

async function readInitial(
  { initial, fromLine }: FeedOptions,
  directory: string,
): Promise<
  { readonly number: number; readonly value: unknown; readonly bytes: number } | undefined
> {
  // Whoever begins in the middle has the state of the lines before.
  if (initial === undefined || fromLine > 1) return undefined
  const text = await readFile(resolve(directory, initial), 'utf8')
  return { number: initialNumber, value: { state: parseJson(text, initial) }, bytes: text.length }
}

function makeSender(
  connection: Connection,
  context: {
    readonly play: FeedOptions
    readonly id: string
    readonly report: FeedReport
    readonly clock: VerbInput['terminal']['clock']
  },
): OrderedSender {
  const { play, id, report, clock } = context
  return new OrderedSender({
    send: ({ number, value }) => {
      const isInitial = number === initialNumber
      return connection.send(play.doc, isInitial ? play.initialMessage : play.message, value, {
        id: lineId(id, isInitial ? 'initial' : number),
        retry: false,
      })
    },
    judge: (error, { number }) => {
      const verdict = judgeRefusal(error)
      // Nothing makes sense on top of a state that was refused.
      return verdict === 'refused' && number === initialNumber ? 'fatal' : verdict
    },
    wait: ms => clock.wait(ms),
    windowMax: play.inFlight,
    windowBytesMax,
    onCommitted: ({ number }, { epoch, seq }) => {
      if (number !== initialNumber) report.sent++
      report.reached = number
      report.epoch = epoch
      report.seq = seq
    },
    onRefused: ({ number }, error) => {
      report.addMalformed(number, refusalReason(error))
      report.reached = number
    },
  })
}
