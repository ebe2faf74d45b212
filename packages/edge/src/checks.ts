/*
 * What an edge holds and shows is checked while it runs: one document at a time, each once after it has
 * changed, the one first that has waited longest. At rest nothing is checked.
 *
 * A document in which something differs is fetched again, or shown anew, and is suspect until the next
 * check finds it right. What differs again and again is told again and again, but mended only so often:
 * that it differs is then not this edge's doing.
 */
import { mayFit } from '@fanfold/document'
import {
  after,
  earliest,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
} from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { StateHash } from '@fanfold/replication'
import { type CheckKind, DocumentCheck } from './document-check.ts'
import type { EdgeDocument } from './edge-document.ts'
import type { Turn } from './turn.ts'

/** How long the parent's answer, and the record that it is of, may take. */
const answerMax = milliseconds(5_000)
/** Documents that one turn looks at for one that can be checked. */
const looksPerTurnMax = 64
/** How often in a row the same is mended. */
const mendsMax = 3

/** A document in which something differed, and how often in a row. */
type Suspect = { readonly kind: CheckKind; readonly count: number }

/** The checks of one edge. */
export class Checks {
  readonly #everyMs: number
  readonly #bytesMax: number
  readonly #prng: Prng
  readonly #sha256: Sha256
  readonly #turn: Turn
  readonly #documents: ReadonlyMap<DocumentKey, EdgeDocument>
  readonly #refetch: (doc: DocumentKey) => void
  /** Documents that have changed since they were checked, the longest waiting first. */
  readonly #due = new Set<DocumentKey>()
  readonly #suspects = new Map<DocumentKey, Suspect>()
  #current: { readonly doc: DocumentKey; readonly check: DocumentCheck } | undefined
  /** When the check has lasted long enough, but for what the parent has not answered. */
  #nextAt = 0 as Instant
  #answerBy = 0 as Instant

  constructor(options: {
    /** Time between the beginnings of two checks, ms; 0 for none at all. */
    readonly everyMs: number
    /** A document whose state has more bytes is not checked. */
    readonly bytesMax: number
    readonly prng: Prng
    readonly sha256: Sha256
    readonly turn: Turn
    readonly documents: ReadonlyMap<DocumentKey, EdgeDocument>
    /** What is held of the document is to be fetched again. */
    readonly refetch: (doc: DocumentKey) => void
  }) {
    this.#everyMs = options.everyMs
    this.#bytesMax = options.bytesMax
    this.#prng = options.prng
    this.#sha256 = options.sha256
    this.#turn = options.turn
    this.#documents = options.documents
    this.#refetch = options.refetch
  }

  /** Documents in which something differed when they were last checked. */
  get suspectCount(): number {
    return this.#suspects.size
  }

  /** Something of the document is not what it was. */
  changed(doc: DocumentKey): void {
    if (this.#everyMs > 0) this.#due.add(doc)
  }

  /** The document is let go. */
  forget(doc: DocumentKey): void {
    this.#due.delete(doc)
    this.#suspects.delete(doc)
    if (this.#current?.doc === doc) this.#current = undefined
  }

  /** The parent says what its state is. */
  answered(doc: DocumentKey, answer: StateHash): void {
    if (this.#current?.doc === doc) this.#current.check.answered(answer)
  }

  wakeAt(): Instant | undefined {
    const check = this.#current?.check
    if (check === undefined) return this.#due.size > 0 ? this.#nextAt : undefined
    if (check.isOver) return this.#turn.now
    return check.isAwaiting ? this.#answerBy : earliest(this.#nextAt, this.#answerBy)
  }

  /** Ends the check that has lasted long enough, and begins the next one. */
  tick(): void {
    const { now } = this.#turn
    if (now < (this.wakeAt() ?? Number.POSITIVE_INFINITY)) return
    const ended = this.#current
    this.#current = undefined
    if (ended !== undefined) this.#judge(ended.doc, ended.check.end())
    if (now < this.#nextAt) return
    let looks = 0
    for (const doc of this.#due) {
      this.#due.delete(doc)
      if (this.#begin(doc) || ++looks === looksPerTurnMax) return
    }
  }

  #begin(doc: DocumentKey): boolean {
    const document = this.#documents.get(doc)
    if (document === undefined) return false
    const { now, effects } = this.#turn
    const [sha256, prng, bytesMax] = [this.#sha256, this.#prng, this.#bytesMax]
    const pick = (count: number): number => prng.below(count)
    const { follower, shown } = document
    if (shown === undefined || !mayFit(shown.state, bytesMax)) return false
    const check = new DocumentCheck({ ...shown, follower, sha256, pick })
    if (follower.upstream.askStateHash(effects)) check.asked()
    this.#current = { doc, check }
    this.#nextAt = after(now, milliseconds(this.#everyMs))
    this.#answerBy = after(now, answerMax)
    return true
  }

  #judge(doc: DocumentKey, outcomes: ReturnType<DocumentCheck['end']>): void {
    for (const [kind, outcome] of outcomes) {
      this.#turn.fact({ event: `${kind}-checked`, doc, outcome })
      const suspect = this.#suspects.get(doc)
      if (outcome === 'equal' && suspect?.kind === kind) this.#suspects.delete(doc)
      if (outcome !== 'differs') continue
      const count = suspect?.kind === kind ? suspect.count + 1 : 1
      this.#suspects.set(doc, { kind, count })
      this.#due.add(doc)
      if (count <= mendsMax) this.#mend(doc, kind)
    }
  }

  /** What is held is fetched again; or everybody gets a snapshot of it. */
  #mend(doc: DocumentKey, kind: CheckKind): void {
    const document = this.#documents.get(doc)
    if (kind === 'state') this.#refetch(doc)
    else {
      document?.restart()
      document?.proceed()
    }
  }
}
