import { buildLog, sha256 } from '@fanfold/conformance'
import { Chain, type LogReadId } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import type { DocumentKey, LinkEffect, LinkFrame, LinkId, LogRecord } from '@fanfold/protocol'
import type { ReplayRequest } from '../src/replays.ts'
import { ServedReplays } from '../src/served-replays.ts'
import { doc, link } from './build-stream.ts'

/** Bytes of one record of the log. */
export const bytesEach = 250
/** The log of the tests. */
export const log: readonly LogRecord[] = buildLog({
  doc,
  count: 200,
  recordBytes: bytesEach,
}).records

/** A child's request, of a child that takes everything unless it is said. */
export const requestOf = (
  overrides: Partial<ReplayRequest> & { readonly link?: LinkId } = {},
): ReplayRequest => ({
  link: link(1),
  replay: 1,
  ceiling: 239,
  have: undefined,
  credit: 1_000_000,
  isCongested: () => false,
  ...overrides,
})

/** The seqs of all records of replays in frames, in order. */
export const replayedIn = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame => (frame.kind === 'replay' ? frame.records.map(({ seq }) => seq) : []))

/** From one seq to another. */
export const seqs = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

/** A node with logs, whose answers the test gives. */
export class ServingRig {
  readonly replays: ServedReplays
  readonly reads: {
    readonly key: DocumentKey
    readonly read: LogReadId
    readonly after: number
    readonly bytesMax: number
  }[] = []
  readonly closed: LogReadId[] = []
  readonly noted: string[] = []
  records: readonly LogRecord[] = log
  readonly #effects: LinkEffect[] = []

  constructor(replaysMax?: number) {
    this.replays = new ServedReplays({
      chain: new Chain(sha256),
      prng: new Prng('replays'),
      logs: {
        read: (key, read, after, bytesMax) => this.reads.push({ key, read, after, bytesMax }),
        close: (_, read) => this.closed.push(read),
      },
      note: (_, outcome) => this.noted.push(outcome),
      replaysMax,
    })
  }

  ask(overrides: Partial<ReplayRequest> = {}, key = doc): void {
    this.replays.request(key, requestOf(overrides), this.#effects)
  }

  /** Answers so many readings from the log, in batches of so many records. */
  answer(count = 1, batch = 10): void {
    for (const { read, after } of this.reads.splice(0, count)) {
      this.replays.read(read, this.records.slice(after, after + batch))
    }
  }

  /** What is sent while there is more, in so many turns at most. */
  turns(count = 1_000): LinkEffect[] {
    for (let turn = 0; turn < count && this.replays.hasMore; turn++) {
      this.replays.sendNext(this.#effects)
    }
    return this.#effects.splice(0)
  }

  /** All that comes of what is asked, the log answering at once. */
  all(batch?: number): LinkEffect[] {
    const effects: LinkEffect[] = this.turns()
    for (let round = 0; round < 10_000 && this.reads.length > 0; round++) {
      this.answer(this.reads.length, batch)
      effects.push(...this.turns())
    }
    return effects
  }

  letGo(): LinkEffect[] {
    this.replays.letGo(this.#effects)
    return this.#effects.splice(0)
  }
}
