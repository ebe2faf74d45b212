/*
 * One connection to a Redis: it is made anew whenever it is lost, commands go out at once or fail, and
 * each fails within a bounded time. Its failures say what is known (see redis-failure.ts).
 */
import { Backoff, milliseconds, Prng } from '@fanfold/kernel'
import { parseRedisAddress, type RedisAddress } from './redis-address.ts'
import { createRedisClient, type RedisClient } from './redis-client.ts'
import { failureOf, RedisFailure } from './redis-failure.ts'
import type { RedisScript } from './redis-script.ts'

/** A connection that is not made by then is given up and tried again, ms, by default. */
export const connectWithinMsDefault = 2_000
/** A connection on which an answer is due and nothing came for so long is ended, ms, by default. */
export const silenceMaxMsDefault = 3_000

/** A connection that the library has given up is made anew after so long, ms. */
const reviveAfterMs = 250

/** Waits between attempts of a command that is asked again, ms. */
const againBaseMs = 20
const againMaxMs = 500

/** Characters of what a server or the system says that are kept. */
const errorLengthMax = 200

/** How a connection is made. */
export type RedisConnectionOptions = {
  /** See redis-address.ts. @throws RedisAddressError when it is none */
  readonly address: string
  /** Shown by the server in CLIENT LIST: what this connection is for. */
  readonly connectionName: string
  readonly connectWithinMs?: number | undefined
  readonly silenceMaxMs?: number | undefined
  /** Any text that other processes do not have: their attempts come at other times. */
  readonly seed: string
}

/** What commands take. */
export type RedisArgument = string | number | Buffer | Uint8Array
/** A command and its arguments; each text of a reply comes as a Buffer. */
export type RedisCommand = readonly [name: string, ...rest: RedisArgument[]]

/** A script with what it works on. */
export type ScriptCall = {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
}

/** One connection to a Redis. */
export class RedisConnection {
  readonly address: RedisAddress
  readonly #client: RedisClient
  readonly #prng: Prng
  readonly #waiting = new Set<() => void>()
  #lastError = 'it has not been reached yet'
  #isClosed = false
  #reviving: NodeJS.Timeout | undefined

  constructor(options: RedisConnectionOptions) {
    this.address = parseRedisAddress(options.address)
    this.#prng = new Prng(options.seed)
    this.#client = createRedisClient({
      address: this.address,
      connectionName: options.connectionName,
      connectWithinMs: options.connectWithinMs ?? connectWithinMsDefault,
      silenceMaxMs: options.silenceMaxMs ?? silenceMaxMsDefault,
      prng: this.#prng.fork('connect'),
    })
    this.#client.on('ready', () => {
      this.#lastError = 'it was lost'
      this.#wake()
    })
    this.#client.on('error', (error: Error & { readonly lastNodeError?: Error | undefined }) => {
      // Of a cluster none of whose nodes is there: what the last one said.
      this.#lastError = (error.lastNodeError ?? error).message.slice(0, errorLengthMax)
    })
    this.#client.on('end', () => this.#revive())
  }

  /**
   * The library gives a connection up for good when a sentinel tells of another master while it asks one who
   * the master is: it is made anew like one that was lost.
   */
  #revive(): void {
    if (this.#isClosed) return
    this.#reviving = setTimeout(() => {
      // What becomes of it is told by the events above.
      this.#client.connect().catch(() => undefined)
    }, reviveAfterMs)
  }

  /** True while commands can leave. */
  get isReady(): boolean {
    return this.#client.status === 'ready'
  }

  /** Why there is no connection, as far as is known. */
  get lastError(): string {
    return this.#lastError
  }

  /** Sends a command. @throws RedisFailure */
  async call(command: RedisCommand): Promise<unknown> {
    const [name, ...rest] = command
    try {
      return await this.#client.callBuffer(name, rest.map(toArgument))
    } catch (error) {
      throw this.#noted(failureOf(error))
    }
  }

  /**
   * Sends commands in one go, one behind the other on one connection; in a cluster they must have keys of one
   * slot. @throws RedisFailure the first one of any of them
   */
  async callAll(commands: readonly RedisCommand[]): Promise<unknown[]> {
    const results = await this.callEach(commands)
    for (const result of results) if (result instanceof RedisFailure) throw result
    return results
  }

  /**
   * The same, with the failure of each command that failed in place of what it gave. @throws RedisFailure when none
   * was sent
   */
  async callEach(commands: readonly RedisCommand[]): Promise<unknown[]> {
    const pipeline = this.#client.pipeline()
    for (const [name, ...rest] of commands) pipeline.callBuffer(name, rest.map(toArgument))
    let results: [error: Error | null, result: unknown][] | null
    try {
      results = await pipeline.exec()
    } catch (error) {
      throw this.#noted(failureOf(error))
    }
    return (results ?? []).map(([error, result]) =>
      error === null ? result : this.#noted(failureOf(error)),
    )
  }

  /** Runs a script, which the server is sent when it does not have it. @throws RedisFailure */
  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    try {
      return await this.call(['evalsha', script.digest, script.keyCount, ...keys, ...args])
    } catch (error) {
      if (!isNoScript(error)) throw error
    }
    return await this.call(['eval', script.text, script.keyCount, ...keys, ...args])
  }

  /**
   * Runs a script, and sends a command right behind it on the same connection. What came of both, in
   * order. @throws RedisFailure
   */
  async runThen(call: ScriptCall, command: RedisCommand): Promise<unknown[]> {
    const { script, keys, args } = call
    const rest = [script.keyCount, ...keys, ...args]
    try {
      return await this.callAll([['evalsha', script.digest, ...rest], command])
    } catch (error) {
      if (!isNoScript(error)) throw error
    }
    return await this.callAll([['eval', script.text, ...rest], command])
  }

  /**
   * Does what only asks, again and again while there is no answer, for `withinMs` at most.
   *
   * @throws RedisFailure the last one: `not-sent`, `no-answer` or `not-now` when the time is over
   */
  async ask<Answer>(attempt: () => Promise<Answer>, withinMs: number): Promise<Answer> {
    const endsAt = performance.now() + withinMs
    const backoff = this.backoff()
    for (;;) {
      try {
        return await within(attempt(), endsAt - performance.now())
      } catch (error) {
        const leftMs = endsAt - performance.now()
        const isPassing = error instanceof RedisFailure && mayPass(error)
        if (!isPassing || leftMs <= 0 || this.#isClosed) throw error
        await this.pause(backoff, leftMs)
      }
    }
  }

  /** Waits before the next attempt: for a connection where there is none, or else longer each time. */
  async pause(backoff: Backoff, mostMs: number = Number.POSITIVE_INFINITY): Promise<void> {
    if (!this.isReady) await this.#ready(mostMs)
    else await delay(Math.min(backoff.next() / milliseconds(1), mostMs))
  }

  /** Waits between attempts of one command. */
  backoff(): Backoff {
    return new Backoff(
      { base: milliseconds(againBaseMs), max: milliseconds(againMaxMs) },
      this.#prng.fork('again'),
    )
  }

  /** Ends the connection: what has no answer yet fails. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#reviving)
    this.#client.disconnect()
    this.#wake()
  }

  /** Resolves when commands can leave, the connection is closed, or the time is over. */
  async #ready(withinMs: number): Promise<void> {
    if (this.isReady || this.#isClosed) return
    await new Promise<void>(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      // Longer than a timer can be is as good as never.
      const timer = withinMs < 2 ** 31 ? setTimeout(done, withinMs) : undefined
      this.#waiting.add(done)
    })
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** The failure with what is known of the connection, where that is what failed. */
  #noted(failure: RedisFailure): RedisFailure {
    const { kind, message } = failure
    if (kind !== 'not-sent' && kind !== 'no-answer') return failure
    return new RedisFailure(kind, `${message}: ${this.#lastError}`)
  }
}

/** True when the same command may be done later, without anybody changing anything but the server. */
export const mayPass = ({ kind }: RedisFailure): boolean =>
  kind === 'not-sent' || kind === 'no-answer' || kind === 'not-now'

const isNoScript = (error: unknown): boolean =>
  error instanceof RedisFailure && error.message.startsWith('NOSCRIPT')

// The library takes views for texts.
const toArgument = (argument: RedisArgument): string | number | Buffer =>
  argument instanceof Uint8Array && !Buffer.isBuffer(argument)
    ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
    : argument

const delay = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** The answer, or a failure when there is none in time: it is then of no interest any more. */
async function within<Answer>(answer: Promise<Answer>, ms: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    const failure = new RedisFailure('no-answer', `no answer within the ${Math.ceil(ms)} ms left`)
    timer = setTimeout(() => reject(failure), Math.max(0, ms))
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}
