import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import { wallClock } from './clock.ts'
import type { Log } from './logging.ts'
import type { ProcessContext } from './process-context.ts'

/** Says of some records that they have come so far, by their trace ids: each node picks the same ones. */
export class Passing {
  readonly #log: Log
  /** Of so many records one is told of; 0: none. */
  readonly #oneOf: number

  constructor({ log, config }: Pick<ProcessContext, 'log' | 'config'>, role: string) {
    this.#log = log.child({ role })
    this.#oneOf = config.logging.tracedOneOf
  }

  /** These records of the document have been committed, received or shown here. */
  note(doc: DocumentKey, records: readonly LogRecord[]): void {
    if (this.#oneOf === 0) return
    for (const { trace, seq, timeMs } of records) {
      const [a = 0, b = 0, c = 0, d = 0] = trace
      // Ids are random, or hashes: any part of one is as good as another.
      if ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % this.#oneOf !== 0) continue
      const fields = { doc, seq, trace: Buffer.from(trace).toString('hex') }
      const lagMs = wallClock() - timeMs
      this.#log.info({ event: 'record.passed', ...fields, lagMs }, 'record has come so far')
    }
  }
}
