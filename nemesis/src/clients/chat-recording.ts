/*
 * What a crowd said: the chat of a stream of three hours, where the recordings are beside the project, or one
 * that is drawn, of the same form. Each message is by a viewer, and has reactions by kind.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Prng } from '@fanfold/kernel'

/** One message. */
export type ChatMessage = {
  /** Since the first one, ms. */
  readonly ms: number
  /** Who says it, from 0. */
  readonly viewer: number
  /** How often it has each reaction. */
  readonly reactions: Readonly<Record<string, number>>
}

/** A recording, in the order of time. */
export type ChatRecording = {
  readonly name: string
  readonly viewers: number
  readonly messages: readonly ChatMessage[]
}

/** Which recording is meant, and how much of it. */
export type ChatChoice = {
  /** Where that of a real stream is; undefined for the one that is drawn. */
  readonly folder: string | undefined
  /** What is later is left out, ms of the recording. */
  readonly untilMs: number
}

const realdata =
  process.env['FANFOLD_REALDATA'] ??
  fileURLToPath(new URL('../../../../../shared/realdata', import.meta.url))
const name = 'admiralbulldog-2019-04-30'
const messagesName = `${name}.reactions.ndjson.gz`

/** Where the real recording is beside the project; undefined where it is not. */
export function realChatFolder(): string | undefined {
  const folder = join(realdata, 'crowd-twitch-chat')
  return existsSync(join(folder, messagesName)) ? folder : undefined
}

/** Reads a recording, or draws it: the same each time. */
export function chatRecording({ folder, untilMs }: ChatChoice): ChatRecording {
  const { messages, ...rest } = folder === undefined ? drawnChat() : realChat(folder)
  return { ...rest, messages: messages.filter(({ ms }) => ms <= untilMs) }
}

/** The totals that came with the real recording, which nobody here has worked out. */
export function realTotals(folder: string): {
  readonly messages: number
  readonly totals: Totals
} {
  return JSON.parse(readFileSync(join(folder, `${name}.totals.json`), 'utf8'))
}

/** How often each kind of reaction was said. */
export type Totals = Readonly<Record<string, number>>

/** The same, counted. */
export function totalsOf({ messages }: ChatRecording): Totals {
  const totals = new Map<string, number>()
  for (const { reactions } of messages) {
    for (const [kind, count] of Object.entries(reactions)) {
      totals.set(kind, (totals.get(kind) ?? 0) + count)
    }
  }
  return Object.fromEntries(totals)
}

function realChat(folder: string): ChatRecording {
  const text = gunzipSync(readFileSync(join(folder, messagesName))).toString('utf8')
  const messages = text
    .trimEnd()
    .split('\n')
    .map((line): ChatMessage => {
      const { ms, u, r } = JSON.parse(line)
      return { ms, viewer: u, reactions: r }
    })
  return { name, viewers: 1 + Math.max(...messages.map(({ viewer }) => viewer)), messages }
}

/** A minute of it: many who say little, a few who say much, and as many kinds as are seen often. */
const drawn = { viewers: 300, messages: 3_000, kinds: 40, spanMs: 60_000, countMax: 4 }

function drawnChat(): ChatRecording {
  const prng = new Prng('a chat that nobody had')
  const low = (bound: number): number => Math.floor(bound * prng.fraction() ** 2)
  const messages = Array.from({ length: drawn.messages }, (_, index): ChatMessage => {
    const viewer = low(drawn.viewers)
    const kinds = Array.from({ length: prng.below(3) }, () => `kind-${low(drawn.kinds)}`)
    const reactions = Object.fromEntries(kinds.map(kind => [kind, 1 + prng.below(drawn.countMax)]))
    return { ms: Math.floor((index * drawn.spanMs) / drawn.messages), viewer, reactions }
  })
  return { name: 'drawn', viewers: drawn.viewers, messages }
}
