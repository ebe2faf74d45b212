/*
 * Where a crowd is heard: at an edge, for one document. What its viewers say is folded into the open window. A
 * window that is closed has a number in the edge's session, is never changed again, and is kept until the
 * authority says that it is counted; so sent once or ten times, by whatever way, it counts once. While a few wait
 * the open one is not closed: what an outage costs is the room of one window, however long it lasts.
 */
import type { Reduction, Voice } from '@fanfold/definition'
import { assert } from '@fanfold/kernel'
import type { Aggregate } from './aggregate.ts'
import { encodeContents, mergeContents, type Part } from './content.ts'
import { crowdLimits } from './crowd-limits.ts'
import type { Downward, Upward } from './exchange.ts'
import type { Standing } from './ranges.ts'

/** A reduction of whatever. */
type AnyReduction = Reduction<never, unknown, unknown>

/** The open sum of a reducer. */
type OpenSum = { readonly reducer: string; readonly reduction: AnyReduction; sum: unknown }

/** A window that is never changed again. */
type Closed = {
  /** Counts the windows of this edge, over its sessions. */
  readonly window: number
  /** Its number in the session. */
  number: number
  readonly content: Uint8Array
}

/** What came of a message: the window that it is in, or why it is in none. */
export type Folded =
  | { readonly kind: 'folded'; readonly window: number }
  /** There is no room until windows are counted. */
  | { readonly kind: 'busy' }
  /** The reduction does not take it. */
  | { readonly kind: 'refused'; readonly reason: string }

const hasNoRoom: Folded = { kind: 'refused', reason: 'an empty sum has no room for it' }

/** What became of windows, each one told once. */
export type Outcome = {
  readonly window: number
  /** `unknown`: it may have been counted, and nobody can tell. */
  readonly kind: 'counted' | 'unknown'
}

/** What one edge hears of one document. */
export class Origin {
  /** By reducer and shape: a definition that takes over may sum up otherwise by the same name. */
  readonly #sums = new Map<string, OpenSum>()
  readonly #closed: Closed[] = []
  /** The open window. */
  #window = 1
  #session: number | undefined
  #lastNumber = 0

  /** The session whose windows these are; undefined until the log has begun one. */
  get session(): number | undefined {
    return this.#session
  }

  /** True while the open window holds something. */
  get isHeard(): boolean {
    return this.#sums.size > 0
  }

  /** Windows that are closed and not counted. */
  get closedCount(): number {
    return this.#closed.length
  }

  /** True when a window may be closed. */
  get mayClose(): boolean {
    return this.#session !== undefined && this.#closed.length < crowdLimits.closedMax
  }

  /** True when nothing was said that is not told of. */
  get isIdle(): boolean {
    return !this.isHeard && this.#closed.length === 0
  }

  /** What goes up now: a session that is wanted, or what waits, with the open window closed. Undefined for nothing. */
  say(): Upward | undefined {
    if (this.isIdle) return undefined
    if (this.#session === undefined) return { asked: 1, aggregate: undefined }
    this.close()
    const aggregate = this.next()
    return aggregate && { asked: 0, aggregate }
  }

  /** The answer to what was said: what that makes of windows. */
  take({ sessions, standings }: Downward): Outcome[] {
    const outcomes = standings.flatMap(standing => this.answered(standing))
    const [session] = sessions
    if (this.#session === undefined && session !== undefined) this.begin(session)
    return outcomes
  }

  /** The log has begun a session for this edge. */
  begin(session: number): void {
    assert(this.#session === undefined, 'a session goes on until the log has ended it')
    this.#session = session
    // What the session before has not counted it never will: it is counted in this one.
    for (const [at, closed] of this.#closed.entries()) closed.number = at + 1
    this.#lastNumber = this.#closed.length
  }

  /** Somebody says something. */
  fold(reducer: string, reduction: AnyReduction, operand: unknown, voice: Voice): Folded {
    try {
      const isIn = this.#take(reducer, reduction, operand, voice)
      if (isIn) return { kind: 'folded', window: this.#window }
      // What an empty sum has no room for would close one window after the other.
      if (!this.#sums.has(sumKey(reducer, reduction))) return hasNoRoom
      if (!this.mayClose) return { kind: 'busy' }
      this.close()
      const isInNext = this.#take(reducer, reduction, operand, voice)
      return isInNext ? { kind: 'folded', window: this.#window } : hasNoRoom
    } catch (error) {
      return { kind: 'refused', reason: error instanceof Error ? error.message : 'it threw' }
    }
  }

  /** The open window is closed, and another one opened; false when it may not be, or holds nothing. */
  close(): boolean {
    if (!this.mayClose || !this.isHeard) return false
    const parts: Part[] = []
    for (const { reducer, reduction, sum } of this.#sums.values()) {
      parts.push({ reducer, shape: reduction.shape, bytes: reduction.encode(sum as never) })
    }
    const contents = encodeContents(parts)
    this.#sums.clear()
    // What is too much for one aggregate goes in several, and the window is settled with the last of them.
    for (const content of contents) {
      this.#lastNumber++
      this.#closed.push({ window: this.#window, number: this.#lastNumber, content })
    }
    this.#window++
    return true
  }

  /** The windows that wait, in one: as many as are not too much for one. Undefined for none. */
  next(): Aggregate | undefined {
    const [first] = this.#closed
    if (first === undefined || this.#session === undefined) return undefined
    let content = first.content
    let upTo = first.number
    for (const closed of this.#closed.slice(1)) {
      const both = mergeContents([content, closed.content])
      if (both === undefined) break
      content = both
      upTo = closed.number
    }
    return { ranges: [{ session: this.#session, after: first.number - 1, upTo }], content }
  }

  /** The authority says how far the session is: what that makes of windows. */
  answered({ session, state, upTo }: Standing): Outcome[] {
    if (session !== this.#session) return []
    const outcomes: Outcome[] = []
    while (this.#closed[0] !== undefined && this.#closed[0].number <= upTo) {
      const { window } = this.#closed.shift() as Closed
      if (this.#closed[0]?.window !== window) outcomes.push({ window, kind: 'counted' })
    }
    if (state === 'open') return outcomes
    // Nothing more of this session will ever count; of one that is sealed it is known what has.
    if (state === 'unknown') {
      const windows = new Set(this.#closed.splice(0).map(({ window }) => window))
      for (const window of windows) outcomes.push({ window, kind: 'unknown' })
    }
    this.#session = undefined
    return outcomes
  }

  #take(reducer: string, reduction: AnyReduction, operand: unknown, voice: Voice): boolean {
    const key = sumKey(reducer, reduction)
    const open = this.#sums.get(key)
    const before = open === undefined ? reduction.empty() : open.sum
    const sum = reduction.fold(before as never, operand as never, voice)
    if (sum === undefined) return false
    if (open === undefined) this.#sums.set(key, { reducer, reduction, sum })
    else open.sum = sum
    return true
  }
}

/** Names of shapes have no space in them. */
const sumKey = (reducer: string, { shape }: AnyReduction): string => `${shape} ${reducer}`
