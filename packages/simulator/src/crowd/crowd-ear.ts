/*
 * What one process of an edge has heard of its viewers, by what it tells of itself: windows are answered in the
 * order in which they were closed, and what is in them is in the order in which it was said.
 */
import type { EdgeFact } from '@fanfold/edge'
import type { DocumentKey, ViewerRequest } from '@fanfold/protocol'
import type { Saying } from './saying.ts'

/** What an ear is told of, and tells. */
export type EarPort = {
  find(name: string): Saying | undefined
  /** It is in a window. */
  heard(saying: Saying): void
  /** Something became of it. */
  settled(saying: Saying): void
  problem(text: string): void
}

/** Codes by which an edge may refuse to hear what is well said. */
const refusals: ReadonlySet<string> = new Set([
  'FANFOLD_BUSY',
  'FANFOLD_DELETED',
  'FANFOLD_NOT_OBSERVED',
  'FANFOLD_OVERLOADED',
])

/** One process of an edge. */
export class CrowdEar {
  readonly #edge: string
  readonly #port: EarPort
  /** What is said in this turn. */
  #asked: Saying | undefined
  /** What is in windows that are not answered, by document. */
  readonly #heard = new Map<DocumentKey, Saying[]>()

  constructor(edge: string, port: EarPort) {
    this.#edge = edge
    this.#port = port
  }

  /** A viewer asks for something. */
  asks(request: ViewerRequest): void {
    if (request.type !== 'add') return
    const { value } = request
    const name = typeof value === 'object' && value !== null ? Reflect.get(value, 'name') : value
    this.#asked = this.#port.find(String(name))
    if (this.#asked === undefined) this.#problem(`hears ${String(name)}, which nobody said`)
  }

  /** The edge tells something of itself. */
  note(fact: EdgeFact): void {
    switch (fact.event) {
      case 'crowd-heard': {
        const saying = this.#take()
        if (saying === undefined) return
        saying.fate = 'heard'
        this.#port.heard(saying)
        const heard = this.#heard.get(fact.doc)
        if (heard === undefined) this.#heard.set(fact.doc, [saying])
        else heard.push(saying)
        return
      }
      case 'crowd-rejected': {
        const saying = this.#take()
        if (saying !== undefined) this.#settle(saying, 'rejected')
        if (!refusals.has(fact.code)) this.#problem(`does not hear ${saying?.name}: ${fact.code}`)
        return
      }
      case 'crowd-settled': {
        const { doc, outcome, messages } = fact
        const settled = this.#heard.get(doc)?.splice(0, messages) ?? []
        if (settled.length < messages) {
          this.#problem(`settles ${messages} of ${doc}, and has heard ${settled.length}`)
        }
        for (const saying of settled) this.#settle(saying, outcome)
        return
      }
      case 'crowd-failed':
        this.#problem(`cannot write down the sums of ${fact.doc}`)
        return
      default:
    }
  }

  /** The process is gone. */
  ends(): void {
    for (const heard of this.#heard.values()) {
      for (const saying of heard) this.#settle(saying, 'died')
    }
    this.#heard.clear()
  }

  #take(): Saying | undefined {
    const saying = this.#asked
    this.#asked = undefined
    if (saying === undefined) this.#problem('answers what nobody asked')
    return saying
  }

  #settle(saying: Saying, fate: Saying['fate']): void {
    saying.fate = fate
    this.#port.settled(saying)
  }

  #problem(text: string): void {
    this.#port.problem(`${this.#edge} ${text}`)
  }
}
