/* A recorded chat said again by its viewers, and what the document has of it in the end. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type ChatChoice,
  chatRecording,
  realChatFolder,
  realTotals,
  totalsOf,
} from '../clients/chat-recording.ts'
import {
  messageKind,
  type SpeakersResult,
  type SpeakersSettings,
  type SpeakersState,
  type Tally,
} from '../clients/client-messages.ts'
import { ClientProcess } from '../clients/client-process.ts'
import { histogramOf } from '../histogram.ts'
import { clientsNetwork, type Stage } from '../stage.ts'
import { until } from '../until.ts'

const run = promisify(execFile)

/** The document of the chat. */
const chat = 'a/chat/0'
/** Processes that viewers share. */
const processes = 2
/** Longest time until all viewers are shown the document, until all of them are told, and until it is shown, ms. */
const comeMsMax = 180_000
const toldMsMax = 180_000
const shownMsMax = 60_000
/** How long the authority may take to make the document, ms: faults have not begun. */
const createMsMax = 30_000
const createText = `fetch(process.argv[1], { method: 'POST', headers: { authorization: 'Bearer ' + process.argv[2] } })
  .then(answer => process.stdout.write(String(answer.status)))`

type SpeakersProcess = ClientProcess<SpeakersSettings, SpeakersState>

/** The viewers of a chat, in processes of their own. */
export class ChatSpeakers {
  readonly choice: ChatChoice
  readonly speed: number
  readonly #stage: Stage
  readonly #processes: readonly SpeakersProcess[]

  private constructor(
    stage: Stage,
    replay: { readonly choice: ChatChoice; readonly speed: number },
    processes: readonly SpeakersProcess[],
  ) {
    this.#stage = stage
    this.choice = replay.choice
    this.speed = replay.speed
    this.#processes = processes
  }

  /** Makes the document, and brings all viewers to the edges, in turn; they say nothing yet. */
  static async open(
    stage: Stage,
    replay: { readonly choice: ChatChoice; readonly speed: number },
  ): Promise<ChatSpeakers> {
    await createChat(stage)
    const token = await stage.audienceToken('open')
    const urls = stage.settings.nodes
      .filter(({ roles }) => roles.includes('edge'))
      .map(({ name }) => stage.urlOf(name))
    const started = Array.from({ length: processes }, (_, index): SpeakersProcess => {
      const seed = String(stage.prng.uint32())
      return new ClientProcess({
        program: 'speaker-program',
        wrapper: stage.networks?.wrapper(clientsNetwork) ?? [],
        settings: { ...replay, doc: chat, token, urls, seed, index, processes },
        file: resultPath(stage, index),
        cleanups: stage.cleanups,
      })
    })
    const speakers = new ChatSpeakers(stage, replay, started)
    await speakers.#all('viewers are shown the chat', one => one.shown === one.viewers, comeMsMax)
    return speakers
  }

  /** They begin. */
  async begin(): Promise<void> {
    for (const one of this.#processes) await one.ask('resume')
  }

  /** True when all of it was said. */
  get isSaid(): boolean {
    return this.#processes.every(({ state }) => state?.left === 0)
  }

  /** Waits until all is said, and everybody was told of it or has lost the connection. */
  async untilTold(saidMsMax: number): Promise<void> {
    await this.#all('the recording is said', ({ left }) => left === 0, saidMsMax)
    await this.#all('viewers are told', ({ open }) => open === 0, toldMsMax)
  }

  /** What became of it, when the document has all that was counted. */
  async result(): Promise<ChatResult> {
    let result = await this.#read()
    await until(
      'what was counted is in the document',
      async () => {
        result = await this.#read()
        return result.kinds.every(({ counted, shown }) => shown >= counted)
      },
      shownMsMax,
    ).catch(() => undefined)
    return result
  }

  async #read(): Promise<ChatResult> {
    for (const one of this.#processes) await one.ask('mark')
    const results = this.#processes.map((_, index): SpeakersResult => {
      // Written by the program of this version.
      return JSON.parse(readFileSync(resultPath(this.#stage, index), 'utf8'))
    })
    return chatResult(results)
  }

  async #all(
    what: string,
    holds: (state: SpeakersState) => boolean,
    deadlineMs: number,
  ): Promise<void> {
    await Promise.all(this.#processes.map(one => one.until(what, holds, deadlineMs)))
  }
}

const resultPath = ({ directory }: Stage, index: number): string =>
  join(directory, `speakers-${index}.json`)

/** One kind: what its viewers were told, and what the document has. */
type Kind = Tally & { readonly kind: string; readonly shown: number }

/** What all viewers were told together. */
export type ChatResult = {
  readonly kinds: readonly Kind[]
  /** All kinds together. */
  readonly sum: Tally & { readonly shown: number }
  /** From the first word to the last that was told to be counted, s. */
  readonly seconds: number
  readonly latency: { readonly p50: number; readonly p99: number; readonly most: number }
  readonly refused: number
}

const tallyNames = ['said', 'counted', 'unknown', 'lost', 'rejected'] as const

function chatResult(results: readonly SpeakersResult[]): ChatResult {
  const names = new Set(results.flatMap(({ kinds, shown }) => Object.keys({ ...kinds, ...shown })))
  const kinds = [...names].map((kind): Kind => {
    const tallies = tallyNames.map(what => {
      const each = results.map(({ kinds: its }) => its[kind]?.[what] ?? 0)
      return [what, sumOf(each)] as const
    })
    // Each process has one that watches: they may be shown it at different times.
    const shown = Math.max(...results.map(result => result.shown[kind] ?? 0))
    return { kind, shown, ...(Object.fromEntries(tallies) as Tally) }
  })
  const sums = [...tallyNames, 'shown' as const].map(
    what => [what, sumOf(kinds.map(one => one[what]))] as const,
  )
  const startedAtMs = Math.min(...results.map(one => one.startedAtMs))
  const endedAtMs = Math.max(...results.map(one => one.lastCountedAtMs))
  return {
    kinds,
    sum: Object.fromEntries(sums) as ChatResult['sum'],
    seconds: (endedAtMs - startedAtMs) / 1_000,
    latency: histogramOf(
      'from saying to counted, ms',
      results.flatMap(({ latenciesMs }) => latenciesMs),
    ),
    refused: sumOf(results.flatMap(({ refused }) => Object.values(refused))),
  }
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)

/** Kinds of which the document has fewer than were told to be counted, or more than may be. */
export const wrongKinds = ({ kinds }: ChatResult): readonly Kind[] =>
  kinds.filter(
    ({ shown, counted, unknown, lost }) => shown < counted || shown > counted + unknown + lost,
  )

/** Kinds of which the document has not as many as the recording, or as its own totals where it is whole. */
export function otherThanRecorded({ kinds }: ChatResult, choice: ChatChoice): readonly string[] {
  const recording = chatRecording(choice)
  const { folder, untilMs } = choice
  const isWhole = folder !== undefined && untilMs === Number.MAX_SAFE_INTEGER
  const { messages, totals } = isWhole
    ? realTotals(folder)
    : { messages: recording.messages.length, totals: totalsOf(recording) }
  const wanted = new Map([
    [messageKind, messages],
    ...Object.entries(totals).map(([kind, count]) => [`reaction ${kind}`, count] as const),
  ])
  const shown = new Map(kinds.map(one => [one.kind, one.shown]))
  const names = [...new Set([...wanted.keys(), ...shown.keys()])]
  return names.filter(kind => (wanted.get(kind) ?? 0) !== (shown.get(kind) ?? 0))
}

/** As much of a recording as is said within so long: the real one, where it is, or one that is drawn. */
export function choiceFor(speed: number, ms: number): ChatChoice {
  const folder = realChatFolder()
  const { messages } = chatRecording({ folder, untilMs: Number.MAX_SAFE_INTEGER })
  const isWhole = (messages.at(-1)?.ms ?? 0) <= ms * speed
  return { folder, untilMs: isWhole ? Number.MAX_SAFE_INTEGER : ms * speed }
}

async function createChat(stage: Stage): Promise<void> {
  const token = await stage.fleet.writerToken('host')
  const authorities = stage.settings.nodes.filter(({ roles }) => roles.includes('authority'))
  const before = stage.networks?.wrapper(clientsNetwork) ?? []
  await until(
    'the chat is made',
    async () => {
      for (const { name } of authorities) {
        const url = `${stage.urlOf(name).replace('ws', 'http')}/v1/documents/${chat}`
        const [program = '', ...words] = [...before, process.execPath, '-e', createText, url, token]
        const { stdout } = await run(program, words)
        if (stdout === '201') return true
      }
      return false
    },
    createMsMax,
  )
}
