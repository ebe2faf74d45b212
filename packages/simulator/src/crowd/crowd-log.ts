/*
 * What the logs say of crowds, held against what edges said: a record that counts windows has just the change that these
 * windows make, and no other record changes what counts. So the document is at each record the sum over the sessions of
 * all that their edges have said up to where the ledger stands.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'
import { type Instant, milliseconds } from '@fanfold/kernel'
import { type DocumentKey, type LogRecord, partTags } from '@fanfold/protocol'
import { decodeEntry } from '@fanfold/reduction'
import { aggregatesPerSecondMax } from '../board-rules.ts'
import type { Tally } from '../tally.ts'
import { SessionLog } from './session-log.ts'
import { addSums, difference, isSame, type Sums, sumKey, type WindowSums } from './window-sums.ts'

/** How much faster clocks may go than the world's, beyond what its options say: nothing but rounding. */
const slackMicros = 2

type DocumentLog = {
  readonly sessions: SessionLog
  readonly counted: Map<string, number>
  epoch: number
  /** Whether it had a state, and has none any more. */
  isDeleted: boolean
  hasState: boolean
  /** How many watch, as the document says. */
  viewers: JsonValue | undefined
  /** When the last records became durable that count something, or begin a session; of one epoch. */
  readonly countedAt: Instant[]
}

/** As many counts in a row are held against the budget. */
const countedAtMax = 20

/** What all logs of a world have counted. */
export class CrowdLog {
  readonly #windows: WindowSums
  readonly #problem: (text: string) => void
  readonly #clockDriftShare: number
  readonly #tally: Tally
  readonly #documents = new Map<DocumentKey, DocumentLog>()

  constructor(options: {
    readonly windows: WindowSums
    readonly problem: (text: string) => void
    /** By how much a clock may go too fast. */
    readonly clockDriftShare: number
    readonly tally: Tally
  }) {
    this.#tally = options.tally
    this.#windows = options.windows
    this.#problem = options.problem
    this.#clockDriftShare = options.clockDriftShare
  }

  /** How often something counts in the document. */
  countOf(doc: DocumentKey, reducer: string, operand: string): number {
    return this.#documents.get(doc)?.counted.get(sumKey(reducer, operand)) ?? 0
  }

  /** Whether the document was deleted. */
  isDeleted(doc: DocumentKey): boolean {
    return this.#documents.get(doc)?.isDeleted === true
  }

  /** Everything that counts in the document, and how often. */
  counted(doc: DocumentKey): Sums {
    return this.#document(doc).counted
  }

  /** A record is durable; it leads to the state. */
  take(doc: DocumentKey, record: LogRecord, state: JsonObject | undefined, now: Instant): void {
    const document = this.#document(doc)
    const payload = record.payload(partTags.crowd)
    if (payload !== undefined) this.#count(doc, document, payload, record.epoch, now)
    document.isDeleted = document.hasState && state === undefined
    if (state === undefined) return
    document.hasState = true
    const viewers = state['viewers']
    if (viewers !== document.viewers) this.#tally.add('presence told')
    document.viewers = viewers
    const actual = countedIn(state)
    if (isSame(actual, document.counted)) return
    this.#problem(`${doc}: at record ${record.seq} ${difference(actual, document.counted)}`)
  }

  #count(
    doc: DocumentKey,
    document: DocumentLog,
    payload: Uint8Array,
    epoch: number,
    now: Instant,
  ): void {
    const { sessions, counted } = document
    const entry = decodeEntry(payload)
    const { opened, sealed } = entry
    if (opened.length > 0) this.#tally.add('session begun', opened.length)
    if (sealed.length > 0) this.#tally.add('session sealed', sealed.length)
    if (entry.counted.length > 1) this.#tally.add('sessions counted together')
    if (document.epoch > 0 && epoch > document.epoch)
      this.#tally.add('crowd counted in another epoch')
    const wrong = sessions.enter(entry)
    if (wrong !== undefined) this.#problem(`${doc}: ${wrong}`)
    const sums = this.#windows.sumOf(doc, entry.counted)
    if (typeof sums === 'string') this.#problem(`${doc}: counted, and ${sums}`)
    else addSums(counted, sums)
    if (entry.counted.length + opened.length > 0) this.#checkBudget(doc, document, epoch, now)
  }

  /** One is put into the log a while after the one before, and when that is there: so k of them take k - 1 whiles. */
  #checkBudget(doc: DocumentKey, document: DocumentLog, epoch: number, now: Instant): void {
    const { countedAt } = document
    if (document.epoch !== epoch) countedAt.length = 0
    document.epoch = epoch
    countedAt.push(now)
    if (countedAt.length > countedAtMax) countedAt.shift()
    const every = milliseconds(1_000 / aggregatesPerSecondMax) / (1 + this.#clockDriftShare)
    for (const [at, from] of countedAt.entries()) {
      const whiles = countedAt.length - at - 2
      if (whiles < 1 || now - from + slackMicros >= whiles * every) continue
      this.#problem(`${doc}: ${whiles + 2} counts within ${now - from} µs`)
      return
    }
  }

  #document(doc: DocumentKey): DocumentLog {
    const known = this.#documents.get(doc)
    if (known !== undefined) return known
    const counted = new Map<string, number>()
    const document: DocumentLog = {
      isDeleted: false,
      hasState: false,
      sessions: new SessionLog(),
      counted,
      epoch: 0,
      viewers: undefined,
      countedAt: [],
    }
    this.#documents.set(doc, document)
    return document
  }
}

/** What a state says that counts. */
function countedIn(state: JsonObject): Sums {
  const sums = new Map<string, number>()
  for (const reducer of ['said', 'kinds'] as const) {
    const counts = state[reducer]
    if (typeof counts !== 'object' || counts === null) continue
    for (const [operand, count] of Object.entries(counts)) {
      sums.set(sumKey(reducer, operand), Number(count))
    }
  }
  return sums
}
