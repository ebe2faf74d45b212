import { assert, decodeUtf8 } from '@fanfold/kernel'
import type { DocumentKey, Grants, ViewerFrame } from '@fanfold/protocol'
import type { History } from './history.ts'
import { ObservedDocument, type Step } from './observed-document.ts'
import type { PipeProfile } from './pipe.ts'
import type { Problems } from './problems.ts'
import type { Trace } from './trace.ts'
import type { ViewerConnection, ViewerRim } from './viewer-rim.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What a viewer does with a document on its connection: nothing, observe it, or wait for `left`. */
type Phase = 'idle' | 'observing' | 'leaving'

type Observed = { readonly document: ObservedDocument; phase: Phase; isWanted: boolean }

/**
 * A client of an edge by the rules that clients have: it resumes with its position, applies what fits,
 * and observes anew what does not. Without faults nothing may fail to fit, so that is a problem here.
 */
export class ModelViewer {
  readonly name: string
  readonly #clock: VirtualClock
  readonly #trace: Trace
  readonly #problems: Problems
  readonly #profile: PipeProfile
  readonly #observed = new Map<DocumentKey, Observed>()
  #connection: ViewerConnection | undefined
  #isOpen = false
  #connections = 0
  #refusals = 0

  constructor(options: {
    readonly name: string
    readonly clock: VirtualClock
    readonly trace: Trace
    readonly problems: Problems
    readonly history: History
    readonly docs: readonly DocumentKey[]
    /** How its connections behave; the speed is what it takes in. */
    readonly profile: PipeProfile
  }) {
    this.name = options.name
    this.#clock = options.clock
    this.#trace = options.trace
    this.#problems = options.problems
    this.#profile = options.profile
    for (const doc of options.docs) {
      const document = new ObservedDocument(doc, options.history)
      this.#observed.set(doc, { document, phase: 'idle', isWanted: true })
    }
  }

  /** The documents as it has them. */
  get documents(): readonly ObservedDocument[] {
    return [...this.#observed.values()].map(({ document }) => document)
  }

  /** Requests that were refused. */
  get refusals(): number {
    return this.#refusals
  }

  /** Why it is not done; undefined when all it wants is shown as far as the log goes. */
  laggingBehind(history: History): string | undefined {
    if (!this.#isOpen) return `${this.name} is not connected`
    for (const { document, phase, isWanted } of this.#observed.values()) {
      const head = history.headSeq(document.doc)
      if (phase === 'idle' && !isWanted) continue
      // A document that nobody has created yet is waited for.
      if (phase === 'observing' && head === 0) continue
      if (phase === 'observing' && document.shownSeq === head) continue
      return `${this.name} is ${phase} at ${document.shownSeq} of ${head} of ${document.doc}`
    }
    return undefined
  }

  /** Connects to an edge in place of the one before, and observes what it wants. */
  connect(rim: ViewerRim): void {
    this.disconnect()
    const number = ++this.#connections
    const isCurrent = (): boolean => number === this.#connections && this.#connection !== undefined
    this.#connection = rim.connect(
      {
        opened: () => {
          if (isCurrent()) this.#opened()
        },
        received: frame => {
          if (isCurrent()) this.#received(frame)
        },
        closed: reason => {
          if (!isCurrent()) return
          this.#problems.add(`${this.name} was closed: ${reason}`)
          this.disconnect()
        },
      },
      this.#profile,
      grants,
    )
  }

  /** Closes its connection, if it has one. */
  disconnect(): void {
    this.#connection?.close()
    this.#connection = undefined
    this.#isOpen = false
    for (const observed of this.#observed.values()) observed.phase = 'idle'
  }

  /** Leaves a document, or observes it again. */
  want(doc: DocumentKey, isWanted: boolean): void {
    const observed = this.#observed.get(doc)
    assert(observed !== undefined, `${this.name} knows ${doc}`)
    observed.isWanted = isWanted
    if (!this.#isOpen) return
    if (isWanted && observed.phase === 'idle') this.#observe(observed)
    if (!isWanted && observed.phase === 'observing') this.#leave(observed)
  }

  #opened(): void {
    this.#isOpen = true
    for (const observed of this.#observed.values()) {
      if (observed.isWanted) this.#observe(observed)
    }
  }

  #observe(observed: Observed): void {
    observed.phase = 'observing'
    const { doc } = observed.document
    this.#send({ type: 'observe', doc, from: observed.document.resume() })
  }

  #leave(observed: Observed): void {
    observed.phase = 'leaving'
    this.#send({ type: 'leave', doc: observed.document.doc })
  }

  #send(request: object): void {
    assert(this.#connection !== undefined, `${this.name} asks while it is connected`)
    this.#connection.send(JSON.stringify(request))
  }

  #received(bytes: Uint8Array): void {
    this.#trace.add(this.#clock.now, this.name, 'frame', bytes)
    const frame = decodeFrame(bytes)
    const observed = this.#observed.get(frame.doc as DocumentKey)
    if (observed === undefined) {
      this.#problems.add(`${this.name} got a frame of ${frame.doc}: ${JSON.stringify(frame)}`)
      return
    }
    if (observed.phase === 'idle') {
      const { doc } = observed.document
      this.#problems.add(`${this.name} got a ${frame.type} of ${doc}, which it does not observe`)
      return
    }
    switch (frame.type) {
      case 'snapshot':
        this.#stepped(observed, observed.document.takeSnapshot(frame))
        return
      case 'delta':
        this.#stepped(observed, observed.document.takeDelta(frame))
        return
      case 'status':
        return
      case 'left':
        observed.phase = 'idle'
        if (observed.isWanted) this.#observe(observed)
        return
      case 'refused':
        this.#refused(observed, frame)
        return
      case 'moved':
        this.#problems.add(`${this.name} was sent away from ${frame.doc}`)
    }
  }

  #stepped(observed: Observed, step: Step): void {
    if (step.kind === 'taken') return
    this.#problems.add(`${this.name}, ${observed.document.doc}: ${step.message}`)
    if (step.kind === 'wrong' || observed.phase !== 'observing') return
    observed.document.restart()
    this.#leave(observed)
  }

  #refused(observed: Observed, { code, retryAfter }: Refused): void {
    this.#refusals++
    // For now only: the edge keeps the request and sends the snapshot when it can.
    if (retryAfter !== undefined) return
    // One that is leaving is still to be told that it has left.
    if (observed.phase === 'leaving') return
    observed.phase = 'idle'
    this.#problems.add(`${this.name} was refused ${observed.document.doc}: ${code}`)
  }
}

type Refused = Extract<ViewerFrame, { type: 'refused' }>

const grants: Grants = {
  subject: 'viewer',
  tenant: undefined,
  documents: ['**'],
  allow: ['observe'],
  expiresAtMs: undefined,
  claims: {},
}

/** A frame as the client decodes it: its own edge made it, so its shape is trusted. */
function decodeFrame(bytes: Uint8Array): ViewerFrame {
  const text = decodeUtf8(bytes)
  assert(text !== undefined, 'a frame to a viewer is UTF-8')
  return JSON.parse(text) as ViewerFrame
}
