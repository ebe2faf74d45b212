/*
 * What a node tells its parent of each document and of nothing that a log has: viewers below, how far behind
 * it is, and how much of the tree is below it. Of each only the latest counts, so one is sent at once and the next a second later at
 * the earliest, with what holds then.
 */
import { after, Deadlines, type EffectSink, type Instant, milliseconds } from '@fanfold/kernel'
import { type DocumentKey, encodeLinkFrame, type LinkEffect, type LinkId } from '@fanfold/protocol'

/** How often the same is told at most. */
const everyMs = 1_000

/** What is told upward. */
export type UpwardSignal = 'presence' | 'lag' | 'children' | 'edges'

const upwardSignals: readonly UpwardSignal[] = ['presence', 'lag', 'children', 'edges']

type Told = {
  readonly doc: DocumentKey
  readonly signal: UpwardSignal
  value: number
  /** What the parent was told last; undefined for nothing yet. */
  sent: number | undefined
}

/** Signals to the parents, each at most once a second. */
export class ParentSignals {
  readonly #linkOf: (doc: DocumentKey) => LinkId | undefined
  readonly #told = new Map<string, Told>()
  /** Keys that were told less than a second ago. */
  readonly #waiting = new Set<string>()
  /** When each of those may be told again. */
  readonly #deadlines = new Deadlines<string>()

  /** @param linkOf the link to the parent that serves a document */
  constructor(linkOf: (doc: DocumentKey) => LinkId | undefined) {
    this.#linkOf = linkOf
  }

  /** This holds from now on. */
  tell(
    { doc, signal, value }: { doc: DocumentKey; signal: UpwardSignal; value: number },
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): void {
    const key = `${signal}:${doc}`
    let told = this.#told.get(key)
    if (told === undefined) {
      told = { doc, signal, value, sent: undefined }
      this.#told.set(key, told)
    }
    told.value = value
    if (told.sent !== value && !this.#waiting.has(key)) this.#send(key, told, now, effects)
  }

  /** A parent that serves the document from now on knows nothing of it. */
  joined(doc: DocumentKey, now: Instant, effects: EffectSink<LinkEffect>): void {
    for (const signal of upwardSignals) {
      const key = `${signal}:${doc}`
      const told = this.#told.get(key)
      if (told !== undefined) this.#send(key, told, now, effects)
    }
  }

  /** The document is not followed any more. */
  forget(doc: DocumentKey): void {
    for (const signal of upwardSignals) {
      const key = `${signal}:${doc}`
      this.#told.delete(key)
      this.#waiting.delete(key)
      this.#deadlines.set(key, undefined)
    }
  }

  /** When `tick` has something to do. */
  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** Tells what has changed meanwhile. */
  tick(now: Instant, effects: EffectSink<LinkEffect>): void {
    for (const key of this.#deadlines.due(now)) {
      this.#waiting.delete(key)
      const told = this.#told.get(key)
      if (told !== undefined && told.sent !== told.value) this.#send(key, told, now, effects)
    }
  }

  #send(key: string, told: Told, now: Instant, effects: EffectSink<LinkEffect>): void {
    const link = this.#linkOf(told.doc)
    // Whoever serves the document next is told when it does.
    if (link === undefined) return
    const { signal, doc, value } = told
    const frame = encodeLinkFrame({ kind: 'signal', signal, doc, value })
    effects.push({ kind: 'link-signal', link, key, frame })
    told.sent = value
    this.#waiting.add(key)
    this.#deadlines.set(key, after(now, milliseconds(everyMs)))
  }
}
