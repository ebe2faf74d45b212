import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { Command } from './live-command.ts'

const program = fileURLToPath(new URL('./feed-program.js', import.meta.url))

/** Where it runs, and what it writes. */
export type RemoteFeedSettings = {
  /** Programs that start the next one, with their arguments. */
  readonly wrapper: readonly string[]
  readonly url: string
  readonly token: string
  /** Of type `timing`. */
  readonly doc: string
  readonly messagesPerSecond: number
  readonly valueBytes: number
  readonly topics: number
}

/** A writer in a process of its own: values that are told apart by when they were written. */
export class RemoteFeed {
  readonly #command: Command

  private constructor(command: Command) {
    this.#command = command
  }

  /** Starts it; resolves when each topic has a value. */
  static async open(t: Test, settings: RemoteFeedSettings): Promise<RemoteFeed> {
    const { wrapper, url, token, doc, messagesPerSecond, valueBytes, topics } = settings
    const args = [doc, String(messagesPerSecond), String(valueBytes), String(topics)]
    const feed = new RemoteFeed(Command.start(t, { wrapper, url, token, program, args }))
    await feed.#command.untilLine(line => line['isStarted'] === true)
    return feed
  }

  /** Ends it; the seq of the last value. */
  async stop(): Promise<number> {
    this.#command.end()
    const { lastSeq } = await this.#command.untilLine(line => line['lastSeq'] !== undefined)
    return Number(lastSeq)
  }
}
