import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@fanfold/nemesis'
import type { Message, Writer } from './writer.ts'

/** What is sent, where and how fast. */
export type SteadyFeedOptions = {
  readonly writer: Writer
  readonly doc: string
  /** The number of the first message. */
  readonly from: number
  /** Message `n`. */
  readonly step: (n: number) => Message
  readonly messagesPerSecond: number
}

/** Messages at an even rate, each after the one before is committed. */
export class SteadyFeed {
  /** How many messages are committed, those before it included. */
  count: number
  readonly #options: SteadyFeedOptions
  readonly #done: Promise<void>
  #isStopped = false
  #lastSeq = 0

  constructor(options: SteadyFeedOptions) {
    this.#options = options
    this.count = options.from
    this.#done = this.#run()
    this.#done.catch(() => undefined)
  }

  /** Waits until so many are committed. */
  async untilSent(count: number): Promise<void> {
    await until(`${count} messages are committed`, () => this.count >= count)
  }

  /** Ends it; the seq of the last message. */
  async stop(): Promise<number> {
    this.#isStopped = true
    await this.#done
    return this.#lastSeq
  }

  async #run(): Promise<void> {
    const { writer, doc, from, step, messagesPerSecond } = this.#options
    const startedAt = performance.now()
    while (!this.#isStopped) {
      const answer = await writer.send(doc, step(this.count))
      if (answer.type !== 'committed') throw new Error(JSON.stringify(answer))
      this.#lastSeq = answer.seq ?? 0
      this.count++
      const dueMs = startedAt + ((this.count - from) * 1_000) / messagesPerSecond
      await delay(Math.max(0, dueMs - performance.now()))
    }
  }
}
