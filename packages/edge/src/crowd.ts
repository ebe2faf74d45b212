/*
 * What the viewers of an edge say to reducers, and what they are told became of it. What is said is in the sums at
 * once, or it is rejected with a frame that says why; the sums go up one window at a time, and windows are answered.
 */
import { heardBy } from '@fanfold/definition'
import { after, earliest, type Instant, milliseconds, type Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeViewerFrame,
  type LinkId,
  type ViewerId,
  type ViewerRequest,
} from '@fanfold/protocol'
import { type CrowdSource, CrowdUplink, type Upward } from '@fanfold/reduction'
import type { CrowdAnswerFrame } from '@fanfold/replication'
import { CrowdAnswers } from './crowd-answers.ts'
import { ruleFailed } from './delivery.ts'
import { DocumentCrowd } from './document-crowd.ts'
import type { EdgeDocument } from './edge-document.ts'
import type { FullEdgeLimits } from './edge-limits.ts'
import { Speakers } from './speakers.ts'
import type { Turn } from './turn.ts'
import type { Look } from './watching.ts'

/** What a viewer says. */
export type AddRequest = Extract<ViewerRequest, { type: 'add' }>

/** A viewer that says something of a document. */
export type Adding = {
  readonly viewer: ViewerId
  /** The subject of its token. */
  readonly subject: string
  /** Whether its token allows observing the document. */
  readonly mayObserve: boolean
  /** Undefined for one that is not followed. */
  readonly document: EdgeDocument | undefined
}

export type CrowdOptions = {
  readonly turn: Turn
  readonly prng: Prng
  readonly limits: FullEdgeLimits
  /** The wall's time, ms since 1970. */
  readonly wallClockMs: () => number
  /** When one for whom there is no room may come again, ms. */
  readonly retryAfterMs: () => number
  /** The link to the parent that serves a document; undefined for none. */
  readonly linkOf: (doc: DocumentKey) => LinkId | undefined
  /** Runs what concerns one document alone. */
  readonly guard: (doc: DocumentKey, step: () => void) => void
}

/** How often a document without viewers is looked at, whether all is counted. */
const lookEvery = milliseconds(1_000)

/** The crowds of all documents of an edge. */
export class Crowd {
  readonly #options: CrowdOptions
  readonly #documents = new Map<DocumentKey, DocumentCrowd>()
  readonly #speakers: Speakers
  readonly #answers: CrowdAnswers
  readonly #uplink: CrowdUplink
  #chance: Prng | undefined

  constructor(options: CrowdOptions) {
    const { turn, limits, linkOf, guard } = options
    this.#options = options
    this.#speakers = new Speakers(limits)
    this.#answers = new CrowdAnswers(turn, this.#speakers)
    this.#uplink = new CrowdUplink({
      linkOf,
      sourceOf: doc => {
        const crowd = this.#documents.get(doc)
        return crowd && sourceOf(crowd, step => guard(doc, step))
      },
    })
  }

  /** Ids of viewers that wait to hear what became of what they said. */
  get waiting(): number {
    return this.#speakers.waiting
  }

  /** A viewer says something of a document. */
  add(request: AddRequest, adding: Adding): void {
    const { turn } = this.#options
    const { doc } = request
    const refusal = this.#refusalOf(request, adding)
    if (refusal === undefined) {
      turn.fact({ event: 'crowd-heard', doc })
      this.#uplink.want(doc, turn.now)
      return
    }
    const { code, message, retryAfter } = refusal
    const { id, reducer } = request
    turn.fact({ event: 'crowd-rejected', doc, code })
    const frame = encodeViewerFrame({
      type: 'rejected',
      doc,
      ...(id === undefined ? {} : { id }),
      reducer,
      code,
      message,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
    turn.push({ kind: 'viewer-send', viewer: adding.viewer, frame })
  }

  /** Hears what the viewer says, or returns why not. */
  #refusalOf(
    { doc, reducer: name, value, id, stamp }: AddRequest,
    { viewer, subject, mayObserve, document }: Adding,
  ): Refusal | undefined {
    const { turn, wallClockMs, retryAfterMs } = this.#options
    if (document?.has(viewer) !== true) {
      const isDeleted = mayObserve && document?.follower.replica.isDeleted === true
      return isDeleted
        ? { code: 'FANFOLD_DELETED', message: `${doc} was deleted` }
        : { code: 'FANFOLD_NOT_OBSERVED', message: `you do not observe ${doc} here` }
    }
    const notNow = this.#speakers.problemOf(viewer, id !== undefined, Math.floor(turn.now / 1_000))
    if (notNow !== undefined) {
      const { message, retryAfter = retryAfterMs() } = notNow
      return { code: 'FANFOLD_OVERLOADED', message, retryAfter }
    }
    const definition = document.definitionFor(viewer)
    if (definition === undefined) {
      const message = `${doc} is not shown to you yet`
      return { code: 'FANFOLD_BUSY', message, retryAfter: retryAfterMs() }
    }
    const timeMs = wallClockMs()
    const voice = { id: subject, timeMs, stamp: stamp ?? timeMs, draw: () => this.#draw() }
    const heard = heardBy(definition, name, value, voice)
    if (!heard.ok) return heard
    const { reducer, operand } = heard
    const asker = id === undefined ? undefined : { viewer, id }
    const crowd = this.#documents.get(doc) ?? this.#begin(doc)
    const folded = crowd.fold({ name, reducer, operand, voice }, asker)
    switch (folded.kind) {
      case 'folded':
        if (asker !== undefined) this.#speakers.waits(viewer, doc)
        return undefined
      case 'busy': {
        const message = `no more fits until what was said of ${doc} is counted`
        return { code: 'FANFOLD_BUSY', message, retryAfter: retryAfterMs() }
      }
      case 'refused': {
        // A reduction of one's own knows what others have said, and may put it into words.
        const isOwn = reducer.into.shape.startsWith('own/')
        const reason = isOwn ? 'its reduction does not take it' : folded.reason
        const message = `${definition.type}.${name}: ${reason}`
        return { code: 'FANFOLD_INVALID_VALUE', message }
      }
    }
  }

  /** Viewers look somewhere, as if each had said so; false when there is no room for one more now. */
  watch(
    doc: DocumentKey,
    { name, operand, viewers }: Look,
    watched: EdgeDocument['watched'],
  ): boolean {
    const into = watched?.definition.watched[name]?.into
    if (into === undefined) return false
    const { turn, wallClockMs } = this.#options
    const timeMs = wallClockMs()
    const voice = { id: '', timeMs, stamp: timeMs, draw: () => this.#draw() }
    const crowd = this.#documents.get(doc) ?? this.#begin(doc)
    for (let left = viewers; left > 0; left--) {
      const folded = crowd.watch({ name, into, operand, voice })
      if (folded.kind === 'folded') continue
      if (folded.kind === 'busy') return false
      const error = new Error(folded.reason)
      turn.fact(ruleFailed(doc, { code: 'FANFOLD_RULE_FAILED', place: `watched.${name}`, error }))
      return true
    }
    this.#uplink.want(doc, turn.now)
    return true
  }

  /** Takes what a parent answers. */
  receive(link: LinkId, frame: CrowdAnswerFrame): void {
    this.#uplink.receive(frame, link, this.#options.turn.now)
  }

  /** A parent serves the document from now on. */
  joined(doc: DocumentKey): void {
    this.#uplink.joined(doc, this.#options.turn.now)
  }

  /** The viewer is gone. */
  forget(viewer: ViewerId): void {
    for (const doc of this.#speakers.forget(viewer)) this.#documents.get(doc)?.forget(viewer)
  }

  /** Somebody observes the document. */
  keep(doc: DocumentKey): void {
    const crowd = this.#documents.get(doc)
    if (crowd !== undefined) crowd.keptUntil = undefined
  }

  /** Nobody observes the document: until when it is to be followed all the same; undefined when it need not be. */
  keptUntil(doc: DocumentKey): Instant | undefined {
    const crowd = this.#documents.get(doc)
    if (crowd === undefined || crowd.isIdle) return undefined
    const { turn, limits } = this.#options
    crowd.keptUntil ??= after(turn.now, milliseconds(limits.crowdKeptMaxMs))
    return crowd.keptUntil > turn.now
      ? earliest(crowd.keptUntil, after(turn.now, lookEvery))
      : undefined
  }

  /** The document was deleted, or is followed no more: what is not counted is lost. */
  letGo(doc: DocumentKey): void {
    const crowd = this.#documents.get(doc)
    if (crowd === undefined) return
    crowd.giveUp()
    this.#documents.delete(doc)
    this.#uplink.forget(doc)
  }

  wakeAt(): Instant | undefined {
    return this.#answers.isDue ? this.#options.turn.now : this.#uplink.wakeAt()
  }

  tick(): void {
    const { turn } = this.#options
    this.#uplink.tick(turn.now, turn.effects)
    this.#answers.tick()
  }

  #begin(doc: DocumentKey): DocumentCrowd {
    const { turn } = this.#options
    const crowd = new DocumentCrowd({
      settled: window => {
        const { outcome, messages } = window
        turn.fact({ event: 'crowd-settled', doc, outcome, messages })
        this.#answers.add(doc, window)
      },
      failed: error => turn.fact({ event: 'crowd-failed', doc, error }),
    })
    this.#documents.set(doc, crowd)
    return crowd
  }

  /** An integer of 0 … 2⁵³ − 1. */
  #draw(): number {
    // Where nobody says anything nothing is drawn.
    this.#chance ??= this.#options.prng.fork('crowd')
    return this.#chance.uint32() * 0x20_0000 + (this.#chance.uint32() >>> 11)
  }
}

type Refusal = {
  readonly code: ErrorCode
  readonly message: string
  /** Ms; undefined where waiting does not help. */
  readonly retryAfter?: number
}

/** What a document's crowd says, to the uplink: what is not answered is said again by itself. */
const sourceOf = (crowd: DocumentCrowd, guard: (step: () => void) => void): CrowdSource => ({
  next: () => {
    let upward: Upward | undefined
    guard(() => {
      upward = crowd.next()
    })
    return upward
  },
  answered: answer => guard(() => crowd.answered(answer)),
  interrupt: () => undefined,
})
