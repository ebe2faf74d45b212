import type { JsonValue } from '@fanfold/document'
import { type Instant, SmallMap } from '@fanfold/kernel'

/** How long a committed message is remembered by its id. */
export type IdempotencyLimits = {
  /** Commits of the document after which an id is forgotten. */
  readonly commitsMax: number
  /** Record time after which an id is forgotten, once it was remembered here for as long. */
  readonly ageMaxMs: number
}

/** The window that the documentation promises. */
export const defaultIdempotencyLimits: IdempotencyLimits = { commitsMax: 65_536, ageMaxMs: 600_000 }

/** Where a message was committed. */
export type CommittedAt = { readonly epoch: number; readonly seq: number; readonly timeMs: number }

/**
 * The ids of a document's recent commits and what was answered, so that a message sent again is
 * answered again and not committed again.
 *
 * It forgets by the log's own seq and time, so that a restart forgets no more. The time of a log is that
 * of a wall's clock, which may jump: so nothing is forgotten by it that was not here for as long, by a
 * clock that does not.
 */
export class IdempotencyWindow {
  readonly #limits: IdempotencyLimits
  readonly #now: () => Instant
  readonly #committed = new SmallMap<string, Entry>()
  /**
   * In order of seq, because commits are; an entry that has come again stands here twice. To look for
   * the oldest in a map would go over all that were deleted before it.
   */
  #order: Entry[] | undefined
  /** Where in the order the oldest one is. */
  #first = 0

  constructor(limits: IdempotencyLimits, now: () => Instant) {
    this.#limits = limits
    this.#now = now
  }

  /** Ids remembered. */
  get count(): number {
    return this.#committed.size
  }

  /** Where the subject's message with this id was committed, if it was, within the window. */
  get(subject: string, id: string): CommittedAt | undefined {
    return this.#committed.get(scope(subject, id))?.[1]
  }

  /** Remembers a commit, and forgets those that it pushes out of the window. */
  add(subject: string, id: string, at: CommittedAt): void {
    this.#add(scope(subject, id), at)
    this.advance(at)
  }

  /** The log has come to `head`: what has left the window is forgotten. */
  advance(head: { readonly seq: number; readonly timeMs: number }): void {
    const order = this.#order ?? []
    const { commitsMax, ageMaxMs } = this.#limits
    const nowMs = millisecondsOf(this.#now())
    for (; this.#first < order.length; this.#first++) {
      const entry = order[this.#first] as Entry
      const [key, at, sinceMs] = entry
      const isYoung = head.timeMs - at.timeMs < ageMaxMs || nowMs - sinceMs < ageMaxMs
      if (isYoung && head.seq - at.seq < commitsMax) break
      // An id that has come again stands further behind, too.
      if (this.#committed.get(key) === entry) this.#committed.delete(key)
    }
    if (this.#first < forgottenMax && this.#first < order.length) return
    this.#order = this.#first < order.length ? order.slice(this.#first) : undefined
    this.#first = 0
  }

  /** What is remembered now, oldest first, one that has come again twice; later commits do not change it. */
  capture(): CapturedWindow {
    return this.#order?.slice(this.#first) ?? []
  }

  /** Takes over a chunk of what was captured, in their order; what is not that is left out. */
  restore(chunk: JsonValue | undefined): void {
    if (!Array.isArray(chunk)) return
    for (const entry of chunk) {
      const found = asCommit(entry)
      if (found !== undefined) this.#add(...found)
    }
  }

  #add(key: string, at: CommittedAt): void {
    const entry: Entry = [key, at, millisecondsOf(this.#now())]
    this.#committed.set(key, entry)
    if (this.#order === undefined) this.#order = [entry]
    else this.#order.push(entry)
  }
}

/** An id, by its scope, where it was committed, and since when it is remembered here. */
type Entry = readonly [scope: string, at: CommittedAt, sinceMs: number]

/** Forgotten entries that the order may have in front. */
const forgottenMax = 4_096

/** The window at some moment. */
export type CapturedWindow = readonly Entry[]

/** The ids of one chunk as JSON: each [scope, epoch, seq, time]. */
export const chunkOf = (window: CapturedWindow, from: number): JsonValue[] =>
  window
    .slice(from, from + idsPerChunk)
    .map(([key, { epoch, seq, timeMs }]) => [key, epoch, seq, timeMs])

/** A chunk is written out at once: a small part of a turn. */
export const idsPerChunk = 128

// A separator that no subject's end and id's start can be confused across.
const scope = (subject: string, id: string): string => `${subject.length}:${subject}${id}`

const millisecondsOf = (instant: Instant): number => Math.floor(instant / 1000)

function asCommit(value: JsonValue): readonly [scope: string, at: CommittedAt] | undefined {
  if (!Array.isArray(value)) return undefined
  const [key, epoch, seq, timeMs] = value
  return typeof key === 'string' &&
    typeof epoch === 'number' &&
    typeof seq === 'number' &&
    typeof timeMs === 'number'
    ? [key, { epoch, seq, timeMs }]
    : undefined
}
