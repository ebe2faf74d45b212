/*
 * Hints that something has changed, by pub/sub. They are lost at will, and nothing rests on them: whoever
 * gets one looks sooner.
 */
import type { Prng } from '@fanfold/kernel'
import type { RedisAddress } from './redis-address.ts'
import { createRedisClient, type RedisClient } from './redis-client.ts'

/** A connection that is silent for so long is asked whether it is there, ms. */
const pingEveryMs = 5_000

/** What is listened to. */
export type RedisHintsOptions = {
  readonly address: RedisAddress
  readonly connectionName: string
  readonly connectWithinMs: number
  readonly silenceMaxMs: number
  readonly prng: Prng
  readonly channel: string
  /** Something has changed, or may have while nothing was heard. */
  readonly onHint: () => void
}

/** Listens to a channel, whenever it can. */
export class RedisHints {
  readonly #client: RedisClient
  readonly #pinging: NodeJS.Timeout

  constructor(options: RedisHintsOptions) {
    const { channel, onHint } = options
    this.#client = createRedisClient(options)
    const client = this.#client
    client.on('error', () => undefined)
    client.on('ready', () => {
      client.subscribe(channel).then(onHint, () => undefined)
    })
    client.on('message', onHint)
    // A connection that ended without a word is found out by an answer that does not come.
    this.#pinging = setInterval(() => {
      if (client.status === 'ready') client.ping().catch(() => undefined)
    }, pingEveryMs)
  }

  /** Listens no more. */
  close(): void {
    clearInterval(this.#pinging)
    this.#client.disconnect()
  }
}
