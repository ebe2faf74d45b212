/* What a load test is asked to do: its options, and what bounds them. */
import { availableParallelism } from 'node:os'
import { parseEndpoints } from '@fanfold/client/line'
import { asDocumentKey } from '@fanfold/protocol'
import { usageError } from '../command-error.ts'
import { readConnectionOptions, tokenOption, viewStateOption } from '../open-connection.ts'
import type { VerbInput, VerbOption } from '../verb.ts'
import { type Assertion, parseAssertion } from './assertion.ts'
import type { SwarmSettings } from './swarm-message.ts'
import type { Watching } from './swarm-viewer.ts'
import { ValueTemplate } from './value-template.ts'

/** Viewers of one load test: what a machine has memory and addresses for. */
const viewersMax = 200_000
const processesMax = 256
/** New connections in a second. */
const rampPerSecondMax = 20_000
/** Writes in a second: a node takes 10,000 frames of one writer. */
const writesPerSecondMax = 5_000
const durationMs = { minMs: 100, maxMs: 86_400_000 }
/** Descriptors of a process beside those of viewers. */
const descriptorsBeside = 64
/** One viewer in so many keeps a replica, and one in each process. */
const replicaEvery = 100

/** Options of the verb. */
export const benchOptions: readonly VerbOption[] = [
  {
    flags: '--url <url>',
    meaning:
      'An edge; may be given several times: viewers are spread over them, and go from one to the next. FANFOLD_URL, or ws://127.0.0.1:9600, without it.',
    isRepeatable: true,
  },
  tokenOption,
  { flags: '--viewers <n>', meaning: 'How many viewers, each a connection.', default: '100' },
  { flags: '--duration <duration>', meaning: 'How long is measured.', default: '10s' },
  {
    flags: '--ramp <n>',
    meaning: 'New connections a second, before anything is measured.',
    default: '500',
  },
  {
    flags: '--message <name>',
    meaning:
      "Writes as well: one of the definition's messages. Without it, what others write is watched.",
  },
  {
    flags: '--value <json>',
    meaning:
      'Value of the message; {{n}} in it is the number of the write, {{now}} its time (ms since 1970). - reads it from standard input.',
  },
  { flags: '--rate <n>', meaning: 'Writes a second.', default: '5' },
  {
    flags: '--write-url <url>',
    meaning: 'Where to write: an authority; the first --url without it.',
  },
  { flags: '--write-as <token>', meaning: 'Who writes: a token; that of the viewers without it.' },
  {
    flags: '--assert <check>',
    meaning:
      'Ends with 4 unless it holds: a metric of the result, one of < <= > >= =, and a value with its unit, as p99<150ms or missing=0. May be given several times.',
    isRepeatable: true,
  },
  {
    flags: '--processes <n>',
    meaning: 'Processes of viewers, or auto: half as many as there are processors.',
    default: 'auto',
  },
  viewStateOption,
  {
    flags: '--max-rate <n>',
    meaning:
      'So many deltas per second at most for each viewer; what comes between is part of the next one.',
  },
  {
    flags: '--timeout <duration>',
    meaning: 'How long viewers have to be in when all were opened.',
    default: '30s',
  },
  {
    flags: '--settle <duration>',
    meaning: 'How long viewers have to be where the last write is, in the end.',
    default: '10s',
  },
]

/** What is written. */
export type BenchWrites = {
  readonly url: string
  readonly token: string | undefined
  readonly message: string
  readonly template: ValueTemplate
  readonly perSecond: number
}

/** A load test, decoded. */
export type BenchSettings = {
  readonly urls: readonly string[]
  readonly watching: Watching
  readonly viewers: number
  readonly processes: number
  readonly rampPerSecond: number
  readonly durationMs: number
  readonly timeoutMs: number
  readonly settleMs: number
  /** Undefined where only others write. */
  readonly writes: BenchWrites | undefined
  readonly assertions: readonly Assertion[]
}

/**
 * Decodes the options.
 *
 * @param descriptorsMax of a process; undefined where the system does not say
 * @throws CommandError
 */
export async function readBenchSettings(
  { arguments: [doc = ''], options, terminal }: VerbInput,
  descriptorsMax: number | undefined,
): Promise<BenchSettings> {
  const { url, token, timeoutMs } = readConnectionOptions(options, terminal)
  const given = options.list('url')
  const urls = given.length === 0 ? [url] : given
  // Whatever is no address is told of before a process is started.
  parseEndpoints(urls)
  if (asDocumentKey(doc) === undefined) {
    throw usageError(`<doc> is <tenant>/<type>/<id>, got ${JSON.stringify(doc)}`)
  }
  const viewers = options.integer('viewers', { min: 1, max: viewersMax }) ?? 1
  const asked =
    options.text('processes') === 'auto'
      ? undefined
      : options.integer('processes', { min: 1, max: processesMax })
  return {
    urls,
    watching: {
      doc,
      token,
      viewState: options.json('viewState'),
      maxRate: options.number('maxRate', { max: 1_000 }),
    },
    viewers,
    processes: processCount({
      asked,
      viewers,
      descriptorsMax,
      processors: availableParallelism(),
    }),
    rampPerSecond: options.integer('ramp', { min: 1, max: rampPerSecondMax }) ?? 1,
    durationMs: options.duration('duration', durationMs),
    timeoutMs,
    settleMs: options.duration('settle', durationMs),
    writes: await readWrites({ options, terminal }, { url: urls[0] ?? url, token }),
    assertions: options.list('assert').map(parseAssertion),
  }
}

async function readWrites(
  { options, terminal }: Pick<VerbInput, 'options' | 'terminal'>,
  viewers: { readonly url: string; readonly token: string | undefined },
): Promise<BenchWrites | undefined> {
  const perSecond = options.number('rate', { max: writesPerSecondMax }) ?? 1
  const message = options.text('message')
  const value = options.text('value')
  if (message === undefined) {
    if (value !== undefined) throw usageError('--value is the value of a --message')
    return undefined
  }
  return {
    url: options.text('writeUrl') ?? viewers.url,
    token: options.text('writeAs') ?? viewers.token,
    message,
    template: new ValueTemplate(value === '-' ? await terminal.readInput() : value),
    perSecond,
  }
}

/**
 * How many processes share the viewers: half of the processors leaves some for what is measured, where that is on
 * the same machine, and more where one process may not have so many descriptors.
 *
 * @throws CommandError when so many as were asked for may not have them
 */
export function processCount(options: {
  readonly asked: number | undefined
  readonly viewers: number
  readonly descriptorsMax: number | undefined
  readonly processors: number
}): number {
  const { asked, viewers, processors } = options
  const descriptorsMax = options.descriptorsMax ?? Number.POSITIVE_INFINITY
  const room = descriptorsMax - descriptorsBeside
  const needed = room < 1 ? Number.POSITIVE_INFINITY : Math.ceil(viewers / room)
  const wanted = Math.min(viewers, asked ?? Math.max(needed, Math.floor(processors / 2), 1))
  if (wanted >= needed && wanted <= processesMax) return wanted
  const each = Math.ceil(viewers / Math.min(wanted, processesMax)) + descriptorsBeside
  const more = needed <= processesMax ? `, or give --processes ${needed}` : ''
  throw usageError(
    `${viewers} viewers need ${each} file descriptors in each process of viewers, and ${descriptorsMax} are allowed: raise it with \`ulimit -n ${each}\`${more}`,
  )
}

/** The viewers of each process; one of them at least keeps the view. */
export function splitViewers({
  urls,
  watching,
  viewers,
  processes,
  rampPerSecond,
}: BenchSettings): readonly SwarmSettings[] {
  return Array.from({ length: processes }, (_, index) => {
    const firstIndex = Math.floor((viewers * index) / processes)
    const own = Math.floor((viewers * (index + 1)) / processes) - firstIndex
    return {
      urls,
      watching,
      viewers: own,
      replicas: Math.ceil(own / replicaEvery),
      firstIndex,
      rampPerSecond: rampPerSecond / processes,
    }
  })
}
