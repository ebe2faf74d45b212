/*
 * What an edge holds and shows is checked while it runs: one document at a time, each once after it has
 * changed, the one first that has waited longest. At rest nothing is checked.
 *
 * A document in which something differs is fetched again, or shown anew, and is suspect until the next
 * check finds it right. What differs again and again is told again and again, but mended only so often
 * in a while: that it differs is then not this edge's doing, and everybody pays for mending it.
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
import type { FullEdgeLimits } from './edge-limits.ts'
import type { Turn } from './turn.ts'

/** How long the parent's answer, and the record that it is of, may take. */
const answerMax = milliseconds(5_000)
/** Documents that one turn looks at for one that can be checked. */
const looksPerTurnMax = 64
/** How often the same is mended in so long, from the first time on. */
const mendsMax = 3
const mendsIn = milliseconds(600_000)

/** What was found of a document in one way. */
type Finding = { isSuspect: boolean; mends: number; mendedSince: Instant }

/** The checks of one edge. */
export class Checks {
  /** Time between the beginnings of two checks; 0 for none at all. */
  readonly #everyMs: number
  /** A document whose state has more bytes is not checked. */
  readonly #bytesMax: number
  readonly #prng: Prng
  readonly #sha256: Sha256
  readonly #turn: Turn
  readonly #documents: ReadonlyMap<DocumentKey, EdgeDocument>
  readonly #refetch: (doc: DocumentKey) => void
  readonly #guard: (doc: DocumentKey, step: () => void) => void
  /** Documents that have changed since they were checked, the longest waiting first. */
  readonly #due = new Set<DocumentKey>()
  /** Documents in which something differed, now or before: what. */
  readonly #findings = new Map<DocumentKey, Map<CheckKind, Finding>>()
  #current: { readonly doc: DocumentKey; readonly check: DocumentCheck } | undefined
  /** When the check has lasted long enough, but for what the parent has not answered. */
  #nextAt = 0 as Instant
  #answerBy = 0 as Instant

  constructor(options: {
    readonly limits: Pick<FullEdgeLimits, 'checkEveryMs' | 'checkBytesMax'>
    readonly prng: Prng
    readonly sha256: Sha256
    readonly turn: Turn
    readonly documents: ReadonlyMap<DocumentKey, EdgeDocument>
    /** What is held of the document is to be fetched again. */
    readonly refetch: (doc: DocumentKey) => void
    /** Runs what concerns one document alone. */
    readonly guard: (doc: DocumentKey, step: () => void) => void
  }) {
    this.#everyMs = options.limits.checkEveryMs
    this.#bytesMax = options.limits.checkBytesMax
    this.#prng = options.prng
    this.#sha256 = options.sha256
    this.#turn = options.turn
    this.#documents = options.documents
    this.#refetch = options.refetch
    this.#guard = options.guard
  }

  /** Documents in which something differed when they were last checked. */
  get suspectCount(): number {
    let count = 0
    for (const found of this.#findings.values()) {
      if ([...found.values()].some(({ isSuspect }) => isSuspect)) count++
    }
    return count
  }

  /** Something of the document is not what it was. */
  changed(doc: DocumentKey): void {
    if (this.#everyMs > 0) this.#due.add(doc)
  }

  /** The document is let go. */
  forget(doc: DocumentKey): void {
    this.#due.delete(doc)
    this.#findings.delete(doc)
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
    if (ended !== undefined) {
      this.#guard(ended.doc, () => this.#judge(ended.doc, ended.check.end()))
    }
    if (now < this.#nextAt) return
    let looks = 0
    for (const doc of this.#due) {
      this.#due.delete(doc)
      this.#guard(doc, () => this.#begin(doc))
      if (this.#current !== undefined || ++looks === looksPerTurnMax) return
    }
  }

  /** Begins a check, if the document can be checked now. */
  #begin(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    const { now, effects } = this.#turn
    const [sha256, prng, bytesMax] = [this.#sha256, this.#prng, this.#bytesMax]
    const pick = (count: number): number => prng.below(count)
    const { follower, shown } = document
    if (shown === undefined || !mayFit(shown.state, bytesMax)) return
    const check = new DocumentCheck({ ...shown, follower, sha256, pick })
    if (follower.upstream.askStateHash(effects)) check.asked()
    this.#current = { doc, check }
    this.#nextAt = after(now, milliseconds(this.#everyMs))
    this.#answerBy = after(now, answerMax)
  }

  #judge(doc: DocumentKey, outcomes: ReturnType<DocumentCheck['end']>): void {
    for (const [kind, outcome] of outcomes) {
      // What was mended before may have let the document go.
      if (!this.#documents.has(doc)) return
      this.#turn.fact({ event: `${kind}-checked`, doc, outcome })
      const finding = this.#findings.get(doc)?.get(kind)
      if (outcome === 'equal' && finding !== undefined) finding.isSuspect = false
      if (outcome !== 'differs') continue
      this.#due.add(doc)
      if (this.#mayMend(doc, kind)) this.#mend(doc, kind)
    }
  }

  /** Notes that something differs; true when it is to be mended. */
  #mayMend(doc: DocumentKey, kind: CheckKind): boolean {
    const { now } = this.#turn
    const found = this.#findings.get(doc) ?? new Map<CheckKind, Finding>()
    const before = found.get(kind)
    const isNew = before === undefined || now >= after(before.mendedSince, mendsIn)
    const finding = isNew ? { isSuspect: true, mends: 0, mendedSince: now } : before
    finding.isSuspect = true
    this.#findings.set(doc, found.set(kind, finding))
    return finding.mends++ < mendsMax
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
