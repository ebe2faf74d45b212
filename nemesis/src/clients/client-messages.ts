/*
 * What passes between the command and the processes of its clients, and what these write to histories.
 */
import type { ViewEvent, WriteEvent } from '@fanfold/simulator'
import type { ChatChoice } from './chat-recording.ts'

/** In each value that only some viewers may see, and in no other. */
export const whisperMarker = ':for-premium-eyes-only'

/** A writer of one document. */
export type WriterSettings = {
  /** Unlike that of any other writer: ids of its messages begin with it. */
  readonly name: string
  readonly doc: string
}

/** What a process of writers does. */
export type WritersSettings = {
  /** Authorities: the first one is dialled, the next one when it is not there or says nothing, and so on. */
  readonly urls: readonly string[]
  readonly token: string
  readonly seed: string
  readonly writers: readonly WriterSettings[]
  /** Messages of each that wait for an answer at most. */
  readonly inFlightMax: number
  /** Messages of each a second; 0 for as many as are answered. */
  readonly perSecond: number
  /** Characters of a message. */
  readonly valueLength: number
  /** Of messages whose answer was lost with the connection, how many are sent again, 0 … 1. */
  readonly resendShare: number
}

/** A viewer of one document. */
export type ViewerSettings = {
  readonly name: string
  readonly doc: string
  /** Its history says by this name what it may see. */
  readonly audience: string
  readonly token: string
  /** Where it may connect, in order of preference. */
  readonly urls: readonly string[]
  /** Changes a second at most. */
  readonly maxRate?: number | undefined
}

/** What a process of viewers does. */
export type ViewersSettings = { readonly viewers: readonly ViewerSettings[] }

/** What a process of very many viewers of one document does. */
export type CrowdSettings = {
  readonly doc: string
  readonly token: string
  /** Each begins at the next one. */
  readonly urls: readonly string[]
  readonly seed: string
  readonly count: number
  /** They come within so long, ms. */
  readonly rampMs: number
  /** Whether each comes back to where it was, and nowhere else. */
  readonly isFaithful?: boolean | undefined
  /** How many of them never read, 0 … 1. */
  readonly stalledShare: number
}

/** Where they stand. */
export type CrowdState = {
  readonly connected: number
  /** Of those that read: how many were shown something since they connected last, and how many read. */
  readonly served: number
  readonly reading: number
  /** Bytes of the frames that they were sent. */
  readonly bytes: number
  /** The lowest seq that one of them shows. */
  readonly seqMin: number
  /** How often one was shown an earlier seq. */
  readonly wentBack: number
  /** Connections that went on with a delta, and snapshots. */
  readonly resumed: number
  readonly snapshots: number
  /** Connections that ended, by code. */
  readonly closes: Readonly<Record<string, number>>
}

/** What a process of viewers does that say something; they are those of a recording, in turn of the processes. */
export type SpeakersSettings = {
  readonly doc: string
  readonly token: string
  /** Each begins at the next one, and goes to the one after when it loses it. */
  readonly urls: readonly string[]
  readonly seed: string
  readonly choice: ChatChoice
  /** How many times as fast as it was recorded. */
  readonly speed: number
  readonly index: number
  readonly processes: number
}

/** Where they stand. */
export type SpeakersState = {
  readonly viewers: number
  /** Those that are shown the document. */
  readonly shown: number
  /** Messages of the recording that are to be said. */
  readonly left: number
  /** What was said, and is not told of. */
  readonly open: number
  readonly counted: number
}

/** What became of what was said. */
export type Tally = {
  /** Sent; again when it was rejected with a time to wait. */
  readonly said: number
  readonly counted: number
  readonly unknown: number
  /** Its connection was lost before anything was told. */
  readonly lost: number
  readonly rejected: number
}

/** By this name messages are counted, beside reactions of all kinds. */
export const messageKind = 'messages'

/** What such a process writes down when it is asked to mark. */
export type SpeakersResult = {
  readonly kinds: Readonly<Record<string, Tally>>
  /** What the document has of each kind, as one who only watches is shown it. */
  readonly shown: Readonly<Record<string, number>>
  /** From saying to being told, ms. */
  readonly latenciesMs: readonly number[]
  /** What was rejected for good, by code. */
  readonly refused: Readonly<Record<string, number>>
  readonly closes: Readonly<Record<string, number>>
  /** Ms since 1970. */
  readonly startedAtMs: number
  readonly lastCountedAtMs: number
}

/** The first argument of each of these programs, as JSON, and the file of its history. */
export type ClientArguments<Settings> = { readonly settings: Settings; readonly file: string }

/** What the command asks of a client process. */
export type ClientRequest =
  /** Begins nothing new; what is under way goes on. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Each writer sends one message that all viewers see. */
  | { readonly kind: 'mark' }
  /** Says where it stands now, with all of it in the history. */
  | { readonly kind: 'tell' }
  /** Writes the last events to the history. */
  | { readonly kind: 'end' }

/** Where writers stand. */
export type WritersState = {
  readonly acknowledged: number
  readonly refused: number
  /** Attempts whose answer was lost. */
  readonly unknown: number
  /** Messages that are to be answered, or to be sent again. */
  readonly open: number
  readonly connected: number
  /** The highest seq that was acknowledged, by document. */
  readonly seqs: Readonly<Record<string, number>>
}

/** Where viewers stand, by name. */
export type ViewersState = {
  readonly seqs: Readonly<Record<string, number>>
  readonly statuses: Readonly<Record<string, string>>
}

/** What a client process says: now and then by itself, and in answer to `tell` and `end`. */
export type ClientReport<State> = { readonly answers: number; readonly state: State }

/** An event of a history with its time, ms since 1970. */
export type Timed<Event> = Event & { readonly atMs: number }

/** What is in the history of writers. */
export type WriterHistoryEvent = Timed<WriteEvent>

/** What a viewer was told of how it stands. */
export type StatusEvent = {
  readonly kind: 'status'
  readonly viewer: string
  readonly status: string
  readonly code: string | undefined
}

/** A connection of a viewer was opened, or lost. */
export type LineEvent = {
  readonly kind: 'line-opened' | 'line-lost'
  readonly viewer: string
  readonly url: string
}

/** What is in the history of viewers. */
export type ViewerHistoryEvent = Timed<ViewEvent> | Timed<StatusEvent> | Timed<LineEvent>

/** True for what a viewer was shown. */
export const isView = (event: ViewerHistoryEvent): event is Timed<ViewEvent> =>
  event.kind === 'snapshot' || event.kind === 'delta' || event.kind === 'end'
