/*
 * What a proxy keeps over a restart: of each document that has changed the newest snapshot at hand and
 * the records after it, once in a while, one document in a turn.
 */
import type { WarmDocument, WarmEffect } from '@fanfold/document'
import { after, Deadlines, type EffectSink, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/** A document that changes all the time is kept so often. */
const keepEveryMs = 10_000

/** Keeps documents in the warm store. */
export class WarmKeeping {
  readonly #keepable: (doc: DocumentKey) => WarmDocument | undefined
  /** Documents that have changed since they were kept last. */
  readonly #changed = new Set<DocumentKey>()
  /** Documents that are being kept: one answer of each is to come. */
  readonly #underWay = new Set<DocumentKey>()
  readonly #deadlines = new Deadlines<DocumentKey>()

  /** @param keepable what of a document is worth keeping now, if anything is */
  constructor(keepable: (doc: DocumentKey) => WarmDocument | undefined) {
    this.#keepable = keepable
  }

  /** Documents that are to be kept. */
  get count(): number {
    return this.#changed.size
  }

  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** The document is not what was kept of it. */
  changed(doc: DocumentKey, now: Instant): void {
    if (this.#changed.has(doc)) return
    this.#changed.add(doc)
    if (!this.#underWay.has(doc)) this.#schedule(doc, now)
  }

  /** The store has answered. */
  kept(doc: DocumentKey, now: Instant): void {
    this.#underWay.delete(doc)
    if (this.#changed.has(doc)) this.#schedule(doc, now)
  }

  /** Keeps the next document whose time has come, and no more than one. */
  tick(now: Instant, effects: EffectSink<WarmEffect>): void {
    for (const doc of this.#deadlines.due(now)) {
      this.keep(doc, effects)
      return
    }
  }

  /** Keeps the document now, if it has changed. */
  keep(doc: DocumentKey, effects: EffectSink<WarmEffect>): void {
    if (!this.#changed.delete(doc)) return
    this.#deadlines.set(doc, undefined)
    const document = this.#keepable(doc)
    if (document === undefined) return
    this.#underWay.add(doc)
    effects.push({ kind: 'warm-keep', doc, document })
  }

  /** Keeps everything that has changed. */
  keepAll(effects: EffectSink<WarmEffect>): void {
    for (const doc of [...this.#changed]) this.keep(doc, effects)
  }

  /** What was kept of the document may be kept no more. */
  drop(doc: DocumentKey, effects: EffectSink<WarmEffect>): void {
    this.#changed.delete(doc)
    this.#deadlines.set(doc, undefined)
    effects.push({ kind: 'warm-drop', doc })
  }

  #schedule(doc: DocumentKey, now: Instant): void {
    this.#deadlines.set(doc, after(now, milliseconds(keepEveryMs)))
  }
}
