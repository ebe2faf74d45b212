/*
 * Holds what viewers were shown against the final log.
 *
 * A viewer's changes lead from one place of the log to a later one: a delta goes on from the place that
 * it had, a snapshot may jump, and goes back only when the epoch grew, which says that the log lost its
 * end. What it shows at a place is what everybody else of its audience is shown there, and what the log
 * makes there. Nothing is shown that the log does not have, and in the end all show the log's head.
 *
 * It holds an entry for each place and audience that was shown, and one for each viewer.
 */
import { Findings } from './findings.ts'

/** A view that a viewer was shown, or what it shows in the end. Events of one viewer come in order. */
export type ViewEvent = {
  /** `end` is the view that the viewer has when everybody should have the last one. */
  readonly kind: 'snapshot' | 'delta' | 'end'
  readonly viewer: string
  readonly doc: string
  /** Who may see the same: viewers of one audience see the same at the same place. */
  readonly audience: string
  readonly epoch: number
  /** Of a delta, the place that it goes on from. */
  readonly from: number
  readonly seq: number
  /** Of the view in a canonical form. */
  readonly hash: string
}

/** What is known of the final log. */
export interface ViewedLog {
  /** Seq of the last record, 0 for none. */
  headSeq(doc: string): number
  /** The epoch of a record; undefined when there is none. */
  epochAt(doc: string, seq: number): number | undefined
  /** The hash of what an audience sees at a place; undefined when that is not compared. */
  hashAt(doc: string, seq: number, audience: string): string | undefined
}

/** What was wrong, by kind; with all at 0 all was right. */
export type ViewFaults = {
  /** A place before the one that was shown already. */
  readonly wentBack: number
  /** A delta that does not go on from what is shown. */
  readonly gaps: number
  /** A place that the final log does not have. */
  readonly phantoms: number
  /** Another view than that of the log, or of another viewer, at the same place. */
  readonly different: number
  /** A last view that is not that of the log's head. */
  readonly behind: number
}

/** The judgement of what viewers saw. */
export type ViewVerdict = {
  readonly faults: ViewFaults
  readonly isRight: boolean
  readonly viewers: number
  readonly snapshots: number
  readonly deltas: number
  /** The first faults of each kind in words. */
  readonly problems: readonly string[]
}

type Shown = { readonly epoch: number; readonly seq: number }

/** Takes what viewers were shown, and says what is wrong with it. */
export class ViewJudge {
  readonly #log: ViewedLog
  readonly #findings = new Findings<keyof ViewFaults>()
  readonly #shown = new Map<string, Shown>()
  /** Hashes by document, seq and audience. */
  readonly #hashes = new Map<string, string>()
  readonly #counts = { snapshot: 0, delta: 0, end: 0 }

  /** @param log as it is after all that viewers were shown */
  constructor(log: ViewedLog) {
    this.#log = log
  }

  /** Takes the next event of a viewer. */
  take(event: ViewEvent): void {
    this.#counts[event.kind]++
    const { viewer, doc, kind, epoch, seq } = event
    const key = `${viewer} of ${doc}`
    const before = this.#shown.get(key)
    if (kind === 'end') this.#checkEnd(key, event)
    else this.#checkStep(key, event, before)
    this.#shown.set(key, { epoch, seq })
    this.#checkPlace(key, event)
  }

  /** What was found so far. */
  verdict(): ViewVerdict {
    const found = this.#findings
    const faults = {
      wentBack: found.count('wentBack'),
      gaps: found.count('gaps'),
      phantoms: found.count('phantoms'),
      different: found.count('different'),
      behind: found.count('behind'),
    }
    const isRight = Object.values(faults).every(count => count === 0)
    const { snapshot: snapshots, delta: deltas } = this.#counts
    const { size: viewers } = this.#shown
    return { faults, isRight, viewers, snapshots, deltas, problems: found.words }
  }

  #checkStep(key: string, event: ViewEvent, before: Shown | undefined): void {
    const { kind, epoch, from, seq } = event
    if (kind === 'delta' && from !== before?.seq) {
      const place = before === undefined ? 'before any view' : `at ${before.seq}`
      this.#findings.add('gaps', `${key}: a delta from ${from} to ${seq}, ${place}`)
    }
    if (before === undefined) return
    const isBack =
      epoch < before.epoch ||
      (epoch === before.epoch && seq < before.seq) ||
      (kind === 'delta' && seq <= before.seq)
    if (!isBack) return
    const places = `${epoch}:${seq} after ${before.epoch}:${before.seq}`
    this.#findings.add('wentBack', `${key}: a ${kind} at ${places}`)
  }

  /** Records that change nothing for an audience are not told: its last view may be of a seq before. */
  #checkEnd(key: string, { doc, audience, seq, hash }: ViewEvent): void {
    const head = this.#log.headSeq(doc)
    const expected = this.#log.hashAt(doc, head, audience)
    if (expected === undefined ? seq === head : hash === expected) return
    this.#findings.add('behind', `${key} ends at ${seq}, the log at ${head}`)
  }

  #checkPlace(key: string, { doc, audience, epoch, seq, hash }: ViewEvent): void {
    const epochInLog = this.#log.epochAt(doc, seq)
    if (epochInLog !== epoch) {
      const inLog =
        epochInLog === undefined
          ? `ends at ${this.#log.headSeq(doc)}`
          : `has epoch ${epochInLog} there`
      this.#findings.add('phantoms', `${key} at ${epoch}:${seq}, the log ${inLog}`)
      return
    }
    const place = `${doc} ${seq} ${audience}`
    let expected = this.#hashes.get(place)
    if (expected === undefined) {
      expected = this.#log.hashAt(doc, seq, audience) ?? hash
      this.#hashes.set(place, expected)
    }
    if (hash === expected) return
    const hashes = `${hash}, another view is ${expected}`
    this.#findings.add('different', `${key} at ${epoch}:${seq} for ${audience}: ${hashes}`)
  }
}
