import { CommandError } from '../command-error.ts'
import type { Clock } from '../terminal.ts'

const lookEveryMs = 100
/** After a signal, what is under way has so long to be answered, ms. */
const interruptedMsMax = 5_000

/** What is watched, and for how long nothing may happen. */
export type WatchProgressOptions = {
  readonly clock: Clock
  /** Whether something is under way. */
  readonly isWaiting: () => boolean
  /** Grows with each line that has come to its end. */
  readonly reached: () => number
  readonly isConnected: () => boolean
  /** For the first connection, ms. */
  readonly firstTimeoutMs: number
  /** For every further step, ms. */
  readonly timeoutMs: number
  readonly interrupted: AbortSignal
  /** Why there was no first connection. */
  readonly unreachable: () => Error
  readonly onGiveUp: (error: unknown) => void
}

/** Gives up when nothing happens for too long; returns what ends the watch. */
export function watchProgress(options: WatchProgressOptions): () => void {
  const ended = new AbortController()
  watch(options, ended.signal).catch(options.onGiveUp)
  return () => ended.abort()
}

async function watch(options: WatchProgressOptions, ended: AbortSignal): Promise<void> {
  const { clock, isWaiting, reached, isConnected, interrupted } = options
  let hasConnected = false
  let reachedBefore = reached()
  let changedAt = clock.now()
  let interruptedAt: number | undefined
  while (!ended.aborted) {
    await clock.wait(lookEveryMs, ended)
    if (ended.aborted) return
    const now = clock.now()
    hasConnected ||= isConnected()
    if (!isWaiting() || reached() !== reachedBefore) changedAt = now
    reachedBefore = reached()
    if (interrupted.aborted) interruptedAt ??= now
    if (!hasConnected && now - changedAt >= options.firstTimeoutMs) throw options.unreachable()
    if (now - changedAt >= options.timeoutMs) throw noProgress(options.timeoutMs)
    if (interruptedAt !== undefined && now - interruptedAt >= interruptedMsMax) {
      throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal, with lines not answered')
    }
  }
}

const noProgress = (timeoutMs: number): CommandError =>
  new CommandError(
    'FANFOLD_NO_PROGRESS',
    `the authority took no line for ${timeoutMs} ms: start the feed again when it is back`,
  )
