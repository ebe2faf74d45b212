/* Plays the endless race into a document, at the speed of life. */

import { raceEvents } from './feed/race-events.ts'
import type { RaceMessage } from './messages.ts'

/** What the program that runs a feed hands to it. */
export type FeedOptions = {
  /** Writes one message, and resolves when it is committed. */
  readonly send: (message: RaceMessage['message'], value: RaceMessage['value']) => Promise<unknown>
  /** The same seed is the same race. */
  readonly seed: string
  /** Ends the feed. */
  readonly signal: AbortSignal
}

/** A feed that fell behind by more than this goes on from now instead of catching up in a burst. */
const behindMsMax = 2_000

/** Runs until `signal` aborts; rejects with what `send` rejects with. */
export default async function feed({ send, seed, signal }: FeedOptions): Promise<void> {
  let dueMs = performance.now()
  for (const { afterMs, message, value } of raceEvents(seed)) {
    dueMs = Math.max(dueMs + afterMs, performance.now() - behindMsMax)
    await pause(dueMs - performance.now(), signal)
    if (signal.aborted) return
    await send(message, value)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
