import type { JsonObject, JsonValue } from '@fanfold/document'
import { SmallMap } from '@fanfold/kernel'

/** How long a committed message is remembered by its id. */
export type IdempotencyLimits = {
  /** Commits of the document after which an id is forgotten. */
  readonly commitsMax: number
  /** Record time after which an id is forgotten. */
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
 * It forgets by the log's own seq and time, so that a restart forgets neither more nor less.
 */
export class IdempotencyWindow {
  readonly #limits: IdempotencyLimits
  /** In order of seq, because commits are. */
  readonly #committed = new SmallMap<string, CommittedAt>()

  constructor(limits: IdempotencyLimits) {
    this.#limits = limits
  }

  /** Ids remembered. */
  get count(): number {
    return this.#committed.size
  }

  /** Where the subject's message with this id was committed, if it was, within the window. */
  get(subject: string, id: string): CommittedAt | undefined {
    return this.#committed.get(scope(subject, id))
  }

  /** Remembers a commit, and forgets those that it pushes out of the window. */
  add(subject: string, id: string, at: CommittedAt): void {
    const key = scope(subject, id)
    // An id that has left the window and comes again stands at the end, where its seq belongs.
    this.#committed.delete(key)
    this.#committed.set(key, at)
    this.advance(at)
  }

  /** The log has come to `head`: what has left the window is forgotten. */
  advance(head: { readonly seq: number; readonly timeMs: number }): void {
    for (const [key, at] of this.#committed) {
      const isKept =
        head.seq - at.seq < this.#limits.commitsMax &&
        head.timeMs - at.timeMs < this.#limits.ageMaxMs
      if (isKept) return
      this.#committed.delete(key)
    }
  }

  /** The window as JSON, for an authority's own snapshot: chunks of [scope, epoch, seq, time]. */
  toJson(): JsonObject {
    const chunks: JsonValue[][] = []
    let chunk: JsonValue[] = []
    for (const [key, { epoch, seq, timeMs }] of this.#committed) {
      if (chunk.length === 0) chunks.push(chunk)
      chunk.push([key, epoch, seq, timeMs])
      if (chunk.length === idsPerChunk) chunk = []
    }
    return { ids: chunks }
  }

  /** Takes over what `toJson` gave; what is not that is left out. */
  restore(extra: JsonObject | undefined): void {
    const chunks = extra?.['ids']
    if (!Array.isArray(chunks)) return
    for (const chunk of chunks) {
      if (!Array.isArray(chunk)) continue
      for (const entry of chunk) {
        const found = asEntry(entry)
        if (found !== undefined) this.#committed.set(found.key, found.at)
      }
    }
  }
}

/** A chunk is encoded as one text, and fits into a piece of a snapshot whatever the ids are. */
const idsPerChunk = 128

// A separator that no subject's end and id's start can be confused across.
const scope = (subject: string, id: string): string => `${subject.length}:${subject}${id}`

function asEntry(value: JsonValue): { key: string; at: CommittedAt } | undefined {
  if (!Array.isArray(value)) return undefined
  const [key, epoch, seq, timeMs] = value
  return typeof key === 'string' &&
    typeof epoch === 'number' &&
    typeof seq === 'number' &&
    typeof timeMs === 'number'
    ? { key, at: { epoch, seq, timeMs } }
    : undefined
}
