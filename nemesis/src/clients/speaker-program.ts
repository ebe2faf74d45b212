/*
 * A share of the viewers of a recording as a process: each says what it said then, at its time, so many times as
 * fast. What each was told is added up by kind, and written down when it is asked for.
 */
import { writeFileSync } from 'node:fs'
import { connect } from '@fanfold/client'
import { isJsonObject } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import { WebSocket } from 'ws'
import { type ChatMessage, chatRecording } from './chat-recording.ts'
import {
  type ClientArguments,
  messageKind,
  type SpeakersResult,
  type SpeakersSettings,
  type SpeakersState,
  type Tally,
} from './client-messages.ts'
import { serveRequests } from './serve-requests.ts'
import { Speaker } from './speaker.ts'

const { settings, file }: ClientArguments<SpeakersSettings> = JSON.parse(process.argv[2] ?? '')
const { doc, token, urls, choice, speed, index: own, processes } = settings
/** How often it is looked what is to be said, ms. */
const sayEveryMs = 5
/** Connections are opened within so long, ms. */
const rampMs = 3_000

const prng = new Prng(settings.seed)
const recording = chatRecording(choice)
const messages = recording.messages.filter(({ viewer }) => viewer % processes === own)

const kinds = new Map<string, Record<keyof Tally, number>>()
const refused: Record<string, number> = {}
const closes: Record<string, number> = {}
const latenciesMs: number[] = []
let lastCountedAtMs = 0

const listener = {
  tally(kind: string, what: keyof Tally): void {
    const tally = kinds.get(kind) ?? { said: 0, counted: 0, unknown: 0, lost: 0, rejected: 0 }
    kinds.set(kind, tally)
    tally[what]++
  },
  counted(ms: number): void {
    latenciesMs.push(Math.round(10 * ms) / 10)
    lastCountedAtMs = Date.now()
  },
  refused(code: string): void {
    refused[code] = (refused[code] ?? 0) + 1
  },
  closed(code: number): void {
    closes[code] = (closes[code] ?? 0) + 1
  },
}

const speakers = new Map<number, Speaker>()
for (let viewer = own; viewer < recording.viewers; viewer += processes) {
  const options = { doc, token, urls, prng, listener }
  setTimeout(() => speakers.set(viewer, new Speaker(options, viewer)), prng.below(rampMs))
}

/** One that only watches: what it is shown is what the document has. */
const witness = connect([...urls], { token, WebSocket }).observe(doc)

let at = 0
let startedAtMs = 0

function begin(): void {
  startedAtMs = Date.now()
  setInterval(() => {
    const dueMs = (Date.now() - startedAtMs) * speed
    for (let next = messages[at]; next !== undefined && next.ms <= dueMs; next = messages[++at]) {
      say(next)
    }
  }, sayEveryMs)
}

function say({ viewer, reactions }: ChatMessage): void {
  const speaker = speakers.get(viewer)
  if (speaker === undefined) throw new Error(`there is no viewer ${viewer}`)
  speaker.say({ reducer: 'message', value: {}, kind: messageKind })
  for (const [kind, count] of Object.entries(reactions)) {
    for (let left = count; left > 0; left--) {
      speaker.say({ reducer: 'reaction', value: { kind }, kind: `reaction ${kind}` })
    }
  }
}

/** What the document has, by the same names. */
function shown(): Record<string, number> {
  const { view } = witness
  if (!isJsonObject(view) || !isJsonObject(view['reactions'])) return {}
  const reactions = Object.entries(view['reactions'])
  return Object.fromEntries([
    [messageKind, Number(view['messages'])],
    ...reactions.map(([kind, count]) => [`reaction ${kind}`, Number(count)]),
  ])
}

/** What is told at any time. */
function state(): SpeakersState {
  let counted = 0
  for (const tally of kinds.values()) counted += tally.counted
  let [open, isShown] = [0, 0]
  for (const speaker of speakers.values()) {
    open += speaker.open
    if (speaker.isShown) isShown++
  }
  const viewers = Math.ceil((recording.viewers - own) / processes)
  return { viewers, shown: isShown, left: messages.length - at, open, counted }
}

serveRequests<SpeakersState>({
  state,
  take: kind => {
    if (kind === 'resume') begin()
    if (kind !== 'mark') return
    const result: SpeakersResult = {
      kinds: Object.fromEntries(kinds),
      shown: shown(),
      latenciesMs,
      refused,
      closes,
      startedAtMs,
      lastCountedAtMs,
    }
    writeFileSync(file, JSON.stringify(result))
  },
})
