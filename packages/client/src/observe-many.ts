/*
 * Several documents as one value. Each is observed by itself: there is no moment at which all were so
 * in one log, only the newest view of each.
 *
 * What a missing document means is the application's choice, made in words: `fail` shows all or nothing
 * and ends with the first that is refused; `hole` shows what is there, and says what is not.
 */
import type { DocumentDefinition, ViewOf, ViewStateOf } from '@fanfold/definition'
import type { Connection, ObserveOptions } from './connection.ts'
import { FanfoldError } from './fanfold-error.ts'
import type { Hole } from './hole.ts'
import { guarded, Listeners } from './listeners.ts'
import { ManyMember } from './many-member.ts'
import type { ObservationStatus } from './observation.ts'

/** What becomes of the whole when a document is missing. */
export type Missing = 'fail' | 'hole'

/** How to observe several documents; view state and rate are for each of them. */
export type ManyOptions<
  ViewState = unknown,
  Mode extends Missing = Missing,
> = ObserveOptions<ViewState> & {
  /**
   * `fail`: the whole ends with the error of the first document that is refused, is gone or does not
   * come in time. `hole`: a hole stands in its place until it comes back; it is asked for again.
   */
  readonly missing: Mode
  /** How long documents are waited for before the first value is shown without them, or fails; 10,000. */
  readonly timeoutMs?: number | undefined
}

/**
 * Several documents, observed.
 *
 * The views are immutable, and so is the object that holds them: a document whose view did not change
 * has the same one, `===`, in the next.
 */
export interface ManyObservation<Views = unknown> {
  readonly docs: readonly string[]
  /** The view of each document by its key, or its hole; undefined before the first value. */
  readonly views: Views | undefined
  /**
   * `connecting` before the first value; `live` while all that is there is; `stale` while a document is
   * stale or not there yet; `closed` for good, with an error unless it was asked for.
   */
  readonly status: ObservationStatus
  /** Why it is closed, when it was not asked for; which document it was, is `error.doc`. */
  readonly error: FanfoldError | undefined
  /** The status of one document; undefined for one that is not of these. */
  statusOf(doc: string): ObservationStatus | undefined
  /** Calls `listener` with each value, the first time at once when there is one; returns what stops it. */
  subscribe(listener: (views: Views) => void): () => void
  /** Calls `listener` with the status, at once and when it or a document's changes; returns what stops it. */
  onStatus(listener: (status: ObservationStatus, error?: FanfoldError) => void): () => void
  /** Leaves all documents. */
  close(): void
}

/** Views by document; in the mode `hole` some may be holes. */
export type ManyViews<View, Mode extends Missing> = {
  readonly [doc: string]: View | (Mode extends 'hole' ? Hole : never)
}

/** Documents of one `observeMany`. */
const docsMax = 1_024

/**
 * Observes several documents as one.
 *
 * @throws FanfoldError `FANFOLD_BAD_OPTION` for more than 1,024 documents, and as `observe` does
 */
export function observeMany<
  Definition extends DocumentDefinition = DocumentDefinition,
  Mode extends Missing = Missing,
>(
  live: Connection,
  docs: readonly string[],
  options: ManyOptions<ViewStateOf<Definition>, Mode>,
): ManyObservation<ManyViews<ViewOf<Definition>, Mode>> {
  // What views hold is the definition's word; on the wire they are JSON.
  return new DocumentsObservation(live, docs, options) as ManyObservation<
    ManyViews<ViewOf<Definition>, Mode>
  >
}

class DocumentsObservation implements ManyObservation<ManyViews<unknown, 'hole'>> {
  readonly docs: readonly string[]
  readonly #live: Connection
  readonly #missing: Missing
  readonly #members = new Map<string, ManyMember>()
  readonly #viewListeners = new Listeners<[views: ManyViews<unknown, 'hole'>]>()
  readonly #statusListeners = new Listeners<[status: ObservationStatus, error?: FanfoldError]>()
  #views: ManyViews<unknown, 'hole'> | undefined
  #status: ObservationStatus = 'connecting'
  #error: FanfoldError | undefined
  /** The statuses that were told last, as one text. */
  #told = ''
  #isStarting = true
  #isLate = false
  #cancelTimer: () => void = () => undefined

  constructor(live: Connection, docs: readonly string[], options: ManyOptions) {
    const { missing, timeoutMs = 10_000, ...observe } = options
    this.docs = [...new Set(docs)]
    this.#live = live
    this.#missing = missing
    if (this.docs.length > docsMax) {
      throw badOption(`at most ${docsMax} documents at once, got ${this.docs.length}`)
    }
    if (!(timeoutMs > 0 && timeoutMs <= 2_147_483_647)) {
      throw badOption(`timeoutMs is over 0, at most 2147483647, got ${timeoutMs}`)
    }
    try {
      for (const doc of this.docs) {
        const changed = () => this.#changed()
        this.#members.set(doc, new ManyMember({ live, doc, observe, changed }))
      }
    } catch (error) {
      for (const member of this.#members.values()) member.close()
      throw error
    }
    this.#cancelTimer = live.environment.setTimer(() => {
      this.#isLate = true
      this.#changed()
    }, timeoutMs)
    for (const member of this.#members.values()) member.start()
    this.#isStarting = false
    this.#changed()
  }

  get views(): ManyViews<unknown, 'hole'> | undefined {
    return this.#views
  }

  get status(): ObservationStatus {
    return this.#status
  }

  get error(): FanfoldError | undefined {
    return this.#error
  }

  statusOf(doc: string): ObservationStatus | undefined {
    const member = this.#members.get(doc)
    return this.#status === 'closed' && member !== undefined ? 'closed' : member?.status
  }

  subscribe(listener: (views: ManyViews<unknown, 'hole'>) => void): () => void {
    const stop = this.#viewListeners.add(listener)
    const views = this.#views
    if (views !== undefined) guarded(() => listener(views))
    return stop
  }

  onStatus(listener: (status: ObservationStatus, error?: FanfoldError) => void): () => void {
    const stop = this.#statusListeners.add(listener)
    guarded(() => listener(this.#status, this.#error))
    return stop
  }

  close(): void {
    this.#end(undefined)
  }

  #changed(): void {
    if (this.#isStarting || this.#status === 'closed') return
    if (this.#live.status === 'closed') {
      this.#end(this.#live.error)
      return
    }
    const members = [...this.#members.values()]
    if (this.#missing === 'fail') {
      const refused = members.find(member => member.isGone)
      const late = this.#isLate ? members.find(member => !member.isThere) : undefined
      const lost = refused ?? late
      if (lost !== undefined) {
        this.#end(lost.error ?? noAnswer(lost.doc))
        return
      }
    }
    this.#publish(members)
    this.#updateStatus(members)
  }

  #publish(members: readonly ManyMember[]): void {
    const isComplete = members.every(member => member.isThere || member.isGone)
    if (this.#views === undefined && !isComplete && !this.#isLate) return
    this.#cancelTimer()
    const before = this.#views
    if (before !== undefined && members.every(({ doc, entry }) => before[doc] === entry)) return
    const views = Object.fromEntries(members.map(({ doc, entry }) => [doc, entry]))
    this.#views = views
    this.#viewListeners.call(views)
  }

  #updateStatus(members: readonly ManyMember[]): void {
    if (this.#status === 'closed') return
    const isLive = members.every(member => member.status === 'live' || member.isGone)
    this.#tell(this.#views === undefined ? 'connecting' : isLive ? 'live' : 'stale')
  }

  #end(error: FanfoldError | undefined): void {
    if (this.#status === 'closed') return
    this.#error = error
    this.#cancelTimer()
    for (const member of this.#members.values()) member.close()
    this.#tell('closed')
  }

  #tell(status: ObservationStatus): void {
    this.#status = status
    const told = `${status} ${this.docs.map(doc => this.statusOf(doc))}`
    if (told === this.#told) return
    this.#told = told
    this.#statusListeners.call(status, this.#error)
  }
}

const badOption = (message: string): FanfoldError => new FanfoldError('FANFOLD_BAD_OPTION', message)

const noAnswer = (doc: string): FanfoldError =>
  new FanfoldError('FANFOLD_NO_ANSWER', 'the document did not come in time', { doc })
