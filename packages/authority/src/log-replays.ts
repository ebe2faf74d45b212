/*
 * Children that ask for the log itself are served by reading it, beside the appends. What they ask of a
 * document that is not in memory brings it there, and waits until its log is open.
 */
import type { LogInput, LogReadId } from '@fanfold/document'
import { after, type Instant, Prng, toHex } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { ServedReplays, type ServingFact, safetyEvery } from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityDocument } from './authority-document.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import type { WriteProblem } from './write-problem.ts'

/** What a reading is asked for. */
type Ask = { readonly read: LogReadId; readonly after: number; readonly bytesMax: number }

/** What logs are read from. */
export type LogReplaysOwner = {
  /** The document, which comes into memory if it is not there; a problem when there is no room for it. */
  document(doc: DocumentKey): AuthorityDocument | WriteProblem
  /** Where effects go in the turn in hand. */
  effects(): AuthorityEffect[]
  /** A replay is over. */
  note(fact: ServingFact): void
}

/** The replays that an authority serves. */
export class LogReplays {
  readonly serving: ServedReplays
  readonly #context: AuthorityContext
  readonly #owner: LogReplaysOwner
  /** Asked for of documents whose logs are not open yet. */
  readonly #waiting = new Map<DocumentKey, Ask[]>()
  /** What the log was asked for. */
  readonly #asked = new Set<LogReadId>()
  /** When replays that nobody takes are looked for. */
  #lookAt: Instant | undefined

  constructor(context: AuthorityContext, owner: LogReplaysOwner) {
    this.#context = context
    this.#owner = owner
    this.serving = new ServedReplays({
      chain: context.chain,
      prng: new Prng(toHex(context.randomBytes(16))),
      logs: {
        read: (doc, read, after, bytesMax) => this.#read(doc, { read, after, bytesMax }),
        close: (doc, read) => this.#close(doc, read),
      },
      replaysMax: context.limits.replaysMax,
      nextRead: () => context.nextRead(),
      note: (doc, outcome) => owner.note({ event: 'replay-ended', doc, outcome }),
    })
  }

  wakeAt(): Instant | undefined {
    return this.#lookAt
  }

  /** Ends replays of which nothing is taken. */
  tick(now: Instant, effects: AuthorityEffect[]): void {
    if (this.#lookAt === undefined || now < this.#lookAt) return
    this.serving.letGo(effects)
    this.#lookAt = this.serving.count > 0 ? after(now, safetyEvery) : undefined
  }

  /** True while a child is served the document's log: it has to stay open. */
  has(doc: DocumentKey): boolean {
    return this.serving.count > 0 && this.serving.isReplaying(doc)
  }

  /** Something happened to the document: its log may be open by now, or not be served any more. */
  note(document: AuthorityDocument): void {
    if (this.serving.count === 0 || !this.serving.isReplaying(document.doc)) return
    const { doc, unreadable } = document
    if (unreadable === 'opening') return
    const asks = this.#waiting.get(doc) ?? []
    this.#waiting.delete(doc)
    if (unreadable !== undefined) this.serving.end(doc, unreadable)
    else for (const ask of asks) this.#ask(doc, ask)
  }

  /** Takes what the log says to a reading; false when it is none of a replay. */
  receive(input: Extract<LogInput, { kind: 'log-read' | 'log-read-refused' }>): boolean {
    if (!this.#asked.delete(input.read)) return false
    if (input.kind === 'log-read') this.serving.read(input.read, input.records)
    else this.serving.readRefused(input.read, { code: input.code, message: input.message })
    return true
  }

  #read(doc: DocumentKey, ask: Ask): void {
    this.#lookAt ??= after(this.#context.now(), safetyEvery)
    const document = this.#owner.document(doc)
    const problem = 'code' in document ? document : document.unreadable
    if (problem === undefined) this.#ask(doc, ask)
    else if (problem !== 'opening') this.serving.readRefused(ask.read, problem)
    else this.#waiting.set(doc, [...(this.#waiting.get(doc) ?? []), ask])
  }

  #ask(doc: DocumentKey, { read, after, bytesMax }: Ask): void {
    this.#asked.add(read)
    this.#owner.effects().push({ kind: 'log-read', doc, read, after, bytesMax })
  }

  #close(doc: DocumentKey, read: LogReadId): void {
    this.#asked.delete(read)
    const waiting = this.#waiting.get(doc)?.filter(ask => ask.read !== read) ?? []
    if (waiting.length > 0) this.#waiting.set(doc, waiting)
    else this.#waiting.delete(doc)
    this.#owner.effects().push({ kind: 'log-read-close', doc, read })
  }
}
